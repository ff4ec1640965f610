"""What the service is, and what happened."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from cellship.backend.api.service import Served

router = APIRouter()
Limit = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/status")
async def status(service: Served) -> dict[str, Any]:
    return await asyncio.to_thread(service.status)


@router.get("/events")
async def events(service: Served, limit: Limit = 100) -> list[dict[str, Any]]:
    return await asyncio.to_thread(service.events.latest, None, limit)
