"""Where the measured services keep their data: on the disk of the clone, as `make demo` does."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that is deleted when all has been measured, and not before.

    ext4 makes files up to forty times more slowly where many were deleted in the last half minute,
    which no first deploy of a user meets.
    """
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yield folder
