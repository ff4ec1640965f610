"""One request on its way from the whole HTTP message to its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cellship.backend.gateway.schema import Method
    from cellship.backend.gateway.version import Version


class Caller(Protocol):
    """Who waits for the answer: an HTTP connection."""

    def answered(self, call: Call, status: int, answer: bytes) -> None:
        """Send the whole HTTP answer. Called once per call."""


class Link(Protocol):
    """Who works for the answer: the connection to a replica."""

    id: str
    label: bytes
    ready: asyncio.Event
    retired: bool
    room: int  # calls that it takes at once
    running: dict[int, Call]

    def send(self, call: Call) -> None: ...

    def cancel(self, call: Call) -> None: ...


class Call:
    """Plain fields, no dataclass: one is made per request, on the path that has to be short.

    `caller` is None once the call is answered, or nobody waits for the answer any more; a worker
    may still be busy with it.
    """

    __slots__ = (
        "began",
        "body",
        "caller",
        "close",
        "link",
        "method",
        "path",
        "pinned",
        "request_id",
        "sent",
        "stream",
        "taken",
        "verb",
        "version",
    )

    def __init__(
        self,
        caller: Caller,
        verb: bytes,
        path: bytes,
        request_id: bytes,
        body: bytes,
        began: float,
        close: bool,
    ) -> None:
        self.caller: Caller | None = caller
        self.verb = verb  # "POST"
        self.path = path
        self.request_id = request_id
        self.body = body
        self.began = began
        self.close = close  # the connection ends with this answer
        self.pinned = False  # the caller named the version
        self.method: Method | None = None
        self.version: Version | None = None
        self.link: Link | None = None
        self.taken = 0.0  # when it joined the queue
        self.sent = 0.0  # when it was handed to the worker
        self.stream = 0
