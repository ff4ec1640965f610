"""State that running a definition again would make anew, although something that ships shares it.

`class A: items = []` and `ALIAS = A.items`: both must be one list in a worker, too.
"""

from __future__ import annotations

import abc
import types
from collections.abc import Iterable, Iterator
from typing import Any

from cellship.snapshot.items import Definition, Overlay
from cellship.snapshot.literals import literal

ALONE = (type, types.FunctionType, types.ModuleType, staticmethod, classmethod, property)


def shared_overlays(item: Definition, shipped: set[int]) -> list[Overlay]:
    """Overlays for state that the stream holds anyway; `shipped` are the ids of its objects."""
    known = {overlay.path for overlay in item.overlays}
    return [
        Overlay(f"{item.key}.{name}", thing, None)
        for name, thing, parts in made_again(item)
        if f"{item.key}.{name}" not in known and any(id(part) in shipped for part in parts)
    ]


def closure_is_shared(item: Definition, shipped: set[int]) -> bool:
    """Whether a closure that a decorator made holds something that the stream holds, too."""
    return any(id(contents) in shipped for contents in closure_of(item.thing))


def may_share(items: Iterable[Definition]) -> bool:
    """Whether there is anything to look for."""
    return any([*made_again(item), *map(id, closure_of(item.thing))] for item in items)


def made_again(item: Definition) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """(attribute, its value, objects in it) of what the definition's own statement makes."""
    thing = item.thing
    if type(thing) in (type, abc.ABCMeta):  # members of an enumeration are its own
        for name, value in list(vars(thing).items()):
            if not name.startswith("__") and is_one_object(value):
                yield name, value, (value,)
    elif isinstance(thing, types.FunctionType) and not item.active:
        parts = tuple(part for part in thing.__defaults__ or () if is_one_object(part))
        if parts:
            yield "__defaults__", thing.__defaults__, parts


def closure_of(thing: Any) -> Iterator[Any]:
    for cell in getattr(thing, "__closure__", None) or ():
        try:
            contents = cell.cell_contents
        except ValueError:
            continue
        if is_one_object(contents):
            yield contents


def is_one_object(value: Any) -> bool:
    """Whether it matters that a value is this object and no copy of it."""
    return literal(value) is None and not isinstance(value, ALONE) and not callable(value)
