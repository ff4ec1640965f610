"""Definitions of source.py: one per live function or class that a statement can make again."""

from __future__ import annotations

import contextvars
import types
from collections.abc import Callable, Mapping
from typing import Any

from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.find import Finder, Source
from cellship.snapshot.importable import import_path
from cellship.snapshot.items import Decisions, Definition
from cellship.snapshot.literals import MISSING, literal
from cellship.snapshot.own_name import refuse_imports
from cellship.snapshot.refusal import Place
from cellship.snapshot.shell_code import without_magics
from cellship.snapshot.statements import Statements, calls_code, first_line


class Definitions:
    """Knows under which path source.py has a thing. A new definition is handed to `add`."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        statements: Statements,
        decisions: Decisions,
        add: Callable[[Definition], None],
    ) -> None:
        self.namespace = namespace
        self.statements = statements
        self.decisions = decisions
        self.add = add
        self.notes: list[str] = []
        self._finder = Finder(namespace, statements)
        self._paths: dict[int, str] = {}
        self._by_value: dict[int, Any] = {}  # kept alive, so that an id stays its own

    def reference(self, thing: Any, name: str = "") -> str | None:
        """The path under which source.py defines `thing`; None: it goes by value.

        `name` is one that the notebook binds it to.
        """
        found = self.known(thing) or self.in_class(thing)
        if found is None and id(thing) not in self._by_value:
            source = self._finder.find(thing, name) if may_be_defined(thing) else None
            found = self.define(thing, source)
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
        if isinstance(thing, contextvars.ContextVar) and thing in contextvars.copy_context():
            raise unshippable_context(key or thing.name)
        if source is None or key in self.decisions.by_value:
            self._by_value[id(thing)] = thing
            return None
        made = self.definition(key, thing, source)
        self._paths[id(thing)] = key
        self.add(made)
        return key

    def definition(self, key: str, thing: Any, source: Source) -> Definition:
        statement, text = source.statement, source.text()
        place = Place(key, statement.cell.number, first_line(statement.node))
        refuse_imports(text, place)
        code = without_magics(text, place)
        self.notes += [f"{key} runs a shell command in the worker: {c}" for c in code.commands]
        return Definition(
            key,
            statement.position,
            place,
            text=code.text,
            rewritten=code.text != text,
            active=calls_code(code.text),
            name=source.name,
            thing=thing,
            statement=statement,
            kind="class" if isinstance(thing, type) else "function",
            postponed=self.statements.postponed(statement.cell),
        )

    def key_for(self, source: Source, thing: Any) -> str:
        """The name itself, or `A__1` for what the name meant before it was bound again."""
        if self.namespace.get(source.name, MISSING) is thing:
            return source.name
        number = 1
        while f"{source.name}__{number}" in {*self._paths.values(), *self.namespace}:
            number += 1
        return f"{source.name}__{number}"


def unshippable_context(name: str) -> CaptureRefused:
    return CaptureRefused(
        f"{name} is a context variable that was set in this kernel.\n"
        "  What is set holds for this context only; a worker would find the default.",
        code="capture.context-variable",
        hint="Set it inside the function, or pass the value as a parameter.",
    )


def may_be_defined(thing: Any) -> bool:
    """Whether a statement of the notebook may have made this; what a module has is imported."""
    if isinstance(thing, types.ModuleType) or literal(thing) is not None:
        return False
    if isinstance(thing, types.FunctionType | type):
        return import_path(thing) is None
    return callable(thing) or type(thing).__module__ in ("typing", "_contextvars")
