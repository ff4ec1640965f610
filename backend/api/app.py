"""The control plane's HTTP application."""

from __future__ import annotations

from fastapi import FastAPI

from cellship.backend.api import deployments, errors, leases, operations, status
from cellship.backend.api.access import Access
from cellship.backend.control.service import Service


def create_app(service: Service, token: str) -> FastAPI:
    """All routes under /api/v1. `service` is started and ended by the caller."""
    app = FastAPI(
        title="Cellship", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.service = service
    for part in (status, leases, deployments, operations):
        app.include_router(part.router, prefix="/api/v1")
    errors.install(app)
    app.add_middleware(Access, token=token, port=service.data.api_port)
    return app
