"""Looks after a worker's socket while user code keeps the loop from doing it."""

from __future__ import annotations

import threading
import time
from typing import Any

PAUSE = 0.1


class StandIn(threading.Thread):
    """Greets, answers PING, hears SHUTDOWN and CANCEL in place of a loop that is busy for long.

    The loop has `busy` (user code runs), `turns` (grows while the loop gets its turn) and `step()`
    (look at the socket once; holds the loop's lock). This thread looks a few times a second, and
    only while calls come at all. Native code that holds the interpreter's lock keeps it out too.
    """

    def __init__(self, loop: Any) -> None:
        super().__init__(name="cellship-stand-in", daemon=True)
        self.parked = True
        self._loop = loop
        self._called = threading.Event()

    def call(self) -> None:
        """From the loop, which found this thread parked: calls come again."""
        self.parked = False
        self._called.set()

    def run(self) -> None:
        while True:
            self._called.wait()
            self._called.clear()
            self._watch()
            self.parked = True
            # the loop becomes `busy` before it looks at `parked`, so one of the two sees the other
            if self._loop.busy:
                self.call()

    def _watch(self) -> None:
        """Until a look finds nothing going on."""
        seen = -1
        while self._loop.busy or self._loop.turns != seen:
            if self._loop.busy and self._loop.turns == seen:
                self._loop.step()
            seen = self._loop.turns
            time.sleep(PAUSE)
