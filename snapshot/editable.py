"""Editable installs: which folders outside site-packages belong to which distribution."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cellship.snapshot.distributions import Distribution
from cellship.snapshot.modules import module_file

MAPPING = re.compile(r"^MAPPING[^=]*=\s*(\{.*?\})\s*$", re.MULTILINE | re.DOTALL)


def import_folders(distribution: Distribution) -> frozenset[str]:
    """The folders that the modules of an editable install are imported from (real paths)."""
    folders: set[str] = set()
    for file in distribution.recorded:
        if file.source.endswith(".pth"):
            folders.update(_pth_folders(file.source))
        elif file.source.endswith("_finder.py"):
            folders.update(os.path.dirname(path) for path in _mapped(file.source).values())
    return frozenset(os.path.realpath(folder) for folder in folders)


def top_levels(distribution: Distribution) -> tuple[str, ...]:
    """The top-level modules of an editable install: named, mapped, loaded, or its own name."""
    named = (
        (distribution.info / "top_level.txt").read_text().split()
        if _has_names(distribution)
        else []
    )
    mapped = [
        name
        for file in distribution.recorded
        if file.source.endswith("_finder.py")
        for name in _mapped(file.source)
    ]
    found = [*named, *mapped, *_loaded(distribution)]
    return tuple(dict.fromkeys(found or [distribution.name.replace("-", "_")]))


def _has_names(distribution: Distribution) -> bool:
    return (distribution.info / "top_level.txt").is_file()


def _loaded(distribution: Distribution) -> Iterator[str]:
    folders = import_folders(distribution)
    for name, module in list(sys.modules.items()):
        if "." in name or name == "__main__":
            continue
        file = module_file(module) if module is not None else ""
        base = os.path.dirname(file)
        if os.path.basename(file).startswith("__init__."):
            base = os.path.dirname(base)
        if file and os.path.realpath(base) in folders:
            yield name


def _pth_folders(file: str) -> list[str]:
    try:
        lines = Path(file).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    # lines that begin with "import" are code, which is for Python to run
    return [line.strip() for line in lines if os.path.isdir(line.strip())]


def _mapped(file: str) -> dict[str, str]:
    """Package name -> folder, as setuptools writes it into its finder."""
    try:
        found = MAPPING.search(Path(file).read_text("utf-8"))
        mapping = ast.literal_eval(found[1]) if found else {}
    except (OSError, ValueError, SyntaxError):
        return {}
    return {str(name): str(path) for name, path in mapping.items()}
