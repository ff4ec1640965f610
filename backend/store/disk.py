"""Room on the disk: said before anything is copied."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cellship.backend.store.errors import DiskFull

RESERVE = 0.05  # of the disk: below, no new versions
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Space:
    """Bytes of a file system."""

    free: int
    total: int


Measure = Callable[[Path], Space]


def space(folder: Path) -> Space:
    """Room on the file system of `folder`."""
    found = os.statvfs(folder)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def check_room(folder: Path, needed: int, measure: Measure) -> None:
    """Raises DiskFull if `needed` more bytes do not fit, or the reserve is used already."""
    room = measure(folder)
    if room.free < RESERVE * room.total:
        raise DiskFull(
            f"The disk of {folder} has {_sized(room.free)} free, less than 5 %: no new versions."
        )
    if needed > room.free:
        raise DiskFull(
            f"This needs {_sized(needed)}; the disk of {folder} has {_sized(room.free)} free."
        )


@contextmanager
def no_room_means_disk_full(folder: Path) -> Iterator[None]:
    """Turns the system's "no space left" into the sentence that says where."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(
                f"The disk of {folder} became full half-way; nothing was kept."
            ) from error
        raise


def _sized(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
