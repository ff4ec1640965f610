"""Find where a module comes from, without importing anything."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

NOT_OURS = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Found:
    """A module that can be imported here. `file` is empty for a folder without `__init__.py`."""

    name: str
    file: str
    folders: tuple[str, ...] = ()


def find_module(name: str, cwd: Path) -> Found | None:
    """Where `name`, or its nearest parent with a file, is found; None if it cannot be imported.

    What is loaded counts before what lies on disk. Modules that a package makes up while it is
    imported (`six.moves.urllib`) are found as the package.
    """
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        found = _loaded(".".join(parts[:count])) or _on_disk(parts[:count], cwd)
        if found:
            return found
    return None


def is_standard(found: Found) -> bool:
    """Whether the module is part of Python itself."""
    return bool(found.file) and _is_standard_file(found.file)


def is_standard_name(name: str) -> bool:
    """Whether Python itself has a module of this name (top-level part)."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in sys.builtin_module_names


def module_file(module: ModuleType) -> str:
    """The file that a loaded module came from, or ""."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return ""
    return os.path.abspath(file)


def _loaded(name: str) -> Found | None:
    module = sys.modules.get(name)
    if not isinstance(module, ModuleType):
        return None
    file = module_file(module)
    if file:
        return Found(name, file)
    # a namespace's __path__ is not a list
    folders = tuple(os.path.abspath(folder) for folder in getattr(module, "__path__", ()))
    return Found(name, "", folders) if folders else None


def _on_disk(parts: list[str], cwd: Path) -> Found | None:
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    for count in range(1, len(parts) + 1):
        spec = _spec(".".join(parts[:count]), path, cwd)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
        if not path and count < len(parts):
            return None
    if spec is None:
        return None
    name = ".".join(parts)
    if spec.has_location and spec.origin:
        return Found(name, os.path.abspath(spec.origin))
    return Found(name, "", tuple(path or ())) if path else None


def _spec(name: str, path: Sequence[str] | None, cwd: Path) -> ModuleSpec | None:
    """What the import system's own finders say; `cwd` stands for "" on the path."""
    searched = path if path is not None else [entry or str(cwd) for entry in sys.path]
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is None:
            continue
        # with a dotted name PathFinder asks for the parent in sys.modules
        last = name.rpartition(".")[2]
        spec = find(last, searched) if finder is PathFinder else find(name, path)
        if isinstance(spec, ModuleSpec):
            return spec
    return None


def _is_standard_file(file: str) -> bool:
    if any(f"{os.sep}{part}{os.sep}" in file for part in NOT_OURS):
        return False
    real = os.path.realpath(file)
    return any(
        candidate.startswith(f"{folder}{os.sep}")
        for folder in _standard_folders()
        for candidate in (file, real)
    )


def _standard_folders() -> list[str]:
    paths = sysconfig.get_paths()
    folders = [paths["stdlib"], paths["platstdlib"], os.path.dirname(os.__file__)]
    return [form for folder in folders for form in (folder, os.path.realpath(folder))]
