"""A module called `cellship` is never captured: a worker has a small stand-in of that name."""

from __future__ import annotations

import ast
import types
from typing import Any

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.refusal import Place

OURS = "cellship"


def is_ours(name: str) -> bool:
    """Whether a module's name is ours."""
    return name == OURS or name.startswith(f"{OURS}.")


def refuse_ours(name: str, value: Any, place: Place) -> None:
    """Raises CaptureRefused if a name of the notebook is our package, or something in it."""
    module = value.__name__ if isinstance(value, types.ModuleType) else module_of(value)
    if is_ours(module):
        raise ours_refused(name, place)


def module_of(value: Any) -> str:
    if isinstance(value, type | types.FunctionType):
        return str(value.__module__)
    return str(type(value).__module__)


def refuse_imports(text: str, place: Place) -> None:
    """Raises CaptureRefused if a definition imports our package itself."""
    if OURS not in text:
        return
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(is_ours(name) for name in names):
            line = (place.line or 1) + node.lineno - 1  # type: ignore[attr-defined]
            raise ours_refused(OURS, Place(place.reader, place.cell, line))


def ours_refused(name: str, place: Place) -> CaptureRefused:
    reader = place.reader if place.reader != name else "This"
    where = f"    {place.text()}" if place.text() else ""
    return CaptureRefused(
        f"{reader} uses {name}, which exists in the notebook only.{where}",
        code="capture.cellship-name",
        hint="Take it out of the function; do in the notebook what it did.",
    )
