"""Annotations as they are found: quoted, deferred, inherited, or no types at all."""

from __future__ import annotations

import sys
import typing
from typing import Any, Dict, Mapping


def resolved(annotation: Any, names: Mapping[str, Any]) -> Any:
    """An annotation with its quoted names looked up in `names`; Any where one is not known."""

    def probe() -> None:
        """Carries the annotation: all versions of `get_type_hints` take a function."""

    probe.__annotations__ = {"it": annotation}
    extras: Dict[str, Any] = {"include_extras": True} if sys.version_info >= (3, 9) else {}
    try:
        return typing.get_type_hints(probe, dict(names), None, **extras)["it"]
    except Exception:  # any text can be an annotation, and looking it up can raise anything
        return Any


def of_class(hint: type, names: Mapping[str, Any]) -> Dict[str, Any]:
    """Resolved annotations of a class and its bases; the nearest wins."""
    found: Dict[str, Any] = {}
    for base in reversed(hint.__mro__):
        module = sys.modules.get(base.__module__)
        known = {**(vars(module) if module else {}), **names}
        found.update((name, resolved(each, known)) for name, each in own(base).items())
    return found


def own(base: type) -> Dict[str, Any]:
    """Annotations that stand in the body of this class itself."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return dict(annotationlib.get_annotations(base, format=annotationlib.Format.FORWARDREF))
    return dict(base.__dict__.get("__annotations__", {}))


def is_type(hint: Any) -> bool:
    """Whether an annotation speaks of types; any other remark may stand there too."""
    if isinstance(hint, type) or hasattr(hint, "__origin__"):
        return True
    return type(hint).__module__ in ("typing", "typing_extensions", "types")


def shown(hint: Any) -> str:
    """A hint as its author wrote it, about."""
    if not isinstance(hint, type):
        return str(hint).replace("typing.", "")
    module = hint.__module__
    return (
        hint.__qualname__
        if module in ("__main__", "builtins")
        else module + "." + hint.__qualname__
    )
