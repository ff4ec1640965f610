"""The end, in order: control plane, gateway once it has drained, replicas; nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

from . import processes
from .family import Child, Family
from .loop import Loop, Timer

PATIENCE = 10.0


class Stop:
    """Ends the children step by step, and then calls `done`."""

    def __init__(
        self,
        loop: Loop,
        family: Family,
        before: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._family = family
        self._before = before
        self._done = done
        self._steps = ["control", "gateway", "replica"]
        self._now = ""
        self._timer: Timer | None = None
        family.on_exit.append(self._ended)
        self._next()

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        while self._steps:
            self._now = self._steps.pop(0)
            self._before(self._now)
            children = self._family.of(self._now)
            for child in children:
                self._family.signal(child, signal.SIGTERM)
            if children:
                self._timer = self._loop.later(PATIENCE, self._kill)
                return
        self._family.on_exit.remove(self._ended)
        end_descendants()
        self._done()

    def _ended(self, child: Child) -> None:
        if not self._family.of(self._now):
            self._next()

    def _kill(self) -> None:
        for child in self._family.of(self._now):
            self._family.signal(child, signal.SIGKILL)


def end_descendants() -> None:
    """Whatever our children started and left to us, the subreaper."""
    while found := processes.children_of(os.getpid()):
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
