"""What tests of packages have in common."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from cellship.snapshot.candidate import Tree
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.packages import Packages, resolve

Install = Callable[..., Path]


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    importlib.invalidate_caches()


def resolved(*modules: str, cwd: Path, policy: str = "closure") -> Packages:
    roots = {module: f"import {module} in cell 1" for module in modules}
    return resolve(roots, policy=policy, cwd=cwd, cache=None)


def names(packages: Packages) -> list[str]:
    return [tree.name for tree in packages.trees]


def paths(tree: Tree, folder: Path) -> list[str]:
    target = folder / f"written-{tree.digest[:8]}"
    tree.write(target)
    return sorted(
        path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()
    )


def refusal(*modules: str, cwd: Path, policy: str = "closure") -> CaptureRefused:
    with pytest.raises(CaptureRefused) as refused:
        resolved(*modules, cwd=cwd, policy=policy)
    return refused.value
