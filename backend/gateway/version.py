"""One version of a deployment as it answers: its methods, its replicas, the calls that wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from cellship.backend.gateway.answers import answer, refusal
from cellship.backend.gateway.call import Call, Link
from cellship.backend.gateway.counts import Counter
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.schema import Method
from cellship.backend.gateway.table import VersionEntry

ASYNC_CONCURRENCY = 64


class Version:
    """`waiting` is first come, first served; a replica that becomes free takes from it."""

    def __init__(
        self,
        name: str,
        entry: VersionEntry,
        methods: Mapping[str, Method],
        counter: Counter,
        queue_is_full: Callable[[], bool],
    ) -> None:
        self.name = name
        self.entry = entry
        self.number = entry.number
        self.label = f"{name}@{entry.number}".encode("ascii")
        self.methods = methods
        self.counter = counter
        self.timeout = entry.timeout
        self.is_async = any(method.is_async for method in methods.values())
        self.concurrency = entry.concurrency or (ASYNC_CONCURRENCY if self.is_async else 1)
        self.links: list[Link] = []
        self.waiting: deque[Call] = deque()
        self._queue_is_full = queue_is_full

    def submit(self, call: Call) -> None:
        """Send the call to a free replica, or have it wait. Raises Problem (503)."""
        link = self._free_link()
        if link is not None:
            link.send(call)
            return
        if not self.links and not self.entry.starting:
            raise unreachable(self.label.decode())
        if self._queue_is_full():
            raise queue_full(self.name)
        call.taken = time.monotonic()
        self.waiting.append(call)

    def refill(self, link: Link) -> None:
        """Give a replica that has room the calls that wait."""
        waiting = self.waiting
        if link.retired or not link.ready.is_set():
            return
        while waiting and len(link.running) < link.room:
            link.send(waiting.popleft())

    def give_up_waiting(self, since: float) -> None:
        """Refuse the calls that have waited since then although no replica can be reached."""
        if any(link.ready.is_set() for link in self.links):
            return
        while self.waiting and self.waiting[0].taken <= since:
            self.refuse(self.waiting.popleft(), unreachable(self.label.decode()))

    def died(self, call: Call) -> None:
        self.refuse(call, died(call))

    def too_late(self, call: Call) -> None:
        self.refuse(call, too_late(call, self.timeout))

    def refuse(self, call: Call, problem: Problem) -> None:
        self._count(problem.status)
        if problem.status >= 500:
            self.counter.lost += 1
        self._hand(call, problem.status, refusal(call, problem))

    def fail(self, call: Call, status: int, body: bytes) -> None:
        """The worker's own error."""
        self._count(status)
        self._hand(call, status, answer(call, status, body))

    def _free_link(self) -> Link | None:
        best, least = None, 0
        for link in self.links:
            busy = len(link.running)
            free = busy < link.room and not link.retired and link.ready.is_set()
            if free and (best is None or busy < least):
                best, least = link, busy
        return best

    def _count(self, status: int) -> None:
        self.counter.requests += 1
        if status >= 500:
            self.counter.errors += 1

    def _hand(self, call: Call, status: int, whole: bytes) -> None:
        if call.caller is not None:
            call.caller.answered(call, status, whole)


def queue_full(name: str) -> Problem:
    message = f"Too many calls of {name} are waiting already."
    return Problem(
        503, "queue.full", message, "Try again in a moment.", headers={"Retry-After": "1"}
    )


def unreachable(label: str) -> Problem:
    message = f"No replica of {label} answers at the moment."
    return Problem(
        503, "replica.none", message, "Try again in a moment.", headers={"Retry-After": "1"}
    )


def died(call: Call) -> Problem:
    label = call.version.label.decode() if call.version else "the version"
    message = f"The worker of {label} died while it had this call; the call may have had effects."
    name = label.partition("@")[0]
    return Problem(502, "replica.died", message, f"cellship logs {name}")


def too_late(call: Call, timeout: float) -> Problem:
    label = call.version.label.decode() if call.version else "The version"
    message = f"{label} did not answer within {timeout:g} s."
    name = label.partition("@")[0]
    return Problem(504, "call.timeout", message, f"cellship logs {name}")
