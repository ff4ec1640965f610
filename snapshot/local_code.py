"""Modules that nobody installed: files beside the notebook, folders of editable installs.

What ships is the whole top-level package with its data files, or the single module. Their imports
are followed through the modules that are reached, not through the whole folder: a `tests/` beside
them must not bring pytest along.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.modules import Found
from cellship.snapshot.secret_files import is_secret_name
from cellship.snapshot.tree_files import TreeFile

LIMIT = 500 * 1024 * 1024
LEFT_OUT = frozenset({"__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", "node_modules"})


@dataclass(frozen=True)
class LocalCode:
    """A top-level module outside every package: `base/top.py` or the folder `base/top`."""

    top: str
    base: str
    file: str = ""  # of a single module

    @classmethod
    def of(cls, found: Found) -> LocalCode:
        """The top-level module or package that a found module belongs to."""
        parts = found.name.split(".")
        if not found.file:
            return cls(parts[0], _up(found.folders[0], len(parts)))
        package = os.path.basename(found.file).startswith("__init__.")
        if len(parts) == 1 and not package:
            return cls(parts[0], os.path.dirname(found.file), found.file)
        return cls(parts[0], _up(os.path.dirname(found.file), len(parts) - (0 if package else 1)))

    def files(self) -> tuple[TreeFile, ...]:
        """All files that ship. Raises CaptureRefused when they are too large."""
        if self.file:
            suffix = self.file[len(os.path.splitext(self.file)[0]) :]
            name = os.path.basename(self.file) if suffix != ".py" else f"{self.top}.py"
            return (TreeFile.of(name, self.file),)
        files = tuple(TreeFile.of(path, source) for path, source in sorted(self._below()))
        self._check_size(files)
        return files

    def _below(self) -> Iterator[tuple[str, str]]:
        folder = os.path.join(self.base, self.top)
        for source in walk_files(folder):
            yield os.path.relpath(source, self.base).replace(os.sep, "/"), source

    def _check_size(self, files: tuple[TreeFile, ...]) -> None:
        size = sum(os.stat(file.source).st_size for file in files)
        if size <= LIMIT:
            return
        largest = max(files, key=lambda file: os.stat(file.source).st_size)
        raise CaptureRefused(
            f"The local package {self.top} ({self.base}) holds {size / 2**20:.0f} MiB; "
            f"its largest file is {largest.path}.",
            code="capture.local-code-too-large",
            hint=f"Move data out of the folder {self.top}: it should hold code and small files.",
        )


def walk_files(folder: str) -> Iterator[str]:
    """Files below a folder, through links; no caches, version control, environments, secrets."""
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:  # a link that leads back up
            folders[:] = []
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _left_out(parent, name)]
        for name in names:
            path = os.path.join(parent, name)
            if not name.endswith(".pyc") and not is_secret_name(name) and os.path.isfile(path):
                yield path


def imports_of(file: str, module: str) -> Iterator[tuple[str, int]]:
    """Modules that a Python file imports anywhere, with the line. `module` is its own name."""
    if not file.endswith(".py"):
        return
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    package = module if os.path.basename(file) == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((name, node.lineno) for name in _from_names(node, package))


def _from_names(node: ast.ImportFrom, package: str) -> Iterable[str]:
    """`from a import b` may mean the module a.b: both are named."""
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        kept = parts[: len(parts) - node.level + 1]
        base = ".".join([*kept, base] if base else kept)
    if not base:
        return []
    return [base, *(f"{base}.{name.name}" for name in node.names if name.name != "*")]


def _left_out(parent: str, name: str) -> bool:
    return (
        name in LEFT_OUT
        or (name.endswith("_cache") and name.startswith("."))
        or name.endswith((".dist-info", ".egg-info"))
        or os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
    )


def _up(folder: str, levels: int) -> str:
    for _ in range(levels):
        folder = os.path.dirname(folder)
    return folder
