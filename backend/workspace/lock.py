"""One writer per repository: threads of this process by a lock, processes by `flock` on a file.

The system lets go of the file when its holder dies, so that a stale file never blocks. Its content
tells the next holder how the last one ended.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path


class Left(Enum):
    """How the last holder left."""

    DONE = b""
    FAILED = b"failed\n"  # an exception came through
    DIED = b"writing\n"  # it was killed in the middle


class WriterLock:
    """The right to write to one repository."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[Left]:
        """Waits for the right. Yields how the last holder left."""
        with self._threads:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                left = _read(file)
                _write(file, Left.DIED)
                try:
                    yield left
                except BaseException:
                    _write(file, Left.FAILED)
                    raise
                _write(file, Left.DONE)
            finally:
                os.close(file)


def _read(file: int) -> Left:
    content = os.pread(file, 100, 0)
    return Left(content) if content in (Left.DONE.value, Left.FAILED.value) else Left.DIED


def _write(file: int, left: Left) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, left.value, 0)
