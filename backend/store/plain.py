"""Walk a folder that somebody else wrote: plain files and folders of their own, nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellship.backend.store.errors import NotPlain


@dataclass(frozen=True)
class PlainFile:
    """A file of a lease: relative path with "/", where it is, and what its inode says."""

    path: str
    full: str
    size: int
    mode: int

    @property
    def executable(self) -> bool:
        return bool(self.mode & 0o100)


def plain_files(folder: Path) -> list[PlainFile]:
    """All files below `folder`. Raises NotPlain for links, special files and odd names."""
    _check_folder(str(folder))
    return list(_walk(str(folder), ""))


def plain_entries(folder: Path) -> list[str]:
    """Names in `folder`, without unfinished ones (they begin with a dot); none if it is absent."""
    if not os.path.lexists(folder):
        return []
    _check_folder(str(folder))
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def plain_file(path: str, name: str) -> PlainFile:
    """The plain file at `path`. Raises NotPlain."""
    found = os.lstat(path)
    _check_file(found, name)
    return PlainFile(name, path, found.st_size, found.st_mode)


def _walk(folder: str, below: str) -> Iterator[PlainFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if "\n" in entry.name:
                raise NotPlain(repr(path), "a name with a line break")
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{path}/")
                continue
            found = entry.stat(follow_symlinks=False)
            _check_file(found, path)
            yield PlainFile(path, entry.path, found.st_size, found.st_mode)


def _check_folder(path: str) -> None:
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise NotPlain(os.path.basename(path), "not a folder")


def _check_file(found: os.stat_result, path: str) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise NotPlain(path, "a symbolic link")
    if not stat.S_ISREG(found.st_mode):
        raise NotPlain(path, "not a plain file")
    if found.st_nlink != 1:
        raise NotPlain(path, "a hard link to a file elsewhere")
