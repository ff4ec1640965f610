"""Lay trees over each other by hard links (copies where links cannot be made)."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Iterator
from pathlib import Path

from cellship.backend.compute.environment_errors import TreesCollide
from cellship.snapshot.tree_copy import copy_new

NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class Linker:
    """Puts trees below one prefix and remembers which tree brought which file."""

    def __init__(self, prefix: Path, site: str) -> None:
        self._prefix = str(prefix)
        self._site = site
        self._owners: dict[str, str] = {}  # path below the prefix -> name of the tree
        self._folders = {""}
        self.copied = False  # a link could not be made: new bytes, which are not on the disk yet

    def add_interpreter(self, tree: Path, bytecode: Path | None, name: str) -> None:
        """A tree whose paths are those of the prefix."""
        self._add(tree, name, "")
        self._add_byte_code(bytecode, "")

    def add_package(self, tree: Path, bytecode: Path | None, name: str) -> None:
        """A tree that is laid out as a wheel. Raises TreesCollide."""
        self._add(tree, name, f"{self._site}/")
        self._add_byte_code(bytecode, f"{self._site}/")

    def _add(self, tree: Path, name: str, below: str) -> None:
        for path, source in files_below(str(tree)):
            target = place(path, below)
            self._make_folder(target, name)
            owner = self._owners.setdefault(target, name)
            if not self._link(source, target):
                self._check_same(source, target, owner, name)

    def _add_byte_code(self, bytecode: Path | None, below: str) -> None:
        """Byte code of a file that two trees share may be there already: one of them is enough."""
        for path, source in files_below(str(bytecode)) if bytecode else ():
            target = place(path, below)
            self._make_folder(target, "byte code")
            self._link(source, target)

    def _link(self, source: str, target: str) -> bool:
        """Whether the file is new there."""
        full = f"{self._prefix}/{target}"
        try:
            os.link(source, full)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            return self._copy(source, full)
        return True

    def _copy(self, source: str, full: str) -> bool:
        try:
            copy_new(source, full, os.stat(source).st_mode & 0o777)
        except FileExistsError:
            return False
        self.copied = True
        return True

    def _check_same(self, source: str, target: str, owner: str, name: str) -> None:
        full = f"{self._prefix}/{target}"
        if not os.path.isfile(full) or not filecmp.cmp(source, full, shallow=False):
            raise TreesCollide(owner, name, target)

    def _make_folder(self, target: str, name: str) -> None:
        folder = target.rpartition("/")[0]
        if folder in self._folders:
            return
        self._make_folder(folder, name)
        try:
            os.mkdir(f"{self._prefix}/{folder}")
        except FileExistsError:
            if not os.path.isdir(f"{self._prefix}/{folder}"):
                raise TreesCollide(self._owners.get(folder, "?"), name, folder) from None
        self._folders.add(folder)


def place(path: str, below: str) -> str:
    """Where a file of a tree goes, below the prefix. `below` is "" for the interpreter."""
    top, _, rest = path.partition("/")
    if not (below and top.endswith(".data") and rest):
        return f"{below}{path}"
    kind, _, inner = rest.partition("/")
    folder = {"scripts": "bin/", "data": ""}.get(kind)
    return f"{below}{path}" if folder is None else f"{folder}{inner}"


def files_below(folder: str, below: str = "") -> Iterator[tuple[str, str]]:
    """(relative path, full path) of the files of a stored tree."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(entry.path, f"{below}{entry.name}/")
            else:
                yield f"{below}{entry.name}", entry.path
