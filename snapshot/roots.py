"""Modules that a draft reaches: what packages are found from."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from cellship.snapshot.draft import Draft
from cellship.snapshot.items import Import
from cellship.snapshot.standin import NAME
from cellship.snapshot.string_hooks import modules_named

OWN = frozenset({NAME, "__main__", "cellship", "builtins"})


def roots_of(draft: Draft) -> dict[str, str]:
    """Module name -> why: what the code imports first, then what the values are made of."""
    found: dict[str, str] = {}
    for item in draft.items:
        if isinstance(item, Import):
            note(found, item.text, f"{item.text}{item.place.suffix()}")
    for item in draft.code():
        note(found, item.text, f"import in {item.key}{item.place.suffix()}")
    for module, why in draft.walk.modules.items():
        found.setdefault(module, why)
    return {module: why for module, why in found.items() if root(module) not in OWN}


def chosen_by_words(draft: Draft, cwd: Path) -> dict[str, str]:
    """Modules that libraries choose by a word or a call: `read_parquet` -> pyarrow."""
    found: dict[str, str] = {}
    for item in draft.code():
        for module, why in modules_named(item.text, cwd).items():
            found.setdefault(module, f"{why}{item.place.suffix()}")
    return found


def note(found: dict[str, str], text: str, why: str) -> None:
    for module in imported(ast.parse(text)):
        found.setdefault(module, why)


def root(module: str) -> str:
    return module.partition(".")[0]


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules that import statements, or literal `import_module("…")` calls, name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            for alias in node.names:
                if f"{node.module}.{alias.name}" in sys.modules:
                    yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Call):
            yield from called(node)


def called(node: ast.Call) -> Iterator[str]:
    """The module of `importlib.import_module("a.b")` and `__import__("a")`."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    match node.args[:1]:
        case [ast.Constant(value=str(module))] if name in ("import_module", "__import__"):
            yield module
