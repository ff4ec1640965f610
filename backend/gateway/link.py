"""The connection to one replica: calls go out as frames, answers come back in any order."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import cast

from cellship.backend.gateway.answers import date_header
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.pace import Pace
from cellship.backend.gateway.problem import error_body
from cellship.backend.gateway.table import ReplicaEntry
from cellship.backend.gateway.version import Version
from cellship.backend.worker.frames import (
    AFTER_LENGTH,
    HEADER,
    LOSSY,
    BadFrame,
    Kind,
    Parser,
    frame,
)

CALL, ANSWER, FAIL = int(Kind.CALL), int(Kind.ANSWER), int(Kind.FAIL)
STOPPING = "replica.stopping"  # the worker's word that the call did not run
SMALL = 64 * 1024  # bodies up to here are copied into their frame
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
HELLO_LIMIT = 5.0


class ReplicaLink(asyncio.Protocol):
    """Keeps a connection to a replica as long as the table names it.

    `running` holds the calls whose frames were written, by stream: who waits, since when, and how
    much room is left. A call is taken off only by its answer or by the end of the connection, so
    that a replica that hangs is never believed to be free.
    """

    def __init__(
        self,
        entry: ReplicaEntry,
        version: Version,
        limits: Limits,
        take_again: Callable[[Call], None],
    ) -> None:
        self.id = entry.id
        self.label = entry.id.encode("ascii")
        self.entry = entry
        self.version = version
        self.ready = asyncio.Event()
        self.room = 1
        self.running: dict[int, Call] = {}
        self.retired = False
        self._was_ready = False
        self._known = False  # its HELLO was the right one
        self._take_again = take_again  # a call that no worker has begun
        self._stream = 0
        self._sent_through = 0
        self._outgoing: list[bytes] = []
        self._pace = Pace(limits)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._ended = asyncio.Event()
        self._parser = Parser()
        self._task: asyncio.Task[None] | None = None
        self.belongs_to(version)

    def belongs_to(self, version: Version) -> None:
        """A new table is in effect: the same replica, its version's new record."""
        self.version = version
        self._concurrency = version.concurrency
        self._set_room()
        self._head = (
            b"Content-Type: application/json\r\nCellship-Version: %b\r\nCellship-Replica: %b\r\n"
            b"X-Request-Id: " % (version.label, self.label)
        )

    # ------------------------------------------------------------------ calls

    def send(self, call: Call) -> None:
        """Hand a call to the worker; the frames of one turn of the loop are written together."""
        self._stream = stream = self._stream + 1
        call.link = self
        call.stream = stream
        call.sent = time.monotonic()
        self.running[stream] = call
        if len(self.running) == 1:
            self._pace.begin(call.sent)
        method, request_id, body = call.method, call.request_id, call.body
        assert method is not None
        length = AFTER_LENGTH + len(method.frame_prefix) + 1 + len(request_id) + len(body)
        head = b"%b%b%c%b" % (
            HEADER.pack(length, CALL, 0, 0, stream),
            method.frame_prefix,
            len(request_id),
            request_id,
        )
        if len(body) <= SMALL:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)

    def cancel(self, call: Call) -> None:
        """Nobody waits for this call any more; it stays in `running` until the worker is done."""
        call.caller = None
        if call.stream in self.running:
            self._write(frame(Kind.CANCEL, call.stream))

    def overdue(self, now: float) -> list[Call]:
        """The calls that the worker has had for longer than their timeout, answered or not."""
        late = []
        limit = now - self.version.timeout
        for call in self.running.values():  # in the order in which they were sent
            if call.sent > limit:
                break
            late.append(call)
        return late

    def _write(self, data: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(data)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self._transport is None:
            return
        self._sent_through = self._stream
        if len(outgoing) == 1:
            self._transport.write(outgoing[0])
        else:
            self._transport.writelines(outgoing)

    # ---------------------------------------------------------------- answers

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._parser.feed(data)
        except BadFrame as error:
            self._complain(f"does not speak frames: {error}")
            self._abort()
            return
        answered = 0
        for kind, flags, stream, payload in frames:
            if kind == ANSWER:
                answered += 1
                call = self.running.pop(stream, None)
                if call is not None and call.caller is not None:
                    self._answer(call, payload, flags)
            elif kind == FAIL and stream:
                answered += 1
                call = self.running.pop(stream, None)
                if call is not None and call.caller is not None:
                    self._fail(call, payload)
            else:
                self._hear(kind, payload)
        if answered:
            self._pace.answered(answered, time.monotonic())
            self._set_room()
            if self.version.waiting:
                self.version.refill(self)
            if self.retired and not self.running:
                self._close()

    def _answer(self, call: Call, body: bytes, flags: int) -> None:
        version = self.version
        version.counter.requests += 1
        answer = b"HTTP/1.1 200 OK\r\n%b%b%b%bContent-Length: %d%b%b" % (
            date_header.line(),
            self._head,
            call.request_id,
            b"\r\nCellship-Lossy: nan\r\n" if flags & LOSSY else b"\r\n",
            len(body),
            b"\r\nConnection: close\r\n\r\n" if call.close else b"\r\n\r\n",
            body,
        )
        assert call.caller is not None
        call.caller.answered(call, 200, answer)

    def _fail(self, call: Call, payload: bytes) -> None:
        try:
            facts = json.loads(payload)
            status, error = int(facts["status"]), facts["error"]
            body = error_body(error, call.request_id.decode())
        except (ValueError, KeyError, TypeError, AttributeError):
            status, error, body = 500, {}, error_body({}, call.request_id.decode())
        if error.get("code") == STOPPING:
            self.ready.clear()
            self._again(call)
        else:
            self.version.fail(call, status if 400 <= status <= 599 else 500, body)

    def _set_room(self) -> None:
        self.room = self._concurrency + (0 if self.version.is_async else self._pace.ahead)

    # ------------------------------------------------------------- connection

    def start(self) -> None:
        """Connect, and connect again whenever the connection ends, until `retire`."""
        self._task = self._loop.create_task(self._keep_connected())

    def retire(self) -> None:
        """Left by the table: take no more calls, close after the last answer."""
        self.retired = True
        if not self.running:
            self._close()

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE
        while not self.retired:
            self._ended.clear()
            try:
                await self._loop.create_unix_connection(lambda: self, self.entry.socket)
                await self._ended.wait()
            except OSError:
                pass  # not there yet, or gone: the pause grows
            pause = FIRST_PAUSE if self._was_ready else min(pause * 2, LONGEST_PAUSE)
            self._was_ready = False
            if not self.retired:
                await asyncio.sleep(pause)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._parser = Parser()
        self._known = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.ready.clear()
        self._ended.set()
        lost, self.running = self.running, {}
        self._outgoing = []
        for stream, call in lost.items():
            if call.caller is None:
                continue
            # a frame that was not written is a call that no worker has seen
            if stream > self._sent_through:
                self._again(call)
            else:
                self.version.died(call)

    def _again(self, call: Call) -> None:
        call.link = None
        self._take_again(call)

    def _hear(self, kind: int, payload: bytes) -> None:
        if kind == Kind.HELLO:
            self._hello(payload)
        elif kind == Kind.READY and self._known:
            self._become_ready()
        elif kind == FAIL:
            self._complain("could not load its snapshot")

    def _hello(self, payload: bytes) -> None:
        wanted, hello = self.entry, parse_hello(payload)
        named = wanted.digest is None or hello.get("snapshot") == wanted.digest
        if hello.get("replica") != wanted.id or not named:
            self._complain(f"is {hello.get('replica')} with snapshot {hello.get('snapshot')}")
            self._abort()
            return
        self._known = True
        if hello.get("state") == "ready":
            self._become_ready()

    def _become_ready(self) -> None:
        self._was_ready = True
        self.ready.set()
        self.version.refill(self)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        elif self._task is not None:
            self._task.cancel()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _complain(self, what: str) -> None:
        print(f"replica {self.id} of {self.version.label.decode()} {what}", file=sys.stderr)


def parse_hello(payload: bytes) -> dict[str, object]:
    """Who a worker says it is; nobody where that cannot be read."""
    try:
        hello = json.loads(payload)
    except ValueError:
        return {}
    return hello if isinstance(hello, dict) else {}
