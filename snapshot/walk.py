"""What an entry reaches: names to definitions, definitions to names, values to what they are made of."""

from __future__ import annotations

import builtins
import sys
import types
from collections import deque
from collections.abc import Mapping
from typing import Any

from cellship.snapshot import shell_names
from cellship.snapshot.arrays import Arrays
from cellship.snapshot.find import Finder, Source
from cellship.snapshot.foreign import import_line, patches_of
from cellship.snapshot.graph import Graph, Nowhere
from cellship.snapshot.importable import import_path
from cellship.snapshot.items import (
    NOWHERE,
    Alias,
    Constant,
    Decisions,
    Definition,
    Import,
    Item,
    Overlay,
    Patch,
    Position,
    Value,
)
from cellship.snapshot.literals import MISSING, literal
from cellship.snapshot.missing import Missing, missing_name
from cellship.snapshot.names import Names, line_of, names_in, names_of_code
from cellship.snapshot.overlays import overlays_of
from cellship.snapshot.registered import registrations
from cellship.snapshot.refusal import Place, Unshippable
from cellship.snapshot.shell_code import without_magics
from cellship.snapshot.standin import standing_in
from cellship.snapshot.statements import Statements, first_line
from cellship.snapshot.unshippable import refusal_for

OWN_NAMES = frozenset({"__name__", "__doc__", "__builtins__", "__file__", "__spec__", "__loader__"})


class Walk:
    """Collects the items of source.py that `need` asks for, and all that those need.

    It is also what the pickler asks about functions, classes and modules that it meets (`References`).
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        statements: Statements,
        decisions: Decisions | None = None,
    ) -> None:
        self.namespace = namespace
        self.statements = statements
        self.decisions = decisions or Decisions()
        self.finder = Finder(namespace, statements)
        self.hidden = statements.record.hidden
        self.items: dict[str, Item] = {}
        self.modules: dict[str, str] = {}  # module -> why
        self.notes: list[str] = []
        self.arrays = Arrays()
        self.missing: list[Missing] = []
        self.assigned: set[str] = set()
        self.graphs: list[Graph] = []  # kept: their memos hold what they looked at
        self._paths: dict[int, str] = {}
        self._by_value: dict[int, Any] = {}
        self._queue: deque[Item] = deque()
        self._current: Item | None = None

    # names

    def entry(self, name: str) -> None:
        """Begin at a name, and follow everything."""
        self.need(name, Place(reader=name))
        self.follow()

    def follow(self) -> None:
        while self._queue:
            item = self._queue.popleft()
            self._current = item
            self.expand(item)
        self._current = None
        for missing in self.missing:
            if missing.name not in self.assigned:
                raise missing_name(missing, self.namespace, self.statements)

    def need(self, name: str, place: Place) -> str | None:
        """The key of a global name; None if it is Python's own, or does not exist."""
        if name in self.items:
            return name
        value = self.namespace.get(name, MISSING)
        if value is MISSING or shell_names.is_shells(name, value, self.hidden):
            return self.without_value(name, place)
        self.bind(name, value, place)
        return name

    def without_value(self, name: str, place: Place) -> str | None:
        if name in shell_names.SHIMS:
            self.add(Import(name, text=f"from _cellship import {name}", place=place))
            return name
        if name in OWN_NAMES or hasattr(builtins, name):
            return None
        self.missing.append(Missing(name, place))
        return None

    def bind(self, name: str, value: Any, place: Place) -> None:
        """Decide how source.py binds `name` to `value`."""
        position = self.position(name)
        if text := import_line(name, value, self.statements):
            self.note_module(import_module(text), f"{text}{place.suffix()}")
            self.add(Import(name, position, place, text=text))
            self.patched(value, place)
            return
        path = self.reference(value, name)
        if path == name:
            return
        if path is not None:
            self.add(Alias(name, position, place, first=[path.split(".")[0]], of=path))
        elif (text := literal(value)) is not None:
            self.add(Constant(name, position, place, text=f"{name} = {text}"))
        else:
            found = self.statements.binding(name)
            cell = found[0].cell.number if found else None
            self.add(Value(name, position, place, thing=value, cell=cell))

    def position(self, name: str) -> Position:
        found = self.statements.binding(name)
        return found[0].position if found else NOWHERE

    def add(self, item: Item) -> None:
        self.items[item.key] = item
        self._queue.append(item)

    def note_module(self, name: str, why: str) -> None:
        self.modules.setdefault(name, why)

    def patched(self, value: Any, place: Place) -> None:
        """What the notebook set on a module that ships."""
        for path, thing in patches_of(value, self.namespace, self.statements):
            if path not in self.items:
                self.add(Patch(path, NOWHERE, place, path=path, thing=thing, text=literal(thing)))

    # definitions

    def reference(self, thing: Any, name: str = "") -> str | None:
        """The path under which source.py defines `thing`; None: it goes by value."""
        found = self._paths.get(id(thing)) or self.in_class(thing)
        if found is None and id(thing) not in self._by_value:
            source = self.finder.find(thing, name) if may_be_defined(thing) else None
            found = self.define(thing, source)
        if found is not None and self._current is not None and isinstance(self._current, Value | Patch):
            self._current.first.append(found.split(".")[0])
        return found

    def known(self, thing: Any) -> str | None:
        """The path of what is defined already; nothing new is looked for."""
        return self._paths.get(id(thing))

    def in_class(self, thing: Any) -> str | None:
        """A function, or a class, that stands in a class of the notebook: `Net.forward`."""
        path = getattr(thing, "__qualname__", "")
        if not isinstance(path, str) or "." not in path or "<locals>" in path:
            return None
        if getattr(thing, "__module__", "") != "__main__":
            return None
        top, *names = path.split(".")
        owner = self.namespace.get(top)
        if not isinstance(owner, type) or self.reference(owner) != top:
            return None
        found: Any = owner
        for name in names:
            found = vars(found).get(name) if isinstance(found, type) else None
        return path if getattr(found, "__func__", found) is thing else None

    def define(self, thing: Any, source: Source | None) -> str | None:
        key = self.key_for(source, thing) if source is not None else ""
        if source is None or key in self.decisions.by_value:
            self._by_value[id(thing)] = thing
            return None
        statement = source.statement
        place = Place(key, statement.cell.number, first_line(statement.node))
        text = statement.text()
        code = without_magics(text, place)
        self.notes += [f"{key} runs a shell command in the worker: {c}" for c in code.commands]
        self._paths[id(thing)] = key
        self.add(
            Definition(
                key,
                statement.position,
                place,
                text=code.text,
                rewritten=code.text != text,
                name=source.name,
                thing=thing,
                statement=statement,
                kind="class" if isinstance(thing, type) else "function",
                postponed=self.statements.postponed(statement.cell),
            )
        )
        return key

    def key_for(self, source: Source, thing: Any) -> str:
        """The name itself, or `A__1` for what the name meant before it was bound again."""
        if self.namespace.get(source.name, MISSING) is thing:
            return source.name
        number = 1
        while f"{source.name}__{number}" in {*self.items, *self.namespace}:
            number += 1
        return f"{source.name}__{number}"

    # what an item needs

    def expand(self, item: Item) -> None:
        if isinstance(item, Definition):
            self.expand_definition(item)
        elif isinstance(item, Value):
            self.look_through(item, item.thing, item.key)
        elif isinstance(item, Patch) and item.text is None:
            self.look_through(item, item.thing, item.path)

    def expand_definition(self, item: Definition) -> None:
        names = names_in(item.text, item.postponed)
        item.first += self.needs(names.at_definition, item)
        item.later += self.needs(names.at_call, item)
        item.later += self.needs([n for n in names.optional if n in self.namespace], item)
        self.assigned.update(names.assigned)
        self.submodules(names, item)
        for registration in registrations(item, self.statements):
            item.after.append(registration)
            read = names_in(registration, item.postponed)
            item.first += self.needs(read.at_definition, item)
            item.later += self.needs(read.at_call, item)
        item.overlays = overlays_of(item, self.namespace, self.decisions)
        for overlay in item.overlays:
            if overlay.text is None and not overlay.removed:
                self.look_through(item, overlay.thing, overlay.path)

    def needs(self, names: Any, item: Item) -> list[str]:
        found = (self.need(name, self.place_of(item, name)) for name in names)
        return [key for key in found if key is not None and key != item.key]

    def place_of(self, item: Item, name: str) -> Place:
        if not isinstance(item, Definition) or item.place.line is None:
            return item.place
        line = item.place.line + line_of(item.text, name) - 1
        return Place(item.name, item.place.cell, line)

    def submodules(self, names: Names, item: Item) -> None:
        """`import xml` and `xml.dom.minidom` imported elsewhere: both lines are needed."""
        for chain in names.chains:
            root, *parts = chain.split(".")
            module = self.namespace.get(root)
            if not isinstance(module, types.ModuleType):
                continue
            path = module.__name__
            for part in parts:
                path = f"{path}.{part}"
                if not isinstance(sys.modules.get(path), types.ModuleType):
                    break
                self.note_module(path, f"{chain}{self.place_of(item, root).suffix()}")
                self.add_submodule(path, item)

    def add_submodule(self, path: str, item: Item) -> None:
        if path not in self.items:
            self.add(Import(path, text=f"import {path}", place=item.place))

    def look_through(self, item: Item, thing: Any, path: str) -> None:
        """Pickle into nothing, to learn what a value is made of and whether it can ship."""
        before, self._current = self._current, item
        graph = Graph(Nowhere(), self, self.arrays)
        self.graphs.append(graph)
        try:
            with standing_in():
                graph.dump(thing)
        except Exception as error:
            raise refusal_for(error, path, thing, item.place, self) from error
        finally:
            self._current = before

    # what the pickler asks

    def module(self, name: str) -> None:
        self.note_module(name, self.why_value())

    def why_value(self) -> str:
        return f"value {self._current.key}" if self._current else "value"

    def reads(self, function: types.FunctionType) -> dict[str, Any] | None:
        """Globals that a function by value brings along; None if they are the notebook's or a module's."""
        names = names_of_code(function.__code__)
        if function.__globals__ is self.namespace:
            code = function.__code__
            cells = self.statements.cells_of(code.co_filename)
            place = Place(function.__name__, cells[0].number if cells else None, code.co_firstlineno)
            self.later(key for name in names if (key := self.need(name, place)))
            return None
        owner = sys.modules.get(function.__globals__.get("__name__", ""))
        if owner is not None and vars(owner) is function.__globals__:
            self.module(owner.__name__)
            return None
        return {name: function.__globals__[name] for name in names if name in function.__globals__}

    def later(self, keys: Any) -> None:
        if self._current is not None:
            self._current.later += list(keys)

    def keep(self, target: Any) -> None:
        """A weak reference ships with the name that keeps its target alive."""
        for name, value in self.namespace.items():
            if value is target and target is not None and not name.startswith("_"):
                self.later([key for key in [self.need(name, Place())] if key])
                return
        raise Unshippable(
            "capture.weak-reference",
            "A weak reference ships only if a name of the notebook holds what it points at.",
            "Give that object a name, or keep a plain reference.",
        )


def may_be_defined(thing: Any) -> bool:
    """Whether a statement of the notebook may have defined this; what a module has is imported."""
    if isinstance(thing, types.ModuleType) or literal(thing) is not None:
        return False
    if isinstance(thing, types.FunctionType | type):
        return import_path(thing) is None
    return callable(thing) or type(thing).__module__ in ("typing", "_contextvars")


def import_module(text: str) -> str:
    """`from a.b import c as d` -> `a.b`."""
    return text.split()[1]


