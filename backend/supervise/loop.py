"""A single-threaded loop: descriptors, timers, and signals by way of a pipe."""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from .complain import complain

Callback = Callable[[], None]


@dataclass(order=True)
class Timer:
    """A call in the future; `cancel` makes it none."""

    when: float
    order: int
    call: Callback | None = field(compare=False)

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Runs callbacks until `stop`. Times are of the monotonic clock."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._on_signal: dict[int, Callback] = {}
        self._running = True
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self.watch(self._read_end, self._signals)

    def watch(self, fd: int, call: Callback, events: int = selectors.EVENT_READ) -> None:
        """Call whenever the descriptor is ready; watching it again replaces what was."""
        try:
            self._selector.modify(fd, events, call)
        except KeyError:
            self._selector.register(fd, events, call)

    def forget(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def later(self, seconds: float, call: Callback) -> Timer:
        timer = Timer(time.monotonic() + seconds, next(self._order), call)
        heapq.heappush(self._timers, timer)
        return timer

    def on_signal(self, number: int, call: Callback) -> None:
        # a handler in Python, not SIG_IGN: what is ignored would stay ignored in every child
        signal.signal(number, lambda *_: None)
        self._on_signal[number] = call

    def run(self) -> None:
        while self._running:
            for key, _ in self._selector.select(self._pause()):
                # an earlier callback of this turn may have let go of this descriptor
                if key.fd in self._selector.get_map():
                    guarded(key.data)
            self._run_timers()

    def stop(self) -> None:
        self._running = False

    def _pause(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, self._timers[0].when - time.monotonic())

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0].when <= now:
            timer = heapq.heappop(self._timers)
            if timer.call is not None:
                guarded(timer.call)

    def _signals(self) -> None:
        try:
            numbers = os.read(self._read_end, 4096)
        except BlockingIOError:
            return
        for number in set(numbers):
            if number in self._on_signal:
                self._on_signal[number]()


def guarded(call: Callback) -> None:
    """A defect in one callback must not end the parent of everything."""
    try:
        call()
    except Exception:
        complain(traceback.format_exc())
