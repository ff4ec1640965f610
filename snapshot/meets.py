"""What the pickler asks while it looks through a value; the walk learns from its questions."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from cellship.snapshot.items import Patch, Value
from cellship.snapshot.names import names_of_code
from cellship.snapshot.refusal import Place, Unshippable

if TYPE_CHECKING:
    from cellship.snapshot.walk import Walk


class Meets:
    """Answers a pickler (`graph.References`); what it meets is needed by the current item."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def reference(self, thing: Any) -> str | None:
        """The path under which source.py defines `thing`; None: it goes by value."""
        path = self.walk.definitions.reference(thing)
        item = self.walk.current
        if path is not None and isinstance(item, Value | Patch):
            item.first.append(path.split(".")[0])
        return path

    def module(self, name: str) -> None:
        """The stream names a module."""
        item = self.walk.current
        self.walk.note_module(name, f"value {item.key}" if item else "value")

    def reads(self, function: types.FunctionType) -> dict[str, Any] | None:
        """Globals that a function by value brings along; None if a module has them."""
        names = names_of_code(function.__code__)
        if function.__globals__ is self.walk.namespace:
            place = self.place_of(function)
            self.later(key for name in names if (key := self.walk.need(name, place)))
            return None
        owner = sys.modules.get(function.__globals__.get("__name__", ""))
        if owner is not None and vars(owner) is function.__globals__:
            self.module(owner.__name__)
            return None
        return {name: function.__globals__[name] for name in names if name in function.__globals__}

    def place_of(self, function: types.FunctionType) -> Place:
        code = function.__code__
        cells = self.walk.statements.cells_of(code.co_filename)
        number = cells[0].number if cells else None
        return Place(f"{function.__name__}()", number, code.co_firstlineno if cells else None)

    def later(self, keys: Any) -> None:
        if self.walk.current is not None:
            self.walk.current.later += list(keys)

    def code(self, code: types.CodeType) -> tuple[str, str] | None:
        """Where source.py has the source of this code; None if it cannot have it."""
        found = self.walk.inner(code)
        if found is None:
            return None
        if self.walk.current is not None:
            self.walk.current.first.append(found.key)
        return found.key, found.name

    def remade(self, thing: Any) -> None:
        """A lock is made anew; the receipt says so."""
        item = self.walk.current
        note = f"{item.key} holds a lock: it is made again, unlocked" if item else ""
        if note and note not in self.walk.notes:
            self.walk.notes.append(note)

    def keep(self, target: Any) -> None:
        """A weak reference ships with the name that keeps its target alive. Raises Unshippable."""
        for name, value in list(self.walk.namespace.items()):
            if value is target and target is not None and not name.startswith("_"):
                self.later(key for key in [self.walk.need(name, Place())] if key)
                return
        raise Unshippable(
            "capture.weak-reference",
            "A weak reference ships only if a name of the notebook holds what it points at.",
            "Give that object a name, or keep a plain reference.",
        )
