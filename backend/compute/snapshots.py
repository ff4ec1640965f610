"""Snapshots as folders that workers read; their large bytes are hard links into the store."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3

from cellship.snapshot.errors import Refused

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
FILE_NAME = re.compile(r"[0-9]{1,6}\Z")

GRAPH = "values/graph.pkl"
LARGE = 1024 * 1024

BlobOf = Callable[[str], Path]


def complete(folder: Path, blob_of: BlobOf) -> None:
    """Put buffers and captured files where the manifests of a snapshot's folder want them."""
    for relative, digest in blob_paths(folder):
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # whatever lies there was not verified
        link(blob_of(digest), target)


def blob_paths(folder: Path) -> Iterator[tuple[str, str]]:
    """(path in the snapshot, BLAKE3) of each large file. Raises Refused for names that are none."""
    for digest in read_json(folder / "values" / "manifest.json").get("buffers", {}):
        yield f"values/buffers/{checked(DIGEST, digest)}", digest
    for file in read_json(folder / "files" / "manifest.json").get("files", []):
        if not isinstance(file, dict):
            raise Refused("files/manifest.json cannot be read.", code="snapshot.damaged")
        name = checked(FILE_NAME, file.get("name"))
        yield f"files/{name}", checked(DIGEST, file.get("digest"))


def large_files(folder: Path) -> Iterator[tuple[str, str]]:
    """What git holds as a pointer: the large files, and the graph where it is one."""
    yield from blob_paths(folder)
    if (digest := large_graph(folder)) is not None:
        yield GRAPH, digest


def large_graph(folder: Path) -> str | None:
    """BLAKE3 of a graph too large for git: strings of a data frame lie in it, not beside it."""
    graph = folder / GRAPH
    if not graph.is_file() or graph.stat().st_size <= LARGE:
        return None
    return blake3().update_mmap(graph).hexdigest()


def stage_large_graph(folder: Path, blobs: Path) -> None:
    """Have the store take a large graph as a blob, with the other bytes of its lease."""
    digest = large_graph(folder)
    if digest is not None and not (blobs / digest).exists():
        shutil.copyfile(folder / GRAPH, blobs / digest)


def checked(pattern: re.Pattern[str], name: object) -> str:
    if not isinstance(name, str) or not pattern.match(name):
        raise Refused(f"A manifest names {name!r}, which cannot be.", code="snapshot.damaged")
    return name


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Refused(
            f"{path.name} of the snapshot cannot be read: {error}", code="snapshot.damaged"
        ) from None
    if not isinstance(found, dict):
        raise Refused(f"{path.name} of the snapshot cannot be read.", code="snapshot.damaged")
    return found


def keep(folder: Path, snapshots: Path, digest: str) -> Path:
    """Move a completed folder to its place; a second one with the same digest is not needed."""
    target = snapshots / digest
    try:
        os.rename(folder, target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(folder, ignore_errors=True)
    return target


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or too many links
        shutil.copyfile(source, target)
