"""Git LFS pointers: the text that stands in git for bytes that lie in the store.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cellship.snapshot.errors import CellshipError

VERSION = "https://git-lfs.github.com/spec/v1"
LONGEST = 1024  # the specification's limit for a pointer
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TEXT = re.compile(
    rf"version {re.escape(VERSION)}\noid sha256:([0-9a-f]{{64}})\nsize (0|[1-9][0-9]*)\n", re.ASCII
)


@dataclass(frozen=True)
class Pointer:
    """Bytes by the SHA-256 (hex) of their content and their number."""

    oid: str
    size: int

    def __post_init__(self) -> None:
        if not SHA256.fullmatch(self.oid) or self.size < 0:
            raise CellshipError("a pointer that names no bytes", code="workspace.pointer")

    def text(self) -> bytes:
        """What git keeps. Bytes of length 0 stand for themselves, as in git-lfs."""
        if self.size == 0:
            return b""
        return f"version {VERSION}\noid sha256:{self.oid}\nsize {self.size}\n".encode()


def parse(data: bytes) -> Pointer | None:
    """The pointer that `data` is, None when it is content."""
    if len(data) > LONGEST or not data.startswith(b"version "):
        return None
    found = _TEXT.fullmatch(data.decode("ascii", "replace"))
    return Pointer(found[1], int(found[2])) if found else None
