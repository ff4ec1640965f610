"""What an entry reaches: names to definitions, definitions to names, values to their parts."""

from __future__ import annotations

import builtins
import sys
import types
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from cellship.snapshot import shell_names
from cellship.snapshot.arrays import Arrays
from cellship.snapshot.definitions import Definitions
from cellship.snapshot.foreign import import_line, patches_of
from cellship.snapshot.graph import Graph, Nowhere
from cellship.snapshot.inner_code import inner_of
from cellship.snapshot.items import (
    NOWHERE,
    Alias,
    Constant,
    Decisions,
    Definition,
    Import,
    Inner,
    Item,
    Patch,
    Position,
    Value,
)
from cellship.snapshot.library_settings import settings_of
from cellship.snapshot.literals import MISSING, literal
from cellship.snapshot.meets import Meets
from cellship.snapshot.missing import Missing, missing_name
from cellship.snapshot.names import Names, line_of, names_in
from cellship.snapshot.order import NeedsItself
from cellship.snapshot.overlays import overlays_of
from cellship.snapshot.own_name import refuse_ours
from cellship.snapshot.refusal import Place
from cellship.snapshot.registered import registrations
from cellship.snapshot.shared_state import closure_is_shared, may_share, shared_overlays
from cellship.snapshot.standin import standing_in
from cellship.snapshot.statements import Statements
from cellship.snapshot.unshippable import refusal_for

OWN_NAMES = frozenset({"__name__", "__doc__", "__builtins__", "__file__", "__spec__", "__loader__"})


class Walk:
    """Collects the items of source.py that an entry needs, and all that those need."""

    def __init__(
        self, namespace: Mapping[str, Any], statements: Statements, decisions: Decisions
    ) -> None:
        self.namespace = namespace
        self.statements = statements
        self.decisions = decisions
        self.hidden = statements.record.hidden
        self.items: dict[str, Item] = {}
        self.modules: dict[str, str] = {}  # module -> why
        self.arrays = Arrays()
        self.definitions = Definitions(namespace, statements, decisions, self.add)
        self.meets = Meets(self)
        self.current: Item | None = None  # what is being looked through
        self._missing: list[Missing] = []
        self._assigned: set[str] = set()
        self._graphs: list[Graph] = []  # kept: their memos hold what they looked at
        self._inner: dict[int, tuple[types.CodeType, Inner | None]] = {}
        self._queue: deque[Item] = deque()

    @property
    def notes(self) -> list[str]:
        """What the receipt should say."""
        return self.definitions.notes

    def entry(self, name: str) -> None:
        """Begin at a name, and follow everything. Raises CaptureRefused."""
        self.need(name, Place(reader=name))
        self.follow()
        while self.share():
            self.follow()
        self.older_first()
        self.items.update({item.key: item for item in settings_of(self.statements, self.items)})
        for missing in self._missing:
            if missing.name not in self._assigned:
                raise missing_name(missing, self.namespace, self.statements)

    def follow(self) -> None:
        while self._queue:
            self.current = self._queue.popleft()
            self.expand(self.current)
        self.current = None

    def share(self) -> bool:
        """Take state of definitions from the stream where values hold it, too. Whether any was."""
        definitions = [item for item in self.items.values() if isinstance(item, Definition)]
        shipped: set[int] = set()
        if may_share(definitions):
            shipped.update(*(graph.met() for graph in self._graphs))
        found = False
        for item in definitions if shipped else ():
            if item.active and closure_is_shared(item, shipped):
                raise NeedsItself(item.key)
            for overlay in shared_overlays(item, shipped):
                found = True
                item.overlays.append(overlay)
                self.look_through(item, overlay.thing, overlay.path)
        return found

    def older_first(self) -> None:
        """What a name meant before is defined, and unbound, before the name is bound."""
        for item in list(self.items.values()):
            if isinstance(item, Definition) and item.key != item.name and item.name in self.items:
                self.items[item.name].first.append(item.key)

    # names

    def need(self, name: str, place: Place) -> str | None:
        """The key of a global name; None if it is Python's own, or does not exist."""
        if name in self.items:
            return name
        value = self.namespace.get(name, MISSING)
        if value is MISSING or shell_names.is_shells(name, value, self.hidden):
            return self.without_value(name, place)
        refuse_ours(name, value, place)
        self.bind(name, value, place)
        return name

    def without_value(self, name: str, place: Place) -> str | None:
        if name in shell_names.SHIMS:
            self.add(Import(name, text=f"from _cellship import {name}", place=place))
            return name
        found = getattr(builtins, name, MISSING)
        if getattr(found, "__globals__", None) is self.namespace:  # put there by the notebook
            self.bind(name, found, place)
            return name
        if name not in OWN_NAMES and found is MISSING:
            self._missing.append(Missing(name, place))
        return None

    def bind(self, name: str, value: Any, place: Place) -> None:
        """Decide how source.py binds `name` to `value`."""
        position = self.position(name)
        if text := import_line(name, value, self.statements):
            self.note_module(text.split()[1], f"{text}{place.suffix()}")
            self.add(Import(name, position, place, text=text))
            self.patched(value, place)
            return
        path = self.definitions.reference(value, name)
        if path is not None:
            if path != name:
                self.add(Alias(name, position, place, first=[path.split(".")[0]], of=path))
        elif (text := literal(value)) is not None:
            self.add(Constant(name, position, place, text=f"{name} = {text}"))
        else:
            self.add(Value(name, position, place, thing=value, cell=self.cell_of(name)))

    def position(self, name: str) -> Position:
        found = self.statements.binding(name)
        return found[0].position if found else NOWHERE

    def cell_of(self, name: str) -> int | None:
        found = self.statements.binding(name)
        return found[0].cell.number if found else None

    def add(self, item: Item) -> None:
        self.items[item.key] = item
        self._queue.append(item)

    def note_module(self, name: str, why: str) -> None:
        """Remember a module that ships, with the first reason."""
        self.modules.setdefault(name, why)

    def patched(self, value: Any, place: Place) -> None:
        """What the notebook set on a module that ships."""
        for path, thing in patches_of(value, self.namespace, self.statements):
            if path not in self.items:
                self.add(Patch(path, NOWHERE, place, path=path, thing=thing, text=literal(thing)))

    def inner(self, code: types.CodeType) -> Inner | None:
        """The item that carries this code as text."""
        if id(code) not in self._inner:
            found = inner_of(code, self.statements, {*self.items, *self.namespace})
            self._inner[id(code)] = (code, found)
            if found is not None:
                self.items[found.key] = found
        return self._inner[id(code)][1]

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
        item.first += self.needs(self.existing(names.shadowed), item)
        item.later += self.needs(names.at_call, item)
        item.later += self.needs(self.existing(names.optional), item)
        self._assigned.update(names.assigned)
        self.submodules(names, item)
        for registration in registrations(item, self.statements):
            self.register(registration, item)
        if "__subclasses__" in item.text:
            item.later += self.needs(self.own_classes(), item)
        item.overlays = overlays_of(item, self.namespace, self.decisions)
        for overlay in item.overlays:
            if overlay.text is None and not overlay.removed:
                self.look_through(item, overlay.thing, overlay.path)

    def existing(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.namespace]

    def own_classes(self) -> list[str]:
        """Names of the notebook's classes: whoever asks for subclasses means these, too."""
        return [
            name
            for name, value in self.namespace.items()
            if isinstance(value, type) and value.__module__ == "__main__"
        ]

    def register(self, text: str, item: Definition) -> None:
        names = names_in(text, item.postponed)
        item.after.append(text)
        item.first += self.needs(names.at_definition, item)
        item.later += self.needs(names.at_call, item)

    def needs(self, names: Iterable[str], item: Item) -> list[str]:
        found = (self.need(name, self.place_of(item, name)) for name in names)
        return [key for key in found if key is not None and key != item.key]

    def place_of(self, item: Item, name: str) -> Place:
        if not isinstance(item, Definition) or item.place.line is None:
            return item.place
        line = item.place.line + line_of(item.text, name) - 1
        reader = f"{item.name}()" if item.kind == "function" else item.name
        return Place(reader, item.place.cell, line)

    def submodules(self, names: Names, item: Item) -> None:
        """`import xml` and `xml.dom.minidom` imported elsewhere: both lines are needed."""
        for chain in names.chains:
            root, *parts = chain.split(".")
            module = self.namespace.get(root)
            path = module.__name__ if isinstance(module, types.ModuleType) else ""
            for part in parts if path else ():
                path = f"{path}.{part}"
                if not isinstance(sys.modules.get(path), types.ModuleType):
                    break
                self.submodule(path, f"{chain}{self.place_of(item, root).suffix()}", item)

    def submodule(self, path: str, why: str, item: Item) -> None:
        self.note_module(path, why)
        if path not in self.items:
            self.add(Import(path, text=f"import {path}", place=item.place))

    def look_through(self, item: Item, thing: Any, path: str) -> None:
        """Pickle into nothing, to learn what a value is made of and whether it can ship."""
        graph = Graph(Nowhere(), self.meets, self.arrays)
        self._graphs.append(graph)
        try:
            with standing_in():
                graph.dump(thing)
        except Exception as error:  # user code may raise anything while it is taken apart
            raise refusal_for(error, path, thing, item.place, self.meets) from error
