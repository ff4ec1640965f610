"""Files that the code names by path: found, checked against limits, captured.

A worker has a folder of its own as cwd and finds captured files there under their relative paths.
An absolute path cannot be shown at the same address to a process worker, so it is refused with the
relative spelling; what belongs to the system is left alone.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellship.snapshot import file_refusals as refuse
from cellship.snapshot.candidate import Blob
from cellship.snapshot.file_blobs import blob_of
from cellship.snapshot.local_code import walk_files
from cellship.snapshot.path_uses import PathUse, path_uses
from cellship.snapshot.request import CaptureRequest
from cellship.snapshot.secret_files import is_secret_path

MIB = 1024 * 1024
# for what the code names; `--file` is the user's own word and lifts them
FILE_LIMIT = 100 * MIB
TOTAL_LIMIT = 500 * MIB
FOLDER_LIMIT = 200  # files
SYSTEM = ("proc", "sys", "dev", "etc", "usr", "lib", "lib64", "bin", "sbin", "run", "boot")


@dataclass(frozen=True)
class Code:
    """Source that ships: its text, the cwd its cell ran in, the cell's number, its first line."""

    source: str
    cwd: Path
    cell: int | None = None
    line: int = 1

    def place(self, line: int) -> str:
        """`cell 3, line 7`"""
        at = f"line {self.line + line - 1}"
        return at if self.cell is None else f"cell {self.cell}, {at}"


@dataclass(frozen=True)
class CapturedFile:
    """A file that ships, at `path` relative to the worker's cwd."""

    blob: Blob
    path: str
    why: str


@dataclass
class FoundFiles:
    """What `find` found."""

    files: dict[str, CapturedFile] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def find_files(
    request: CaptureRequest, code: Sequence[Code], namespace: Mapping[str, Any], cwd: Path
) -> tuple[CapturedFile, ...]:
    """The files of `find`, in the order of their paths."""
    found = find(request, code, namespace, cwd).files
    return tuple(found[path] for path in sorted(found))


def find(
    request: CaptureRequest, code: Sequence[Code], namespace: Mapping[str, Any], cwd: Path
) -> FoundFiles:
    """Files that `code` names by paths that exist, and those of `request.files`.

    Paths are folded over `namespace` and looked for below `cwd`, then below the cwd of the cell.
    Raises CaptureRefused.
    """
    found = FoundFiles()
    for path in request.files:
        _add_asked(path, cwd, found)
    for piece in code:
        for use in path_uses(piece.source, namespace):
            if not _excluded(use.value, request.no_files, cwd):
                _add_use(use, piece, cwd, found)
    named = [file for file in found.files.values() if not file.why.startswith("--file")]
    total = sum(file.blob.size for file in named)
    if total > TOTAL_LIMIT:
        raise refuse.too_much(total, max(named, key=lambda file: file.blob.size).path)
    return found


def _add_asked(path: str, cwd: Path, found: FoundFiles) -> None:
    relative = os.path.relpath(cwd / path, cwd)
    if not (cwd / path).exists():
        raise refuse.not_found(path)
    if relative.startswith(os.pardir):
        raise refuse.outside(path, "--file", str(cwd))
    why = f"--file {path}"
    if (cwd / relative).is_dir():
        for inner in _inside(cwd, relative):
            _add(inner, cwd, why, found)
    elif is_secret_path(relative, cwd):
        raise refuse.secret(relative, "--file")
    else:
        _add(relative, cwd, why, found)


def _add_use(use: PathUse, piece: Code, cwd: Path, found: FoundFiles) -> None:
    where = piece.place(use.line)
    if os.path.isabs(use.value):
        _check_absolute(use, where, cwd, found)
        return
    for base in dict.fromkeys((cwd, piece.cwd)):
        if use.certain and glob.has_magic(use.value):
            matches = glob.glob(use.value, root_dir=base, recursive=True)
            for match in _limited(sorted(matches), use.value, where):
                _add_named(match, base, where, use, found)
        if _counts(use, base / use.value):
            _add_named(os.path.normpath(use.value), base, where, use, found)
            return


def _counts(use: PathUse, path: Path) -> bool:
    """Whether a path leads to something that its use can mean: text may only look like a path."""
    if _is_file(path):
        return use.certain or "." in use.value or "/" in use.value
    return use.certain and path.is_dir()


def _add_named(path: str, base: Path, where: str, use: PathUse, found: FoundFiles) -> None:
    """A file or folder below `base` that the code names at `where`."""
    if path == os.curdir:
        found.note(f"{where} names the notebook's own folder: add --file for what is read from it")
        return
    if path.startswith(os.pardir):
        raise refuse.outside(path, where, str(base))
    if is_secret_path(path, base):
        raise refuse.secret(path, where)
    if (base / path).is_dir():
        for inner in _limited(list(_inside(base, path)), path, where):
            _add_small(inner, base, where, found)
    elif _is_file(base / path):
        _add_small(path, base, where, found)


def _add_small(path: str, base: Path, where: str, found: FoundFiles) -> None:
    size = (base / path).stat().st_size
    if size > FILE_LIMIT and path not in found.files:
        raise refuse.too_large(path, size, where)
    _add(path, base, where, found)


def _add(path: str, base: Path, why: str, found: FoundFiles) -> None:
    path = path.replace(os.sep, "/")
    if path in found.files:
        return
    try:
        found.files[path] = CapturedFile(blob_of(str(base / path)), path, why)
    except PermissionError as error:
        raise refuse.unreadable(path, why) from error


def _check_absolute(use: PathUse, where: str, cwd: Path, found: FoundFiles) -> None:
    """Raises CaptureRefused, except for what is the system's or Python's own."""
    path = Path(os.path.normpath(use.value))
    if not _counts(use, path) or _is_under(path, sys.prefix) or _is_under(path, sys.base_prefix):
        return
    if path == Path("/") or path.parts[1] in SYSTEM:
        found.note(
            f"{path} ({where}) belongs to the system; the worker sees that of its own machine"
        )
        return
    raise refuse.absolute(str(path), where, cwd)


def _inside(base: Path, folder: str) -> Iterator[str]:
    """Files below a folder, without secrets, hidden folders and caches."""
    for source in sorted(walk_files(str(base / folder))):
        path = os.path.relpath(source, base)
        if not is_secret_path(path, base):
            yield path


def _limited(paths: list[str], named: str, where: str) -> list[str]:
    if len(paths) > FOLDER_LIMIT:
        raise refuse.too_many(named, len(paths), where)
    return paths


def _excluded(path: str, patterns: Sequence[str], cwd: Path) -> bool:
    relative = os.path.relpath(cwd / path, cwd)
    return any(
        fnmatch.fnmatch(form, os.path.normpath(pattern))
        for pattern in patterns
        for form in (relative, os.path.normpath(path))
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or no name at all
        return False


def _is_under(path: Path, folder: str) -> bool:
    return path.is_relative_to(folder) and folder != "/usr"
