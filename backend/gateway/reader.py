"""The bytes of one connection become calls; what breaks a rule becomes a Problem."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

import httptools

from cellship.backend.gateway import heads
from cellship.backend.gateway.call import Call, Caller
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.problem import Problem

KEPT, PLAIN = heads.KEPT, heads.PLAIN


class Rules(Protocol):
    """What is allowed, and what is held in memory on behalf of callers."""

    limits: Limits
    hosts: frozenset[bytes]
    max_body: int
    draining: bool
    held: int  # bytes of bodies that have arrived and were not answered

    def request_id(self, given: bytes | None) -> bytes: ...


class RequestReader:
    """`calls` are the whole requests in their order.

    After a Problem, and after a request that ends the connection (`ended`), nothing is read on.
    """

    __slots__ = (
        "_body", "_caller", "_chunk", "_head", "_head_seen", "_head_size", "_in_head", "_parser",
        "_rules", "_size", "_special", "_url", "arriving", "began", "calls", "ended",
        "wants_continue",
    )  # fmt: skip

    def __init__(self, rules: Rules, caller: Caller) -> None:
        self._rules = rules
        self._caller = caller
        self._parser = httptools.HttpRequestParser(self)
        self.calls: deque[Call] = deque()
        self.ended = False
        self.began = time.monotonic()  # first byte of the request that arrives; 0.0 if none does
        self.wants_continue = False  # the sender waits for "100 Continue"
        self._chunk = 0
        self._head: dict[bytes, bytes]
        self._body: list[bytes]
        self._size: int
        self.on_message_begin()
        self.arriving = self._in_head = False

    def feed(self, data: bytes) -> Problem | None:
        """Read on. A Problem is about the request after `calls`, which cannot be read."""
        self._chunk = len(data)
        if not self.began:
            self.began = time.monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return heads.malformed("it asks for another protocol")
        except httptools.HttpParserError as error:
            reason = error.__context__
            return reason if isinstance(reason, Problem) else heads.malformed(str(error))
        return self._check_head_size() if self._in_head else None

    def unread(self) -> Call:
        """Stands for the request that could not be read, to be answered and logged."""
        verb, url = (self._parser.get_method(), self._url) if self._url else (b"-", b"-")
        return Call(
            self._caller, verb, url, self._rules.request_id(None), b"", self.began, close=True
        )

    def speaks_old_http(self) -> bool:
        return self._parser.get_http_version() == "1.0"

    def drop(self) -> None:
        """Nobody answers what is here any more."""
        self._rules.held -= self._size + sum(len(call.body) for call in self.calls)
        self._size = 0
        self._body = []
        self.calls.clear()
        self.ended = True

    # --------------------------------------------------- called by the parser

    def on_message_begin(self) -> None:
        self._url = b""
        self._head = {}
        self._head_size = 0
        self._head_seen = -self._chunk  # bytes of an unfinished head, but for the first piece
        self.arriving = self._in_head = True
        self._special = False
        self._body = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        kept = KEPT.get(name)
        if kept is None:
            kept = KEPT.get(name.lower())
        if kept:
            if kept in self._head:
                raise heads.malformed(f"{kept.decode()} is there twice")
            self._head[kept] = value
            if kept not in PLAIN:
                self._special = True

    def on_headers_complete(self) -> None:
        rules, head = self._rules, self._head
        self._in_head = False
        if self._head_size + len(self._url) > rules.limits.head:
            raise heads.head_too_large(rules.limits.head)
        if head.get(b"host") not in rules.hosts:
            heads.check_host(head, rules.hosts, self.speaks_old_http())
        if not self._url.startswith(b"/"):
            heads.check_absolute(self._url, rules.hosts)
        if int(head.get(b"content-length", 0)) > rules.max_body:
            raise heads.too_large(rules.max_body)
        if self._special:
            heads.check_site(head, rules.hosts)
            self.wants_continue = heads.check_wishes(head)

    def on_body(self, body: bytes) -> None:
        rules = self._rules
        self._size += len(body)
        rules.held += len(body)
        if self._size > rules.max_body:
            raise heads.too_large(rules.max_body)
        if rules.held > rules.limits.held:
            raise heads.too_much_at_once()
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.arriving = self.wants_continue = False
        body = self._body
        close = not self._parser.should_keep_alive() or self._rules.draining
        if b"connection" in self._head and self.speaks_old_http():
            close = True  # HTTP/1.0 is answered, and its connection closed, whatever it asks for
        if not self.ended:
            call = Call(
                self._caller,
                self._parser.get_method(),
                self._url,
                self._rules.request_id(self._head.get(b"x-request-id")),
                body[0] if len(body) == 1 else b"".join(body),
                self.began or time.monotonic(),
                close,
            )
            self.calls.append(call)
            self._size = 0  # counted with the call from now on
        self.ended = self.ended or close
        self.began = 0.0

    def _check_head_size(self) -> Problem | None:
        """A head that has not ended may already be too large."""
        self._head_seen += self._chunk
        limit = self._rules.limits.head
        return heads.head_too_large(limit) if self._head_seen > limit else None
