"""Requests and errors per second, deployment and version; of the last two minutes."""

from __future__ import annotations

import time
from collections import deque

KEPT = 120


class Counter:
    """What one version answered since the last turn of the clock. Errors: from 500 on.

    `lost`: calls since the start that no worker answered: refused for want of one, cut, too late.
    """

    __slots__ = ("errors", "lost", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0
        self.lost = 0


class Counts:
    """The counters of all versions, and what they showed in each second."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, int | None], Counter] = {}
        self._seconds: deque[tuple[int, str, int | None, int, int]] = deque()

    def of(self, name: str, version: int | None) -> Counter:
        """The counter of a version; of a deployment's answers without one where that is None."""
        return self._counters.setdefault((name, version), Counter())

    def turn(self, now: float) -> None:
        """Note what was counted since the last turn as of this second, and forget what is old."""
        second = int(now)
        for (name, version), counter in self._counters.items():
            if counter.requests:
                self._note(second, name, version, counter)
                counter.requests = counter.errors = 0
        while self._seconds and self._seconds[0][0] <= second - KEPT:
            self._seconds.popleft()

    def _note(self, second: int, name: str, version: int | None, counter: Counter) -> None:
        for at in range(len(self._seconds) - 1, -1, -1):
            old = self._seconds[at]
            if old[0] != second:
                break
            if old[1:3] == (name, version):
                total = (old[3] + counter.requests, old[4] + counter.errors)
                self._seconds[at] = (second, name, version, *total)
                return
        self._seconds.append((second, name, version, counter.requests, counter.errors))

    def report(self) -> dict[str, object]:
        now = time.time()
        self.turn(now)
        lost: dict[str, int] = {}
        for (name, _), counter in self._counters.items():
            lost[name] = lost.get(name, 0) + counter.lost
        return {"now": now, "seconds": [list(one) for one in self._seconds], "lost": lost}
