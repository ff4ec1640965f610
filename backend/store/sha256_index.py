"""SHA-256 of blobs, computed once, for git LFS and OCI: two small files per blob.

`sha256/ab/<blake3>` holds the SHA-256, `oid/ab/<sha256>` the BLAKE3. Either can be made again from
the blobs, so a crash between any two writes loses nothing.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import uuid
from pathlib import Path

MAPPED = 1 << 20


class Sha256Index:
    """The two folders."""

    def __init__(self, root: Path) -> None:
        self._sha256 = root / "sha256"
        self._oid = root / "oid"
        self._root = root

    def add(self, digest: str, sha256: str) -> list[Path]:
        """Keep a pair; the folders that changed, for syncing."""
        return [
            self._write(self._sha256 / digest[:2] / digest, sha256),
            self._write(self._oid / sha256[:2] / sha256, digest),
        ]

    def sha256_of(self, digest: str) -> str | None:
        """The SHA-256 of a blob, if it was kept."""
        return _read(self._sha256 / digest[:2] / digest)

    def digest_of(self, sha256: str) -> str | None:
        """The BLAKE3 of the blob with this SHA-256, if it was kept."""
        return _read(self._oid / sha256[:2] / sha256)

    def clean(self) -> None:
        """Remove what a crash left of unfinished writes."""
        for path in self._root.glob(".new-*"):
            path.unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = self._root / f".new-{uuid.uuid4().hex}"
        new.write_text(text)
        os.replace(new, path)
        return path.parent


def sha256_digest(path: str) -> str:
    """SHA-256 (hex) of the bytes of one file."""
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < MAPPED:
            return hashlib.sha256(file.read()).hexdigest()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return hashlib.sha256(mapped).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text() or None
    except FileNotFoundError:
        return None
