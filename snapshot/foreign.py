"""What is not the notebook's own: imports, and what the notebook changed on imported modules."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from cellship.snapshot.importable import attribute, import_path
from cellship.snapshot.names import dotted
from cellship.snapshot.statements import Statements

TYPES = (type, types.FunctionType, types.BuiltinFunctionType)


def import_line(name: str, value: Any, statements: Statements) -> str | None:
    """The line that binds `name` to this very object by importing it; None if none does."""
    if isinstance(value, types.ModuleType):
        return module_line(name, value.__name__)
    for found in statements.binding(name)[:1]:
        if isinstance(found.node, ast.ImportFrom) and (text := from_line(name, value, found.node)):
            return text
    path = import_path(value) if isinstance(value, TYPES) else None
    if path is None or path[0] == "builtins" or "." in path[1]:
        return None
    return as_name(f"from {path[0]} import {path[1]}", path[1], name)


def module_line(name: str, module: str) -> str:
    if module == name:
        return f"import {module}"
    return f"import {module} as {name}"


def from_line(name: str, value: Any, node: ast.ImportFrom) -> str | None:
    """The notebook's own `from … import …`, for this name alone, if it still gives this object."""
    if node.level or not node.module:
        return None
    for alias in node.names:
        original = name if alias.name == "*" else alias.name
        bound = name if alias.name == "*" else (alias.asname or alias.name)
        module = sys.modules.get(node.module)
        if bound == name and module is not None and attribute(module, original) is value:
            return as_name(f"from {node.module} import {original}", original, name)
    return None


def as_name(line: str, original: str, name: str) -> str:
    return line if original == name else f"{line} as {name}"


def patches_of(
    value: Any, namespace: Mapping[str, Any], statements: Statements
) -> Iterator[tuple[str, Any]]:
    """(path, live value) of what the notebook set on this module, or on this imported class."""
    for path in [*assigned_paths(statements), *own_functions(value, namespace)]:
        root = namespace.get(path.split(".")[0])
        found = attribute(root, path.partition(".")[2])
        if root is value and found is not None and not isinstance(found, types.ModuleType):
            yield path, found


def assigned_paths(statements: Statements) -> Iterator[str]:
    """`pd.options.mode.copy_on_write`: what assignments and `setattr` of all cells name."""
    seen: dict[str, None] = {}
    for cell in statements.record.cells:
        for node in ast.walk(cell.tree()) if "." in cell.source or "setattr" in cell.source else ():
            seen.setdefault(assigned_path(node))
    seen.pop("", None)
    yield from seen


def assigned_path(node: ast.AST) -> str:
    match node:
        case ast.Attribute(ctx=ast.Store()):
            return dotted(node)
        case ast.Call(func=ast.Name("setattr"), args=[target, ast.Constant(value=str(name)), _]):
            path = dotted(target) or getattr(target, "id", "")
            return f"{path}.{name}" if path else ""
    return ""


def own_functions(value: Any, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Functions of the notebook that stand in somebody else's module, however they came there."""
    if not isinstance(value, types.ModuleType):
        return
    names = [name for name, bound in namespace.items() if bound is value]
    for attribute_name, found in list(vars(value).items()):
        if isinstance(found, types.FunctionType) and found.__globals__ is namespace:
            yield from (f"{name}.{attribute_name}" for name in names[:1])
