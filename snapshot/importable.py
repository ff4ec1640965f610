"""Whether another process can import the same object by name."""

from __future__ import annotations

import sys
import types
from typing import Any

NOTEBOOK = "__main__"


def import_path(thing: Any) -> tuple[str, str] | None:
    """(module, qualified name) that leads to this very object; None if nothing importable does."""
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    module = getattr(thing, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str) or "<locals>" in name:
        return None
    if module == NOTEBOOK or attribute(sys.modules.get(module), name) is not thing:
        return None
    return module, name


def attribute(start: Any, path: str) -> Any:
    """`start.path` without descriptors' surprises; None if there is no such thing."""
    found = start
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except Exception:  # a module's __getattr__ may raise anything
            return None
    return found


def in_types(thing: type) -> str | None:
    """The name that module `types` has for a built-in type which has none in `builtins`."""
    for name, value in vars(types).items():
        if value is thing:
            return name
    return None
