"""A pickler's failure as a refusal that names the path of the value: `score.session`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.graph import Graph, Nowhere
from cellship.snapshot.live import check_live
from cellship.snapshot.refusal import Place, Unshippable
from cellship.snapshot.standin import standing_in

DEEPEST = 12
LONGEST = 80  # characters of a line that is shown
WIDEST = 2000  # children looked at on each level


def refusal_for(
    error: Exception, path: str, thing: Any, place: Place, references: Any
) -> CaptureRefused:
    """The refusal for a value that could not be pickled. `place` says who reads it."""
    if isinstance(error, CaptureRefused):
        return error
    found, cause = narrowest(path, thing, error, references)
    reason, hint, code = explain(cause)
    reader = f"{place.reader} reads  " if place.reader and place.reader != path else ""
    shown, where = binding_of(found, references) or (
        f"{found} ({type_name(follow(path, found, thing))})",
        place.text(),
    )
    return CaptureRefused(
        f"{reader}{shown}{'    ' if where else ''}{where}\n  {reason}",
        code=code,
        hint=hint,
        log_text=f"{type(cause).__name__}: {cause}",
    )


def binding_of(path: str, references: Any) -> tuple[str, str] | None:
    """The line that made a variable, and its place: `s = requests.Session()`, `cell 7, line 2`."""
    for found in references.walk.statements.binding(path)[:1]:
        text = found.text()
        if isinstance(found.node, ast.Assign) and "\n" not in text and len(text) <= LONGEST:
            return text, Place(cell=found.cell.number, line=found.node.lineno).text()
    return None


def explain(cause: Exception) -> tuple[str, str, str]:
    """Sentence, fix and code for what stopped the pickler."""
    if isinstance(cause, Unshippable):
        return cause.reason, cause.hint, cause.code
    if isinstance(cause, RecursionError):
        return (
            "It is nested too deeply to be written down.",
            "Keep it flatter, for example as a list.",
            "capture.too-deep",
        )
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return (
        f"It cannot move to another process: {said}",
        "Make it inside the function, or keep only the data that it is made from.",
        "capture.unpicklable",
    )


def narrowest(path: str, thing: Any, error: Exception, references: Any) -> tuple[str, Exception]:
    """The deepest attribute or item that fails by itself, and how."""
    for _ in range(DEEPEST):
        if own_reason(thing) is not None:
            break
        for name, child in children(path, thing):
            failed = failure(child, references)
            if failed is not None:
                path, thing, error = name, child, failed
                break
        else:
            break
    return path, error


def own_reason(thing: Any) -> Unshippable | None:
    """Why this very object cannot move, if it is known by its type."""
    try:
        check_live(thing)
    except Unshippable as reason:
        return reason
    return None


def failure(thing: Any, references: Any) -> Exception | None:
    try:
        with standing_in():
            Graph(Nowhere(), references, references.walk.arrays).dump(thing)
    except Exception as error:
        return error
    return None


def children(path: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """Parts of a value with their paths: items, attributes, closure."""
    if isinstance(thing, dict):
        found = [(f"{path}[{key!r}]", value) for key, value in list(thing.items())[:WIDEST]]
    elif isinstance(thing, list | tuple):
        found = [(f"{path}[{index}]", value) for index, value in enumerate(thing[:WIDEST])]
    elif isinstance(thing, type):
        found = []
    else:
        found = [(f"{path}.{key}", value) for key, value in attributes(thing)]
    yield from found


def attributes(thing: Any) -> list[tuple[str, Any]]:
    found = list(getattr(thing, "__dict__", {}).items())
    for name in ("__self__", "__wrapped__", "func", "args", "keywords"):
        if hasattr(thing, name) and not isinstance(getattr(thing, name), type(print)):
            found.append((name, getattr(thing, name)))
    names = getattr(getattr(thing, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(thing, "__closure__", None) or (), strict=False):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    return found


def follow(path: str, found: str, thing: Any) -> Any:
    """The object at path `found`, which begins with `path`."""
    for _ in range(DEEPEST):
        if path == found:
            return thing
        for name, child in children(path, thing):
            if found == name or found.startswith((f"{name}.", f"{name}[")):
                path, thing = name, child
                break
        else:
            break
    return thing


def type_name(thing: Any) -> str:
    return type(thing).__qualname__
