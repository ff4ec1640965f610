"""One writer per repository: threads of this process by a lock, processes by `flock` on a file.

The system lets go of the file when its holder dies, so that a stale file never blocks. Its content
tells the next holder that the last one died while it wrote.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITING = b"writing\n"


class WriterLock:
    """The right to write to one repository."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """Waits for the right. Yields whether the last holder died in the middle of its work."""
        with self._threads:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                died = bool(os.pread(file, 1, 0))
                os.pwrite(file, WRITING, 0)
                yield died
                os.ftruncate(file, 0)
            finally:
                os.close(file)
