"""Small immutable values that are written into source.py."""

from __future__ import annotations

import ast
import builtins
import math
import types
from collections.abc import Mapping
from typing import Any

from cellship.snapshot.names import dotted

LONGEST = 400  # characters
ATOMS = (type(None), bool, int, str, bytes, type(...))
MISSING = object()


def literal(value: Any) -> str | None:
    """The text of a small immutable value; None for everything else."""
    if not is_literal(value):
        return None
    text = repr(value)
    return text if len(text) < LONGEST else None


def is_literal(value: Any) -> bool:
    kind = type(value)
    if kind in ATOMS:
        return kind is not int or abs(value) < 1 << 1000
    if kind is float:
        return math.isfinite(value)
    return kind is tuple and len(value) < 100 and all(is_literal(item) for item in value)


def gives(node: ast.expr, live: Any, namespace: Mapping[str, Any]) -> bool | None:
    """Whether running the expression again gives `live`; None if only running it would tell."""
    if isinstance(node, ast.Name):
        return looked_up(node.id, namespace) is live
    if path := dotted(node):
        return through_modules(path, namespace) is live
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return None
    return type(value) is type(live) and plain(live) and repr(value) == repr(live)


def plain(value: Any) -> bool:
    """Whether `repr` says all about a value."""
    try:
        return only_plain(value)
    except RecursionError:
        return False


def only_plain(value: Any) -> bool:
    if type(value) in (list, tuple, set, frozenset):
        return all(only_plain(item) for item in value)
    if type(value) is dict:
        return all(only_plain(key) and only_plain(item) for key, item in value.items())
    return type(value) in (*ATOMS, float, complex)


def looked_up(name: str, namespace: Mapping[str, Any]) -> Any:
    return namespace.get(name, getattr(builtins, name, MISSING))


def through_modules(path: str, namespace: Mapping[str, Any]) -> Any:
    """`np.float32`: an attribute reached through modules only, so that nothing runs."""
    name, *attributes = path.split(".")
    found = looked_up(name, namespace)
    for attribute in attributes:
        if not isinstance(found, types.ModuleType):
            return MISSING
        found = vars(found).get(attribute, MISSING)
    return found
