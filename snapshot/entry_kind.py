"""Which live objects can be an entry."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.literals import MISSING
from cellship.snapshot.missing import hint


def live_entry(expression: str, namespace: Mapping[str, Any]) -> Any:
    """The object that `model.predict` names. Raises CaptureRefused if it is missing or no entry."""
    name, *attributes = expression.split(".")
    found = namespace.get(name, MISSING)
    if found is MISSING:
        raise CaptureRefused(
            f"There is no {name} in this notebook.",
            code="capture.missing-name",
            hint=hint(name, namespace),
        )
    for attribute in attributes:
        found = getattr(found, attribute, MISSING)
    if found is MISSING:
        raise CaptureRefused(
            f"{expression} does not exist: {name} has no such attribute.",
            code="capture.missing-name",
            hint="Name an object of the notebook: --entry model.predict",
        )
    check_kind(expression, found)
    return found


def check_kind(expression: str, found: Any) -> None:
    """Functions, methods, partials and callable objects can be entries; for now nothing else."""
    if isinstance(found, type):
        raise kind_refused(
            f"{expression} is a class.", "Ship a function that uses it, or a method of an instance."
        )
    if isinstance(found, types.ModuleType):
        raise kind_refused(f"{expression} is a module.", "Name a function of it.")
    if not callable(found):
        kind = type(found).__name__
        raise kind_refused(
            f"{expression} is a {kind}; it cannot be called.",
            "Write a function that answers with it.",
        )
    if inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found):
        raise kind_refused(
            f"{expression} yields its answer in parts.", "Return a list: return list(parts)."
        )


def kind_refused(message: str, fix: str) -> CaptureRefused:
    return CaptureRefused(message, code="capture.entry-kind", hint=fix)
