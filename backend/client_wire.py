"""Requests to the API: the token, the limits, a second try where that is safe, errors as ours."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from cellship.backend.client_answers import Json
from cellship.backend.locate import Connection
from cellship.snapshot.errors import (
    CaptureRefused,
    CellshipError,
    Detail,
    NoBackend,
    NotFound,
    Refused,
    StillGoingOn,
    UsageProblem,
)

CONNECT_LIMIT = 5.0
QUICK = 60.0
MOVED = 180.0  # longer than the service waits for a version that was stopped
SLOW = 3600.0  # admit imports and calls the user's code; an interrupt ends it sooner
AWAY_FOR = 10.0  # within which a control plane that was killed is back
AGAIN_AFTER = 0.1


class Wire:
    """One service that is asked over HTTP."""

    def __init__(self, found: Connection) -> None:
        self._found = found
        self._answered = False
        self._http = requests.Session()
        self._http.auth = Bearer(found.token)
        # a proxy of the environment cannot reach this host's own loopback
        self._http.trust_env = not is_loopback(found.address)

    def ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        limit: float = QUICK,
        *,
        query: Mapping[str, Any] | None = None,
        ships: bool = False,
    ) -> Any:
        """The JSON of the answer. Raises CellshipError.

        What changes nothing, and each step of a deploy, is asked again while a control plane that
        answered before restarts; a rollback is not: it might go back twice.
        """
        safe = method in ("GET", "DELETE") or ships
        deadline = time.monotonic() + (AWAY_FOR if safe and self._answered else 0)
        while True:
            try:
                response = self._send(method, path, body, limit, query)
                break
            except requests.ConnectionError as error:
                if time.monotonic() >= deadline:
                    raise no_answer(self._found, error) from error
                time.sleep(AGAIN_AFTER)
            except requests.RequestException as error:
                raise no_answer(self._found, error) from error
        self._answered = True
        if response.ok and response.status_code != 202:  # 202: the wait ended, the work has not
            return response.json() if response.content else {}
        raise api_error(response.status_code, response.content, ships=ships)

    def _send(
        self,
        method: str,
        path: str,
        body: Json | None,
        limit: float,
        query: Mapping[str, Any] | None,
    ) -> requests.Response:
        return self._http.request(
            method,
            f"{self._found.address}/api/v1{path}",
            json=body,
            params={key: value for key, value in (query or {}).items() if value is not None},
            timeout=(CONNECT_LIMIT, limit),
            allow_redirects=False,
        )


class Bearer(AuthBase):
    """The owner's token; as `auth`, because a .netrc would overwrite a plain header."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def api_error(status: int, content: bytes, *, ships: bool = False) -> CellshipError:
    """The error of an answer (DESIGN.md 12), as the class that says what its reader should do."""
    try:
        said = json.loads(content)["error"]
        message = str(said["message"])
    except (ValueError, KeyError, TypeError):
        return CellshipError(
            f"The service answered {status} without a reason.", code="client.answer"
        )
    code = str(said.get("code") or "failed")
    return error_class(status, ships and not code.startswith("api."))(
        message,
        code=code,
        hint=str(said.get("hint") or ""),
        details=tuple(
            Detail(str(one.get("path", "")), str(one.get("message", "")))
            for one in said.get("details") or ()
        ),
        request_id=str(said.get("request_id") or ""),
    )


def error_class(status: int, ships: bool) -> type[CellshipError]:
    if status == 404:
        return NotFound
    if ships and status == 422:
        return CaptureRefused
    if status in (400, 413, 422):
        return UsageProblem
    if status == 202:
        return StillGoingOn
    if status in (401, 403, 409, 410, 421, 423):
        return Refused
    return CellshipError


def no_answer(found: Connection, error: Exception) -> NoBackend:
    where = f" (data folder {found.data})" if found.data else ""
    return NoBackend(
        f"The Cellship service at {found.address} does not answer{where}.",
        code="backend.no-answer",
        hint="cellship up starts it; cellship doctor says more."
        if found.data
        else "See CELLSHIP_URL.",
        log_text=str(error),
    )


def is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
