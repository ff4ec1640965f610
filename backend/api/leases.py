"""Bytes on their way in, and the one door to a version."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from cellship.backend.api.models import AdmitRequest, LeaseRequest, VersionRequest
from cellship.backend.api.service import Served

router = APIRouter()


@router.post("/leases", status_code=201)
async def open_lease(service: Served, asked: LeaseRequest, response: Response) -> dict[str, Any]:
    blobs = {blob.digest: blob.size for blob in asked.blobs}
    answer = await service.deploys.open(
        asked.name, asked.digest, asked.settings, blobs, asked.trees, asked.lease
    )
    if answer["same"]:
        response.status_code = 200
    return answer


@router.post("/leases/{lease}/admit")
async def admit(service: Served, lease: str, asked: AdmitRequest) -> dict[str, Any]:
    return await service.deploys.admit(
        lease, asked.digest, asked.settings, asked.example_run, asked.tolerance
    )


@router.post("/leases/{lease}/versions", status_code=201)
async def make_version(
    service: Served, lease: str, asked: VersionRequest, response: Response
) -> dict[str, Any]:
    answer = await service.deploys.commit(lease, asked.model_dump())
    if not answer["created"]:
        response.status_code = 200
    return answer


@router.delete("/leases/{lease}")
async def drop_lease(service: Served, lease: str) -> dict[str, Any]:
    await service.deploys.drop(lease)
    return {"lease": lease}
