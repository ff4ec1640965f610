"""A child that must run: started again when it ends, ever more slowly if it ends at once."""

from __future__ import annotations

import time
from collections.abc import Callable

from .complain import complain
from .family import Child, Family
from .loop import Loop, Timer
from .spawn import Order

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
LONG_ALIVE = 10.0


class Kept:
    """The gateway or the control plane. `order` is made anew for each start."""

    def __init__(self, loop: Loop, family: Family, order: Callable[[], Order]) -> None:
        self._loop = loop
        self._family = family
        self._order = order
        self._pause = FIRST_PAUSE
        self._began = 0.0
        self._timer: Timer | None = None
        self._child: Child | None = None
        family.on_exit.append(self._ended)

    def start(self) -> None:
        """Start it now, and whenever it ends."""
        order = self._order()
        self._began = time.monotonic()
        try:
            self._child = self._family.spawn(order, order.id)
        except OSError as error:
            complain(f"{order.id} could not be started: {error}")
            self._again()

    def leave(self) -> None:
        """Start it no more."""
        self._family.on_exit.remove(self._ended)
        if self._timer is not None:
            self._timer.cancel()

    def _ended(self, child: Child) -> None:
        if child is self._child:
            self._again()

    def _again(self) -> None:
        if time.monotonic() - self._began >= LONG_ALIVE:
            self._pause = FIRST_PAUSE
        self._timer = self._loop.later(self._pause, self.start)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
