"""Statements that belong to a definition: registrations of `functools.singledispatch`."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator

from cellship.snapshot.items import Definition
from cellship.snapshot.statements import Statement, Statements


def registrations(item: Definition, statements: Statements) -> Iterator[str]:
    """`@f.register` definitions, in the order in which they were made."""
    thing = item.thing
    if not (hasattr(thing, "registry") and hasattr(thing, "dispatch")):
        return
    for implementation in list(thing.registry.values())[1:]:
        found = source_of(implementation, statements)
        if found is not None and registers(found.node, item.name):
            yield f"{found.text()}\n\n\ndel {implementation.__code__.co_name}"


def source_of(implementation: object, statements: Statements) -> Statement | None:
    if not isinstance(implementation, types.FunctionType):
        return None
    code = implementation.__code__
    return statements.function(code.co_filename, code.co_firstlineno, code.co_name)


def registers(node: ast.stmt, name: str) -> bool:
    return any(
        ast.unparse(decorator).startswith(f"{name}.register")
        for decorator in getattr(node, "decorator_list", [])
    )
