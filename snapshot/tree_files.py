"""One file of a tree: where it goes and where its bytes are."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class TreeFile:
    """A file at `path` in a tree: the bytes of `source`, or `data` where they are made here."""

    path: str  # relative, with "/"
    source: str
    executable: bool
    data: bytes | None = None

    @classmethod
    def of(cls, path: str, source: str) -> TreeFile:
        """The file `source` as it lies on disk. Raises OSError if it does not."""
        return cls(path, source, bool(os.stat(source).st_mode & 0o100))
