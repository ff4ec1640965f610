"""HTTP answers as bytes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from cellship.backend.gateway.call import Call
from cellship.backend.gateway.problem import Problem

STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
JSON = "application/json"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class DateHeader:
    """The Date header, made once per second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line


date_header = DateHeader()


def answer(call: Call, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer; without its body where the request was HEAD."""
    lines = [STATUS_LINES.get(status) or STATUS_LINES[500], date_header.line()]
    lines.append(b"Content-Type: application/json\r\n")
    if call.version is not None:
        lines.append(b"Cellship-Version: %b\r\n" % call.version.label)
    if call.link is not None:
        lines.append(b"Cellship-Replica: %b\r\n" % call.link.label)
    for name, value in (headers or {}).items():
        lines.append(f"{name}: {value}\r\n".encode("latin-1", "replace"))
    lines.append(b"X-Request-Id: %b\r\n" % call.request_id)
    lines.append(b"Content-Length: %d\r\n" % len(body))
    lines.append(b"Connection: close\r\n\r\n" if call.close else b"\r\n")
    if call.verb != b"HEAD":
        lines.append(body)
    return b"".join(lines)


def refusal(call: Call, problem: Problem) -> bytes:
    return answer(call, problem.status, problem.body(call.request_id.decode()), problem.headers)
