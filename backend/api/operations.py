"""What moves traffic. Each is one commit."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from cellship.backend.api.models import (
    Because,
    PromoteRequest,
    ReplicasRequest,
    ResumeRequest,
    RollbackRequest,
    TrafficRequest,
)
from cellship.backend.api.service import Served

router = APIRouter(prefix="/deployments/{name}")


@router.post("/rollback")
async def rollback(service: Served, name: str, asked: RollbackRequest) -> dict[str, Any]:
    return await service.operations.rollback(name, asked.to, asked.because, asked.author)


@router.post("/promote")
async def promote(service: Served, name: str, asked: PromoteRequest) -> dict[str, Any]:
    return await service.operations.promote(name, asked.version, asked.author)


@router.post("/traffic")
async def traffic(service: Served, name: str, asked: TrafficRequest) -> dict[str, Any]:
    return await service.operations.set_traffic(name, asked.traffic, asked.author)


@router.post("/replicas")
async def scale(service: Served, name: str, asked: ReplicasRequest) -> dict[str, Any]:
    return await service.operations.scale(name, asked.replicas, asked.author)


@router.post("/pause")
async def pause(service: Served, name: str, asked: Because) -> dict[str, Any]:
    return await service.operations.pause(name, asked.because, asked.author)


@router.post("/resume")
async def resume(service: Served, name: str, asked: ResumeRequest) -> dict[str, Any]:
    return await service.operations.resume(name, asked.author)
