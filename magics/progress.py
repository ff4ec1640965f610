"""What is going on, in one passing line: shown when it takes long, gone when it is done."""

from __future__ import annotations

import contextvars
import threading
import time
from types import TracebackType

from cellship.magics.surface import Surface
from cellship.magics.words import seconds, size

SHOWN_AFTER = 2.0
EVERY = 1.0


class Progress:
    """Shows the current step after 2 s, at most once a second; a failure leaves nothing behind.

    After success the result takes the line's place: see `Surface.show`.
    """

    def __init__(
        self, surface: Surface, subject: str, after: float = SHOWN_AFTER, every: float = EVERY
    ) -> None:
        self.surface = surface
        self.subject = subject
        self.after = after
        self.every = every
        self.began = time.monotonic()
        self._text = ""
        self._done = 0
        self._total = 0
        self._end = threading.Event()
        # an own context, so that the lines belong to the cell that is running
        self._thread = threading.Thread(
            target=contextvars.copy_context().run, args=(self._keep_showing,), daemon=True
        )

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        if error is not None:
            self.surface.erase()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def step(self, text: str, total: int = 0) -> None:
        """What begins now; `total` bytes will move."""
        self._text, self._done, self._total = text, 0, total

    def advance(self, count: int) -> None:
        """So many bytes more have moved."""
        self._done += count

    def line(self) -> str:
        moved = f", {size(self._done)} of {size(self._total)}" if self._total else ""
        return f"{self.subject}: {self._text}{moved} · {seconds(round(self.seconds))}"

    def _keep_showing(self) -> None:
        wait = self.after
        while not self._end.wait(wait):
            if self._text:
                self.surface.update(self.line(), f"{self.subject}: {self._text}")
            wait = self.every
