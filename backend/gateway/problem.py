"""A request that is refused, or failed: what its caller reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Detail:
    """One wrong place in the input: a JSON pointer, and what was wanted there."""

    path: str
    message: str


class Problem(Exception):
    """An answer in the error shape (DESIGN.md 12). `code` is explained in `codes.py`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        details: tuple[Detail, ...] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
        self.headers = headers

    def body(self, request_id: str) -> bytes:
        details = [{"path": one.path, "message": one.message} for one in self.details]
        error = {"code": self.code, "message": self.message, "hint": self.hint, "details": details}
        return error_body(error, request_id)


def error_body(error: Mapping[str, Any], request_id: str) -> bytes:
    """The JSON text of an error; what a worker's error lacks is filled in."""
    whole = {
        "code": str(error.get("code") or "call.failed"),
        "message": str(error.get("message") or "The call failed."),
        "hint": str(error.get("hint") or ""),
        "details": error.get("details") or [],
        "request_id": request_id,
    }
    return json.dumps({"error": whole}, ensure_ascii=False).encode("utf-8", "backslashreplace")
