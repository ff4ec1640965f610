"""Moments that an interrupt must not split: it is heard right after them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cellship.snapshot.errors import CellshipError


class Interrupted(CellshipError):
    """The user interrupted; the message says what is true now."""

    exit_code = 130


@contextmanager
def deferred() -> Iterator[None]:
    """An interrupt in here is raised at the end of the block. Only the main thread hears any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
