"""Reading deployments and their versions, logs, counts and differences; deleting them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from cellship.backend.api.models import ExecRequest
from cellship.backend.api.service import Served
from cellship.backend.api.status import Limit

router = APIRouter(prefix="/deployments")
Wait = Annotated[float, Query(ge=0, le=300)]


@router.get("")
async def deployments(service: Served) -> list[dict[str, Any]]:
    return await asyncio.to_thread(service.views.deployments)


@router.get("/{name}")
async def deployment(service: Served, name: str) -> dict[str, Any]:
    return await asyncio.to_thread(service.views.deployment, name)


@router.delete("/{name}")
async def delete(service: Served, name: str, author: str = "") -> dict[str, Any]:
    return await service.operations.delete(name, author)


@router.get("/{name}/versions")
async def versions(service: Served, name: str) -> list[dict[str, Any]]:
    return await asyncio.to_thread(service.views.versions, name)


@router.get("/{name}/versions/{which}")
async def version(service: Served, name: str, which: str, wait: Wait = 0) -> dict[str, Any]:
    return await service.wait_version(name, which, wait)


@router.delete("/{name}/versions/{which}")
async def delete_version(
    service: Served, name: str, which: str, author: str = ""
) -> dict[str, Any]:
    return await service.operations.discard(name, which, author)


@router.post("/{name}/exec")
async def execute(service: Served, name: str, asked: ExecRequest) -> dict[str, Any]:
    return await service.execute(name, asked.version, asked.expression, asked.author)


@router.get("/{name}/diff")
async def diff(
    service: Served,
    name: str,
    old: Annotated[str, Query(alias="from")],
    new: Annotated[str, Query(alias="to")],
) -> dict[str, Any]:
    return await asyncio.to_thread(service.views.diff, name, old, new)


@router.get("/{name}/logs")
async def logs(
    service: Served,
    name: str,
    version: str | None = None,
    replica: str | None = None,
    after: str | None = None,
    limit: Limit = 200,
) -> dict[str, Any]:
    return await asyncio.to_thread(service.views.logs, name, version, replica, after, limit)


@router.get("/{name}/counts")
async def counts(service: Served, name: str) -> dict[str, Any]:
    return await service.counts(name)


@router.get("/{name}/events")
async def events(service: Served, name: str, limit: Limit = 100) -> list[dict[str, Any]]:
    return await asyncio.to_thread(service.events.latest, name, limit)
