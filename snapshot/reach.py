"""From the modules that the code names to distributions and local code."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cellship.snapshot.distributions import Distribution, Installed
from cellship.snapshot.editable import import_folders
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.local_code import LocalCode, imports_of
from cellship.snapshot.modules import Found, find_module, is_standard, is_standard_name
from cellship.snapshot.tree_files import TreeFile

OURS = "cellship"
INSTALLED_UNDER = ("site-packages", "dist-packages")


@dataclass
class Reached:
    """What the code reaches directly, with the reason for each."""

    distributions: dict[str, str] = field(default_factory=dict)
    local: dict[LocalCode, str] = field(default_factory=dict)
    modules: dict[LocalCode, dict[str, str]] = field(
        default_factory=dict
    )  # name -> file, of local code
    projects: dict[LocalCode, Distribution] = field(default_factory=dict)  # editable installs
    strays: dict[str, list[TreeFile]] = field(default_factory=dict)  # put into a package by hand
    notes: list[str] = field(default_factory=list)


def reach(roots: Mapping[str, str], installed: Installed, cwd: Path) -> Reached:
    """Follow `roots` (module name -> why) and the imports of local code. Raises CaptureRefused."""
    reached = Reached()
    todo = deque((name, why, True) for name, why in roots.items())
    seen: set[str] = set()
    while todo:
        name, why, named = todo.popleft()
        if name in seen or name == "__main__":
            continue
        seen.add(name)
        if name.partition(".")[0] == OURS:
            raise _ours(name, why)
        found = find_module(name, cwd)
        if found is None:
            if named and not is_standard_name(name):
                # here the import fails as it will there; `try: import` is the usual reason
                reached.notes.append(f"{name} ({why}) cannot be imported here: not shipped")
            continue
        todo.extend(
            (more, reason, False) for more, reason in _place(found, why, installed, reached)
        )
    return reached


def _place(
    found: Found, why: str, installed: Installed, reached: Reached
) -> Iterator[tuple[str, str]]:
    """Note who the module belongs to; gives the modules to follow from there."""
    if is_standard(found):
        return
    if not found.file:
        yield from _place_namespace(found, why, reached)
        return
    owner = installed.owner(found.file)
    if owner:
        reached.distributions.setdefault(owner.name, why)
    elif not _place_stray(found, installed, reached):
        yield from _place_local(found, why, installed, reached)


def _place_namespace(found: Found, why: str, reached: Reached) -> Iterator[tuple[str, str]]:
    """A folder without `__init__.py`: packages share it, so only its loaded modules count."""
    inside = [folder for folder in found.folders if _under_installed(folder)]
    if inside:
        prefix = f"{found.name}."
        yield from ((name, why) for name in list(sys.modules) if name.startswith(prefix))
    for folder in found.folders:
        if folder not in inside:
            _add_local(LocalCode.of(Found(found.name, "", (folder,))), why, reached)


def _place_stray(found: Found, installed: Installed, reached: Reached) -> bool:
    """A file that somebody put into an installed package: it goes along with that package."""
    if not _under_installed(found.file) or "." not in found.name:
        return False
    parent = LocalCode.of(found)
    owner = installed.owner(os.path.join(parent.base, parent.top, "__init__.py"))
    if owner is None:
        return False
    path = os.path.relpath(found.file, parent.base).replace(os.sep, "/")
    reached.strays.setdefault(owner.name, []).append(TreeFile.of(path, found.file))
    reached.distributions.setdefault(owner.name, f"holds {found.name}")
    reached.notes.append(f"{path} is not part of {owner.shown} as installed; it ships with it")
    return True


def _place_local(
    found: Found, why: str, installed: Installed, reached: Reached
) -> Iterator[tuple[str, str]]:
    if is_standard_name(found.name):
        raise _shadows(found, why)
    code = LocalCode.of(found)
    _add_local(code, why, reached)
    reached.modules.setdefault(code, {})[found.name] = found.file
    project = _project(code, installed)
    if project:
        reached.projects[code] = project
        reached.distributions.setdefault(project.name, why)
    where = os.path.relpath(found.file, code.base)
    yield from _parents(found.name, why)
    for name, line in imports_of(found.file, found.name):
        yield name, f"import {name} in {where} line {line}"


def _add_local(code: LocalCode, why: str, reached: Reached) -> None:
    if not os.path.exists(code.file or os.path.join(code.base, code.top)):
        raise _no_folder(code, why)
    reached.local.setdefault(code, why)


def _parents(name: str, why: str) -> Iterator[tuple[str, str]]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name, why


def _project(code: LocalCode, installed: Installed) -> Distribution | None:
    base = os.path.realpath(code.base)
    for distribution in installed:
        if distribution.project and base in import_folders(distribution):
            return distribution
    return None


def _under_installed(path: str) -> bool:
    return any(f"{os.sep}{part}" in path for part in INSTALLED_UNDER)


def _ours(name: str, why: str) -> CaptureRefused:
    return CaptureRefused(
        f"{why}: {name} is Cellship itself, which stays in the notebook.",
        code="capture.cellship-inside",
        hint="Take the use of cellship out of the shipped code.",
    )


def _shadows(found: Found, why: str) -> CaptureRefused:
    return CaptureRefused(
        f"{why}: {found.file} has the name of a module of Python itself.",
        code="capture.shadows-standard-library",
        hint=f"Rename the file; in a worker `import {found.name}` means Python's own module.",
    )


def _no_folder(code: LocalCode, why: str) -> CaptureRefused:
    return CaptureRefused(
        f"{why}: {code.file or os.path.join(code.base, code.top)} is not there as a file.",
        code="capture.module-without-file",
        hint=f"Keep {code.top} as a plain file or folder on disk, and import it again.",
    )
