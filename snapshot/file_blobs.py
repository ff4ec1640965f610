"""Files as blobs, hashed once while they do not change."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

from blake3 import blake3

from cellship.snapshot.candidate import Blob
from cellship.snapshot.tree_copy import copy_new
from cellship.snapshot.trees import file_digest
from cellship.snapshot.verdicts import SETTLED

LARGE = 64 << 20  # worth all cores

_known: dict[tuple[str, int, int, int], str] = {}


def blob_of(path: str) -> Blob:
    """The bytes of a file, under their digest. Raises OSError."""
    stat = os.stat(path)
    key = (path, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    digest = _known.get(key) or _digest(path, stat.st_size)
    if stat.st_mtime_ns < time.time_ns() - SETTLED:
        _known[key] = digest
    return Blob(digest, stat.st_size, partial(_write, path))


def _digest(path: str, size: int) -> str:
    if size < LARGE:
        return file_digest(path)
    return blake3(max_threads=os.cpu_count() or 1).update_mmap(path).hexdigest()


def _write(source: str, target: Path) -> None:
    copy_new(source, str(target))
