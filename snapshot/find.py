"""From a live function or class to the statement that defines it again."""

from __future__ import annotations

import ast
import builtins
import collections
import contextvars
import dataclasses
import enum
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellship.snapshot.literals import MISSING, gives, looked_up
from cellship.snapshot.names import dotted, names_in
from cellship.snapshot.statements import (
    FunctionNode,
    Statement,
    Statements,
    first_line,
    without_decorators,
)

MAKERS: tuple[Any, ...] = (
    collections.namedtuple,
    typing.NamedTuple,
    typing.NewType,
    typing.TypeVar,
    typing.ParamSpec,
    typing.TypedDict,
    dataclasses.make_dataclass,
    contextvars.ContextVar,
    enum.Enum,
    enum.IntEnum,
    enum.Flag,
    enum.IntFlag,
)


@dataclass(frozen=True)
class Source:
    """Where something can be defined again, and under which name."""

    statement: Statement
    name: str
    plain: bool = False  # decorators gave the function back as it was: they need not run again

    def text(self) -> str:
        """What source.py says."""
        text = self.statement.text()
        return without_decorators(text) if self.plain else text

    @property
    def node(self) -> ast.stmt:
        return self.statement.node


@dataclass(frozen=True)
class Finder:
    """Looks definitions up in the cell record; None where running source would not do."""

    namespace: Mapping[str, Any]
    statements: Statements

    def find(self, thing: Any, name: str = "") -> Source | None:
        """The source of a function, a class or a decorator's work; `name`: one it is bound to."""
        found = self.look(thing, name or getattr(thing, "__name__", ""))
        return found if found is not None and self.can_run(found) else None

    def look(self, thing: Any, name: str) -> Source | None:
        if isinstance(thing, types.FunctionType) and thing.__globals__ is self.namespace:
            found = self.function(thing)
            if found is not None:
                return found
        if isinstance(thing, type):
            return self.class_(thing)
        return self.made(thing, name)

    def function(self, thing: types.FunctionType) -> Source | None:
        if thing.__closure__ or "<locals>" in thing.__qualname__:
            return None
        if thing.__code__.co_name == "<lambda>":
            return self.lambda_(thing)
        code = thing.__code__
        found = self.statements.function(code.co_filename, code.co_firstlineno, code.co_name)
        if found is None or self.decorated_away(found, thing):
            return None
        return Source(found, code.co_name, plain=True)

    def decorated_away(self, found: Statement, thing: Any) -> bool:
        """A decorator stands between this function and its name."""
        decorators = getattr(found.node, "decorator_list", [])
        return bool(decorators) and self.namespace.get(thing.__code__.co_name) is not thing

    def lambda_(self, thing: types.FunctionType) -> Source | None:
        code = thing.__code__
        found = self.statements.statement_at(code.co_filename, code.co_firstlineno)
        match found and found.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                if self.namespace.get(name) is thing:
                    return Source(found, name)  # type: ignore[arg-type]
        return None

    def class_(self, thing: type) -> Source | None:
        if thing.__module__ != "__main__" or "." in thing.__qualname__:
            return None
        name = thing.__qualname__
        known = self.statements.record.cell_of_class(thing)
        for found in self.statements.binding(name):
            if not isinstance(found.node, ast.ClassDef):
                continue
            if known is found.cell or (known is None and self.comes_from(thing, found)):
                return Source(found, name) if self.same_bases(thing, found.node) else None
        return self.made(thing, name)

    def comes_from(self, thing: type, found: Statement) -> bool:
        """Whether this class statement made the class, as far as its functions and entries tell."""
        codes = [function.__code__ for function in functions_of(thing)]
        typed = [code for code in codes if self.statements.cells_of(code.co_filename)]
        if not typed:  # nothing but data, or methods that a decorator generated
            return fits(thing, found.node)
        first, last = first_line(found.node), found.node.end_lineno or 0
        return any(
            code.co_filename == found.cell.filename and first <= code.co_firstlineno <= last
            for code in typed
        )

    def same_bases(self, thing: type, node: ast.ClassDef) -> bool:
        """Whether base classes that the statement names are those of the live class."""
        bases = thing.__dict__.get("__orig_bases__", thing.__bases__)
        for written, live in zip(node.bases, bases, strict=False):
            if isinstance(written, ast.Name) and self.now(written.id) is not live:
                return False
        return True

    def now(self, name: str) -> Any:
        return looked_up(name, self.namespace)

    def made(self, thing: Any, name: str) -> Source | None:
        """What a decorated def, or an assignment of a known maker, left under `name`."""
        if not name or self.namespace.get(name, MISSING) is not thing:
            return None
        for found in self.statements.binding(name)[:1]:
            if isinstance(found.node, FunctionNode) and holds(thing, found):
                return Source(found, name)
            if isinstance(found.node, ast.Assign) and self.by_maker(found.node):
                return Source(found, name)
        return None

    def by_maker(self, node: ast.Assign) -> bool:
        """`P = namedtuple("P", "a b")`: a call that may be run again."""
        match node:
            case ast.Assign(targets=[ast.Name()], value=ast.Call(func=function)):
                return any(self.called(function) is maker for maker in MAKERS)
        return False

    def called(self, function: ast.expr) -> Any:
        path = dotted(function)
        if not path:
            return None
        name, *attributes = path.split(".")
        found = self.now(name)
        for attribute in attributes:
            found = getattr(found, attribute, None)
        return found

    def can_run(self, found: Source) -> bool:
        """Whether everything that the statement reads when it runs is still there."""
        postponed = self.statements.postponed(found.statement.cell)
        names = names_in(found.text(), postponed)
        return all(
            name in self.namespace or hasattr(builtins, name) for name in names.at_definition
        )


def functions_of(thing: type) -> Iterator[types.FunctionType]:
    """Functions in a class body, out of their wrappers."""
    for value in list(vars(thing).values()):
        for inner in (value, getattr(value, "__func__", None), getattr(value, "fget", None)):
            if isinstance(inner, types.FunctionType):
                yield inner


def fits(thing: type, node: ast.stmt) -> bool:
    """Whether the class has what a body without functions assigns."""
    for child in getattr(node, "body", []):
        match child:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if gives(value, vars(thing).get(name, MISSING), {}) is False:
                    return False
    return True


def holds(thing: Any, found: Statement) -> bool:
    """Whether the function of a decorated def is somewhere inside what its decorators made."""
    line = first_line(found.node)
    return any(
        (function.__code__.co_filename, function.__code__.co_firstlineno)
        == (found.cell.filename, line)
        for function in held(thing)
    )


def held(thing: Any, depth: int = 4) -> Iterator[types.FunctionType]:
    """Functions inside a function's closure and `__wrapped__`, or inside a wrapper object."""
    if depth == 0 or thing is None:
        return
    if isinstance(thing, types.FunctionType):
        yield thing
        for cell in thing.__closure__ or ():
            try:
                contents = cell.cell_contents
            except ValueError:
                continue
            if callable(contents) or isinstance(contents, dict):
                yield from held(contents, depth - 1)
        yield from held(thing.__dict__.get("__wrapped__"), depth - 1)
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from held(value, depth - 1)
    elif not isinstance(thing, type):
        for name in ("__wrapped__", "__func__", "func", "fn", "py_func", "fget", "_fn", "_func"):
            yield from held(getattr(thing, name, None), depth - 1)
