"""Writes a version from git to a folder, its large files linked from the store."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from cellship.backend.workspace.contents import ATTRIBUTES, OURS
from cellship.backend.workspace.pointers import Pointer, parse
from cellship.snapshot.errors import Refused

BlobOf = Callable[[str], Path]
READ_ONLY = 0o444


def materialise(files: Mapping[str, bytes], target: Path, blob_of: BlobOf) -> None:
    """Make `target` hold the files, pointers resolved by `blob_of(sha256)`; at once, or not at all.

    A target that is there and whole is left as it is; one that a power failure spoilt is made anew.
    Raises Refused `workspace.bytes-gone` for bytes that are missing or of another length.
    """
    wanted = {path: data for path, data in files.items() if path not in OURS | {ATTRIBUTES}}
    if _is_whole(target, wanted):
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        for path, data in wanted.items():
            _write(aside / path, data, blob_of)
        _replace(target, aside, wanted)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _replace(target: Path, aside: Path, wanted: Mapping[str, bytes]) -> None:
    spoilt = aside.with_name(f"{aside.name}.spoilt")
    try:
        if target.exists():
            os.rename(target, spoilt)
        os.rename(aside, target)
    except OSError:
        if not _is_whole(target, wanted):  # else another thread was faster
            raise
    finally:
        shutil.rmtree(spoilt, ignore_errors=True)


def _write(path: Path, data: bytes, blob_of: BlobOf) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pointer = parse(data)
    if pointer is None:
        path.write_bytes(data)
        path.chmod(READ_ONLY)
        return
    blob = _checked(path.name, pointer, blob_of)
    try:
        os.link(blob, path)
    except OSError:  # another file system, or too many links
        shutil.copyfile(blob, path)
        path.chmod(READ_ONLY)


def _checked(name: str, pointer: Pointer, blob_of: BlobOf) -> Path:
    blob = blob_of(pointer.oid)
    try:
        size = blob.stat().st_size
    except FileNotFoundError:
        size = -1
    if size != pointer.size:
        found = "it is gone" if size < 0 else f"{size} bytes are there, {pointer.size} wanted"
        raise Refused(
            f"The store no longer has {name} of this version: {found}.", code="workspace.bytes-gone"
        )
    return blob


def _is_whole(target: Path, wanted: Mapping[str, bytes]) -> bool:
    return target.is_dir() and all(_is_there(target / path, data) for path, data in wanted.items())


def _is_there(path: Path, data: bytes) -> bool:
    pointer = parse(data)
    try:
        if pointer is not None:
            return path.stat().st_size == pointer.size
        return path.read_bytes() == data
    except OSError:
        return False
