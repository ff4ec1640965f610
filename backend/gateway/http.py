"""One HTTP/1.1 connection: its requests are taken one after the other, and answered in order."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol, cast

from cellship.backend.gateway import heads
from cellship.backend.gateway.access_log import AccessLog
from cellship.backend.gateway.answers import CONTINUE, refusal
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.reader import RequestReader, Rules


class Front(Rules, Protocol):
    """What a connection needs of the gateway."""

    log: AccessLog

    def take(self, call: Call) -> None: ...

    def abandon(self, call: Call) -> None: ...

    def connected(self, connection: HttpConnection) -> bool: ...

    def disconnected(self, connection: HttpConnection) -> None: ...


class HttpConnection(asyncio.Protocol):
    """`current` is the call that is being answered; the reader holds those that came behind it.

    A request that cannot be read (`problem`) ends the connection, after the answers before it.
    """

    __slots__ = (
        "_ask_again", "_current", "_discard_until", "_front", "_idle_since", "_paused", "_problem",
        "_pumping", "_reader", "_stalled", "_transport", "_unread",
    )  # fmt: skip

    def __init__(self, front: Front) -> None:
        self._front = front
        self._reader = RequestReader(front, self)
        self._current: Call | None = None
        self._problem: Problem | None = None
        self._pumping = False
        self._paused = False
        self._ask_again = False  # whether the caller is still there
        self._idle_since = time.monotonic()
        self._stalled = 0.0  # since when the caller has not read its answer
        self._unread = 0
        self._discard_until = 0.0

    # -------------------------------------------------------------- transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._front.connected(self):
            self._refuse(heads.too_many())

    def data_received(self, data: bytes) -> None:
        if self._discard_until or self._reader.ended:
            return
        self._problem = self._reader.feed(data)
        self._pump()

    def eof_received(self) -> bool:
        """The caller sends nothing more. Does it wait for its answers, or has it gone?

        A "100 Continue" tells: who waits skips it; for who has gone the system refuses it, and the
        one after it ends the connection.
        """
        reader = self._reader
        reader.ended = True
        if self._discard_until or not (self._current or reader.calls):
            return False
        if not reader.speaks_old_http():
            self._transport.write(CONTINUE)
            self._ask_again = True
        return True

    def pause_writing(self) -> None:
        self._stalled = time.monotonic()
        self._unread = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        self._stalled = 0.0
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.disconnected(self)
        self._reader.drop()
        self._problem = None
        call, self._current = self._current, None
        if call is not None:
            self._front.held -= len(call.body)
            self._front.abandon(call)

    # ---------------------------------------------------------------- answers

    def answered(self, call: Call, status: int, answer: bytes) -> None:
        """Called once per call, with the whole answer."""
        self._front.held -= len(call.body)
        call.caller = None
        call.body = b""
        self._current = None
        self._idle_since = time.monotonic()
        self._front.log.add(call, status, len(answer))
        self._transport.write(answer)
        if call.close:
            self._reader.drop()
            self._problem = None
            self._transport.close()
        elif not self._pumping:
            self._pump()

    def _pump(self) -> None:
        """Take the next call if none is being answered; pause reading while some wait."""
        calls = self._reader.calls
        self._pumping = True
        while calls and self._current is None and not self._stalled:
            self._current = call = calls.popleft()
            self._front.take(call)
        self._pumping = False
        if self._current is None and not calls:
            self._between_calls()
        self._set_reading(not calls and not self._stalled)

    def _between_calls(self) -> None:
        reader = self._reader
        if self._problem is not None:
            self._refuse(self._problem)
        elif reader.ended:
            self._transport.close()
        elif reader.wants_continue:
            reader.wants_continue = False
            self._transport.write(CONTINUE)

    def _refuse(self, problem: Problem) -> None:
        """Answer a request that was not read to its end; go on reading for a while, so that who
        sent it reads the answer instead of a reset."""
        front = self._front
        self._problem = None
        call = self._reader.unread()
        answer = refusal(call, problem)
        front.log.add(call, problem.status, len(answer))
        self._reader.drop()
        self._transport.write(answer)
        self._discard_until = time.monotonic() + front.limits.linger
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _set_reading(self, wanted: bool) -> None:
        if wanted is self._paused and not self._transport.is_closing():
            self._paused = not wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # ------------------------------------------------------------------- time

    def check(self, now: float) -> None:
        """Called every now and then: end what takes too long."""
        reader, limits = self._reader, self._front.limits
        if self._discard_until:
            if now > self._discard_until:
                self._transport.abort()
        elif self._stalled:
            self._check_unread(now)
        elif self._current is not None:
            self._check_caller()
        elif reader.began and now - max(reader.began, self._idle_since) > limits.arrive:
            self._give_up_reading()
        elif not reader.began and now - self._idle_since > limits.idle:
            self._transport.close()

    def drain(self, at_once: bool) -> None:
        """The gateway ends: the last call that is here is the last of this connection."""
        if self._reader.calls:
            self._reader.calls[-1].close = True
        elif self._current is not None:
            self._current.close = True
        elif at_once and not self._reader.arriving:
            self._transport.close()

    def _give_up_reading(self) -> None:
        if self._reader.arriving:
            self._refuse(heads.too_slow(self._front.limits.arrive))
        else:
            self._transport.close()  # nothing ever came

    def _check_caller(self) -> None:
        if self._ask_again:
            self._ask_again = False
            self._transport.write(CONTINUE)

    def _check_unread(self, now: float) -> None:
        unread = self._transport.get_write_buffer_size()
        if unread < self._unread:
            self._unread, self._stalled = unread, now
        elif now - self._stalled > self._front.limits.unread:
            self._transport.abort()
