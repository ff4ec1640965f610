"""The files of a version on their way into git: names checked, pointers for large ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cellship.backend.workspace.first_commit import LARGE_GRAPH
from cellship.backend.workspace.names import shown
from cellship.backend.workspace.pointers import Pointer
from cellship.snapshot.errors import Refused

GRAPH = "values/graph.pkl"
ATTRIBUTES = "values/.gitattributes"
OURS = frozenset({"deployment.yaml", "settings.yaml"})
LARGE = re.compile(r"values/buffers/[0-9a-f]{64}|files/[0-9]{1,6}", re.ASCII)
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}", re.ASCII)


def read_folder(folder: Path, blobs: Mapping[str, tuple[str, int]]) -> dict[str, bytes]:
    """What git will hold of a snapshot's folder, by path.

    `blobs` gives SHA-256 and size of the files whose bytes are in the store: buffers, captured
    files, and values/graph.pkl where it is large. Raises Refused for a name or kind of file that
    no snapshot has.
    """
    found = {path: Pointer(*blob).text() for path, blob in blobs.items() if _is_large(path)}
    for path, file in _files(folder):
        if path in found or path in OURS:
            continue
        if LARGE.fullmatch(path):
            raise _damaged(f"{path} is not in the store")
        found[path] = file.read_bytes()
    if GRAPH in blobs:
        found[ATTRIBUTES] = LARGE_GRAPH
    return found


def _is_large(path: str) -> bool:
    if path != GRAPH and not LARGE.fullmatch(path):
        raise _damaged(f"{shown(path)} cannot be a large file")
    return True


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Relative path and place of each file. Nothing is followed."""
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            file = Path(place, name)
            path = file.relative_to(folder).as_posix()
            if not PART.fullmatch(name) or file.is_symlink():
                raise _damaged(f"{shown(path)} cannot be part of it")
            if name in files:
                if not file.is_file():
                    raise _damaged(f"{shown(path)} is not a plain file")
                yield path, file


def _damaged(what: str) -> Refused:
    return Refused(f"The snapshot cannot be kept: {what}.", code="workspace.bad-snapshot")
