"""Read a distribution's list of files, and say which of them belong to its tree.

A tree is laid out as a wheel is: modules and metadata at their paths below site-packages, and what
lies beside site-packages under `NAME-VERSION.data/data/…` (goes to the prefix) and
`NAME-VERSION.data/scripts/…` (goes to bin/).

Commands that are Python scripts are left out: they name the interpreter of the user's environment,
the worker never runs them, and entry_points.txt says how to make them again.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cellship.snapshot.tree_files import TreeFile

HERE_ONLY = frozenset(
    {"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)


@dataclass(frozen=True)
class Recorded:
    """A line of RECORD: the file, where it is, what its size was when it was installed."""

    source: str  # absolute
    size: int | None
    line: str  # hash and size as RECORD has them: "sha256=…,310"


@dataclass(frozen=True)
class PackageFiles:
    """The files of a distribution's tree, and what was noticed on the way."""

    files: tuple[TreeFile, ...]
    changed: tuple[str, ...]  # differ from what was installed
    gone: tuple[str, ...]  # listed, but not there


def read_record(info: Path) -> tuple[Recorded, ...]:
    """The files of the distribution with this metadata folder."""
    root = str(info.parent)
    try:
        text = (info / "RECORD").read_text("utf-8", "surrogateescape")
    except OSError:
        return tuple(_without_record(info))
    return tuple(_parsed(root, text))


def package_files(info: Path, recorded: Iterable[Recorded]) -> PackageFiles:
    """What of a distribution's files goes into its tree."""
    layout = _Layout(info)
    files: list[TreeFile] = []
    lines: list[str] = []
    changed: list[str] = []
    gone: list[str] = []
    for entry in recorded:
        path = layout.path(entry.source)
        if path is None:
            continue
        try:
            stat = os.stat(entry.source)
        except OSError:
            gone.append(path)
            continue
        if _is_python_script(path, entry.source) or _leads_elsewhere(path, entry.source):
            continue
        if entry.size is not None and stat.st_size != entry.size:
            changed.append(path)
        files.append(TreeFile(path, entry.source, bool(stat.st_mode & 0o100)))
        lines.append(f"{_quoted(path)},{entry.line}\n")
    if (info / "RECORD").exists():
        files.append(_record_file(info, lines))
    return PackageFiles(tuple(files), tuple(changed), tuple(gone))


def metadata_files(info: Path) -> tuple[TreeFile, ...]:
    """What an editable install says about itself: code asks for its version and entry points."""
    kept = (name for name in sorted(os.listdir(info)) if name not in HERE_ONLY and name != "RECORD")
    paths = ((f"{info.name}/{name}", str(info / name)) for name in kept)
    return tuple(TreeFile.of(path, source) for path, source in paths if os.path.isfile(source))


def _record_file(info: Path, lines: list[str]) -> TreeFile:
    """RECORD without the lines that depend on where and how the package was installed."""
    path = f"{info.name}/RECORD"
    text = "".join(sorted([*lines, f"{path},,\n"]))
    return TreeFile(path, str(info / "RECORD"), False, text.encode("utf-8", "surrogateescape"))


class _Layout:
    """Where a file of a distribution goes in its tree; None for what stays behind."""

    def __init__(self, info: Path) -> None:
        self._root = f"{info.parent}{os.sep}"
        self._info = info.name
        self._data = f"{info.name.removesuffix('.dist-info').removesuffix('.egg-info')}.data"

    def path(self, source: str) -> str | None:
        if source.endswith(".pyc") or f"{os.sep}__pycache__{os.sep}" in source:
            return None
        if not source.startswith(self._root):
            return self._beside(source)
        path = source[len(self._root) :]
        folder, _, name = path.partition("/")
        if folder == self._info and (name in HERE_ONLY or name == "RECORD"):
            return None
        return None if is_editable_hook(path) else path

    def _beside(self, source: str) -> str | None:
        prefix = f"{sys.prefix}{os.sep}"
        if not source.startswith(prefix):
            return None
        path = source[len(prefix) :]
        if path.startswith("bin/"):
            return f"{self._data}/scripts/{path[4:]}"
        return f"{self._data}/data/{path}"


def is_editable_hook(path: str) -> bool:
    """Whether a file at the top of site-packages leads to somebody's working folder."""
    return path.startswith(("__editable__", "_editable_impl_"))


def _leads_elsewhere(path: str, source: str) -> bool:
    """A .pth file that puts an absolute folder of this machine on the path."""
    if not path.endswith(".pth") or "/" in path:
        return False
    with open(source, encoding="utf-8", errors="replace") as file:
        return any(os.path.isabs(line.strip()) for line in file)


def _is_python_script(path: str, source: str) -> bool:
    if ".data/scripts/" not in path:
        return False
    with open(source, "rb") as file:
        start = file.read(256)
    return start.startswith(b"#!") and b"python" in start


def _parsed(root: str, text: str) -> Iterator[Recorded]:
    for line in text.splitlines():
        if not line:
            continue
        if line.startswith('"'):
            path, digest, size = (*next(csv.reader([line])), "", "")[:3]
        else:
            path, digest, size = (*line.rsplit(",", 2), "", "")[:3]
        yield Recorded(
            _absolute(root, path), int(size) if size.isdigit() else None, f"{digest},{size}"
        )


def _absolute(root: str, path: str) -> str:
    joined = f"{root}/{path}"
    return os.path.normpath(joined) if ".." in path or path.startswith("/") else joined


def _quoted(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path


def _without_record(info: Path) -> Iterator[Recorded]:
    """Files of a distribution that an older installer or the system's package manager put there."""
    root = str(info.parent)
    yield from _below(str(info))
    for top in _top_levels(info):
        folder = f"{root}/{top}"
        if os.path.isdir(folder):
            yield from _below(folder)
        elif os.path.isfile(f"{folder}.py"):
            yield Recorded(f"{folder}.py", None, ",")


def _top_levels(info: Path) -> list[str]:
    try:
        return (info / "top_level.txt").read_text().split()
    except OSError:
        return [info.name.partition("-")[0]]


def _below(folder: str) -> Iterator[Recorded]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            yield Recorded(f"{parent}/{name}", None, ",")
