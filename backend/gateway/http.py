"""One HTTP/1.1 connection: requests are read, taken one after the other, and answered in order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol, cast

import httptools

from cellship.backend.gateway import heads
from cellship.backend.gateway.access_log import AccessLog
from cellship.backend.gateway.answers import CONTINUE, refusal
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.problem import Problem

KEPT, PLAIN = heads.KEPT, heads.PLAIN


class Front(Protocol):
    """What a connection needs of the gateway."""

    limits: Limits
    log: AccessLog
    hosts: frozenset[bytes]
    max_body: int
    draining: bool

    def take(self, call: Call) -> None: ...

    def abandon(self, call: Call) -> None: ...

    def request_id(self, given: bytes | None) -> bytes: ...

    def connected(self, connection: HttpConnection) -> bool: ...

    def disconnected(self, connection: HttpConnection) -> None: ...


class HttpConnection(asyncio.Protocol):
    """`current` is the call that is being answered, `waiting` those that were sent behind it.

    A request that cannot be read on (`ending`) ends the connection, after the answers before it.
    """

    __slots__ = (
        "_ask_again", "_began", "_body", "_chunk", "_continue", "_current", "_discard_until",
        "_ending", "_front", "_head", "_head_seen", "_head_size", "_idle_since", "_in_head",
        "_last", "_parser", "_paused", "_pumping", "_size", "_special", "_stalled", "_transport",
        "_unread", "_url", "_waiting",
    )  # fmt: skip

    def __init__(self, front: Front) -> None:
        self._front = front
        self._parser = httptools.HttpRequestParser(self)
        self._current: Call | None = None
        self._waiting: deque[Call] = deque()
        self._ending: Problem | None = None
        self._last = False  # nothing more is read after the calls that are here
        self._pumping = False
        self._paused = False
        self._ask_again = False  # whether the caller is still there
        self._continue = False  # the sender waits for "100 Continue"
        self._began = time.monotonic()  # first byte of the request that arrives; 0.0 if none does
        self._idle_since = self._began
        self._stalled = 0.0  # since when the caller has not read its answer
        self._unread = 0
        self._discard_until = 0.0
        self._chunk = 0
        self.on_message_begin()
        self._in_head = False

    # ---------------------------------------------------------------- parsing

    def on_message_begin(self) -> None:
        self._url = b""
        self._head: dict[bytes, bytes] = {}
        self._head_size = 0
        self._head_seen = -self._chunk  # bytes of an unfinished head, but for the first piece
        self._in_head = True
        self._special = False
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        kept = KEPT.get(name) or KEPT.get(name.lower())
        if kept is not None:
            if kept in self._head:
                raise heads.malformed(f"{kept.decode()} is there twice")
            self._head[kept] = value
            if kept not in PLAIN:
                self._special = True

    def on_headers_complete(self) -> None:
        front, head = self._front, self._head
        self._in_head = False
        if self._head_size + len(self._url) > front.limits.head:
            raise heads.head_too_large(front.limits.head)
        if head.get(b"host") not in front.hosts:
            old_http = self._parser.get_http_version() == "1.0"
            heads.check_host(head, front.hosts, old_http)
        if not self._url.startswith(b"/"):
            heads.check_absolute(self._url, front.hosts)
        if int(head.get(b"content-length", 0)) > front.max_body:
            raise heads.too_large(front.max_body)
        if self._special:
            heads.check_site(head, front.hosts)
            self._continue = heads.check_wishes(head)
            self._send_continue()

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._front.max_body:
            raise heads.too_large(self._front.max_body)
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._last:
            return
        body = self._body
        close = not self._parser.should_keep_alive()
        self._waiting.append(
            Call(
                self,
                self._parser.get_method(),
                self._url,
                self._front.request_id(self._head.get(b"x-request-id")),
                body[0] if len(body) == 1 else b"".join(body),
                self._began or time.monotonic(),
                close or self._front.draining or self._old_http(),
            )
        )
        self._last = close
        self._began = 0.0

    def _old_http(self) -> bool:
        """HTTP/1.0 is answered, and its connection closed, whatever it asks for."""
        return b"connection" in self._head and self._parser.get_http_version() == "1.0"

    # -------------------------------------------------------------- transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._front.connected(self):
            self._refuse(heads.too_many())

    def data_received(self, data: bytes) -> None:
        if self._discard_until or self._last:
            return
        if not self._began:
            self._began = time.monotonic()
        self._chunk = len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._ending = heads.malformed("it asks for another protocol")
        except httptools.HttpParserError as error:
            reason = error.__context__
            self._ending = reason if isinstance(reason, Problem) else heads.malformed(str(error))
        if self._in_head:
            self._head_seen += self._chunk
            if self._head_seen > self._front.limits.head and self._ending is None:
                self._ending = heads.head_too_large(self._front.limits.head)
        self._pump()

    def eof_received(self) -> bool:
        """The caller sends nothing more. Does it wait for its answers, or has it gone?

        A "100 Continue" tells: who waits skips it; for who has gone the system refuses it, and the
        one after it ends the connection.
        """
        self._last = True
        if self._discard_until or not (self._current or self._waiting):
            return False
        if self._parser.get_http_version() != "1.0":
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
        self._waiting.clear()
        self._ending = None
        self._last = True
        if self._current is not None:
            self._front.abandon(self._current)
            self._current = None

    # ---------------------------------------------------------------- answers

    def answered(self, call: Call, status: int, answer: bytes) -> None:
        """Called once per call, with the whole answer."""
        call.caller = None
        call.body = b""
        self._current = None
        self._front.log.add(call, status, len(answer))
        self._transport.write(answer)
        if call.close:
            self._waiting.clear()
            self._ending = None
            self._last = True
            self._transport.close()
        elif not self._pumping:
            self._pump()

    def _pump(self) -> None:
        """Take the next call if none is being answered; pause reading while some wait."""
        self._pumping = True
        while self._waiting and self._current is None and not self._stalled:
            self._current = call = self._waiting.popleft()
            self._front.take(call)
        self._pumping = False
        if self._current is None and not self._waiting:
            self._between_calls()
        self._set_reading(not self._waiting and not self._stalled)

    def _between_calls(self) -> None:
        if self._ending is not None:
            self._refuse(self._ending)
        elif self._last:
            self._transport.close()
        else:
            self._idle_since = time.monotonic()
            self._send_continue()

    def _refuse(self, problem: Problem) -> None:
        """Answer a request that was not read to its end; go on reading for a while, so that who
        sent it reads the answer instead of a reset."""
        self._ending = None
        front = self._front
        verb = self._parser.get_method() if self._url else b"-"
        call = Call(
            self,
            verb,
            self._url or b"-",
            front.request_id(None),
            b"",
            self._began or time.monotonic(),
            True,
        )
        answer = refusal(call, problem)
        front.log.add(call, problem.status, len(answer))
        self._transport.write(answer)
        self._discard_until = time.monotonic() + front.limits.linger
        self._body = []
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _send_continue(self) -> None:
        if self._continue and self._current is None and not self._waiting:
            self._continue = False
            self._transport.write(CONTINUE)

    # ------------------------------------------------------------------- time

    def check(self, now: float) -> None:
        """Called every now and then: end what takes too long."""
        limits = self._front.limits
        if self._discard_until:
            if now > self._discard_until:
                self._transport.abort()
        elif self._stalled:
            self._check_unread(now)
        elif self._current is not None:
            if self._ask_again:
                self._ask_again = False
                self._transport.write(CONTINUE)
        elif self._began and now - self._began > limits.arrive:
            self._give_up_reading()
        elif not self._began and now - self._idle_since > limits.idle:
            self._transport.close()

    def drain(self, at_once: bool) -> None:
        """The gateway ends: the last call that is here is the last of this connection."""
        calls = [*([self._current] if self._current else []), *self._waiting]
        if calls:
            calls[-1].close = True
        elif at_once and not self._began:
            self._transport.close()

    def _give_up_reading(self) -> None:
        if self._in_head or self._url:
            self._refuse(heads.too_slow(self._front.limits.arrive))
        else:
            self._transport.close()  # nothing ever came

    def _check_unread(self, now: float) -> None:
        unread = self._transport.get_write_buffer_size()
        if unread < self._unread:
            self._unread, self._stalled = unread, now
        elif now - self._stalled > self._front.limits.unread:
            self._transport.abort()

    def _set_reading(self, wanted: bool) -> None:
        if wanted is self._paused and not self._transport.is_closing():
            self._paused = not wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()
