"""One mapping from what went wrong to what the caller gets (DESIGN.md 12)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cellship.backend.lines import NobodyAnswers
from cellship.snapshot.errors import (
    CaptureRefused,
    CellshipError,
    Detail,
    NotFound,
    Refused,
    StillGoingOn,
    UsageProblem,
)

LOG = logging.getLogger("cellship.api")
STATUS: dict[type[CellshipError], int] = {
    CaptureRefused: 422,
    UsageProblem: 422,
    NotFound: 404,
    Refused: 409,
    StillGoingOn: 202,
}


def install(app: FastAPI) -> None:
    """Answer every error in one shape."""
    app.add_exception_handler(CellshipError, on_cellship_error)
    app.add_exception_handler(RequestValidationError, on_bad_request)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(NobodyAnswers, on_nobody)
    app.add_exception_handler(Exception, on_defect)


def answer(
    status: int,
    code: str,
    message: str,
    hint: str = "",
    details: Sequence[Detail] = (),
    request_id: str = "",
) -> JSONResponse:
    request_id = request_id or new_request_id()
    error = {
        "code": code,
        "message": message,
        "hint": hint,
        "details": [vars(detail) for detail in details],
        "request_id": request_id,
    }
    return JSONResponse({"error": error}, status, headers={"X-Request-Id": request_id})


def new_request_id() -> str:
    return secrets.token_hex(8)


async def on_cellship_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CellshipError)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    if error.log_text:
        LOG.error("%s: %s", error.code, error.log_text)
    return answer(status, error.code, error.message, error.hint, error.details)


async def on_bad_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = [Detail(pointer(one["loc"]), one["msg"]) for one in error.errors()]
    return answer(422, "api.bad-request", "The request was not understood.", details=details)


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, "api.no-such-route", str(error.detail))


async def on_nobody(_: Request, error: Exception) -> JSONResponse:
    LOG.error("%s", error)
    hint = "It is started again by itself; try once more, then cellship doctor."
    return answer(503, "api.part-away", "A part of the service does not answer just now.", hint)


async def on_defect(request: Request, error: Exception) -> JSONResponse:
    """Ours: the traceback goes to the log, its number to the caller."""
    request_id = new_request_id()
    LOG.error("request %s: %s", request_id, request.url.path, exc_info=error)
    hint = f"run/control.log says more; look for {request_id}."
    return answer(500, "api.defect", "The service made a mistake.", hint, request_id=request_id)


def pointer(location: tuple[Any, ...]) -> str:
    """A JSON pointer of pydantic's location, without the word `body`."""
    return "".join(f"/{part}" for part in location if part != "body")
