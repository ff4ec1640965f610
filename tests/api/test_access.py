"""Every route asks for the token, and answers no page of another site."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from cellship.backend.api import deployments, errors, leases, operations, status
from cellship.backend.api.access import Access
from cellship.backend.lines import NobodyAnswers
from cellship.snapshot.errors import CaptureRefused, Detail, NotFound, Refused, UsageProblem

BASE = "http://127.0.0.1:8000"
TOKEN = {"Authorization": "Bearer right"}
ROUTERS = (status.router, leases.router, deployments.router, operations.router)


def application() -> FastAPI:
    app = FastAPI(openapi_url=None)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1")
    errors.install(app)
    app.add_middleware(Access, token="right", port=8000)
    return app


def ask(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(once())


def every_route() -> list[tuple[str, str]]:
    return [
        (method, "/api/v1" + route.path.replace("{", "").replace("}", ""))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]


def test_there_are_routes() -> None:
    assert len(every_route()) > 15


@pytest.mark.parametrize(("method", "path"), every_route())
def test_no_route_answers_without_the_token(method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}):
        answer = ask(application(), method, path, headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "api.token"


@pytest.mark.parametrize(
    ("headers", "status_code"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:8001"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_foreign_sites_are_refused_even_with_the_token(
    headers: dict[str, str], status_code: int
) -> None:
    answer = ask(application(), "GET", "/api/v1/status", {**TOKEN, **headers})
    assert answer.status_code == status_code
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("error", "status_code", "code"),
    [
        (NotFound("There is no deployment x.", code="workspace.no-deployment"), 404, None),
        (Refused("Not now.", code="x.y"), 409, None),
        (UsageProblem("What?", code="x.y", details=(Detail("/a", "a number wanted"),)), 422, None),
        (CaptureRefused("No.", code="x.y"), 422, None),
        (NobodyAnswers("gateway.sock"), 503, "api.part-away"),
        (RuntimeError("a defect"), 500, "api.defect"),
    ],
)
def test_errors_have_one_shape(error: Exception, status_code: int, code: str | None) -> None:
    app = application()

    @app.get("/fails")
    async def fails() -> dict[str, Any]:
        raise error

    answer = ask(app, "GET", "/fails", TOKEN)
    said = answer.json()["error"]
    assert answer.status_code == status_code
    assert set(said) == {"code", "message", "hint", "details", "request_id"}
    assert said["code"] == (code or error.code)  # type: ignore[attr-defined]
    assert answer.headers["X-Request-Id"] == said["request_id"]
    assert "RuntimeError" not in answer.text


def test_unknown_route() -> None:
    answer = ask(application(), "GET", "/api/v1/nothing", TOKEN)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "api.no-such-route"
