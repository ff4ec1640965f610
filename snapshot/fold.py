"""Fold an expression to the value it will have, as far as constants and captured names tell.

For paths only: literals, f-strings, `/` and `+`, os.path.join, pathlib, values looked up in
captured dicts and objects. Nothing of the user's is called.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

UNKNOWN = object()
PLAIN = (str, int, float, bool, PurePath)

Scope = Mapping[str, Any]  # name -> value; UNKNOWN for a local whose value is not known


def fold(node: ast.AST | None, scope: Scope) -> Any:
    """The value of an expression, or UNKNOWN."""
    folder = FOLDERS.get(type(node))
    if folder is None or node is None:
        return UNKNOWN
    try:
        return folder(node, scope)
    except (TypeError, ValueError, LookupError, AttributeError, OSError):
        return UNKNOWN


def dotted(node: ast.AST) -> str:
    """`os.path.join` of the expression os.path.join; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _constant(node: Any, scope: Scope) -> Any:
    return node.value


def _name(node: Any, scope: Scope) -> Any:
    return scope.get(node.id, UNKNOWN)


def _f_string(node: Any, scope: Scope) -> Any:
    parts = [_part(value, scope) for value in node.values]
    return UNKNOWN if UNKNOWN in parts else "".join(parts)


def _part(node: Any, scope: Scope) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    value = fold(node.value, scope)
    if not isinstance(value, PLAIN) or node.conversion != -1:
        return UNKNOWN
    spec = fold(node.format_spec, scope) if node.format_spec else ""
    return format(value, spec) if isinstance(spec, str) else UNKNOWN


def _operation(node: Any, scope: Scope) -> Any:
    left, right = fold(node.left, scope), fold(node.right, scope)
    if isinstance(node.op, ast.Div) and isinstance(left, PurePath | str) and _is_path(right):
        return (
            left / right if isinstance(left, PurePath) or isinstance(right, PurePath) else UNKNOWN
        )
    if isinstance(left, str) and isinstance(node.op, ast.Add) and isinstance(right, str):
        return left + right
    if isinstance(left, str) and isinstance(node.op, ast.Mod) and _all_plain(right):
        return left % right
    return UNKNOWN


def _attribute(node: Any, scope: Scope) -> Any:
    if dotted(node) in ("os.sep", "os.path.sep", "os.curdir"):
        return os.sep if node.attr == "sep" else os.curdir
    value = fold(node.value, scope)
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, PurePath):
        return getattr(value, node.attr) if node.attr in PATH_ATTRIBUTES else UNKNOWN
    return _fields(value).get(node.attr, UNKNOWN)  # no property is run


def _fields(value: Any) -> dict[str, Any]:
    fields = getattr(value, "__dict__", None)
    return fields if type(fields) is dict else {}


def _subscript(node: Any, scope: Scope) -> Any:
    value, key = fold(node.value, scope), fold(node.slice, scope)
    if type(value) in (dict, list, tuple) and isinstance(key, str | int):
        return value[key]
    return UNKNOWN


def _call(node: Any, scope: Scope) -> Any:
    arguments = [fold(argument, scope) for argument in node.args]
    if node.keywords or not all(_is_path(argument) for argument in arguments):
        return UNKNOWN
    made = CALLS.get(dotted(node.func))
    if made:
        return made(*arguments)
    if not isinstance(node.func, ast.Attribute):
        return UNKNOWN
    method = PATH_METHODS.get(node.func.attr)
    receiver = fold(node.func.value, scope)
    return method(receiver, *arguments) if method and isinstance(receiver, PurePath) else UNKNOWN


def _is_path(value: Any) -> bool:
    return isinstance(value, str | PurePath)


def _all_plain(value: Any) -> bool:
    return isinstance(value, PLAIN) or (
        type(value) is tuple and all(isinstance(part, PLAIN) for part in value)
    )


def _tuple(node: Any, scope: Scope) -> Any:
    return tuple(fold(part, scope) for part in node.elts)


def _same(path: Any) -> Any:
    """Absolute forms are made from the worker's own folder when it runs: the path stays."""
    return path


FOLDERS: dict[type[Any], Callable[[Any, Scope], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.JoinedStr: _f_string,
    ast.BinOp: _operation,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.Tuple: _tuple,
}
PATH_ATTRIBUTES = frozenset({"parent", "name", "stem", "suffix"})
PATH_METHODS: dict[str, Callable[..., Any]] = {
    "joinpath": PurePath.joinpath,
    "with_name": PurePath.with_name,
    "with_suffix": PurePath.with_suffix,
    "with_stem": PurePath.with_stem,
    "as_posix": PurePath.as_posix,
    "resolve": _same,
    "absolute": _same,
    "expanduser": lambda path: Path(path).expanduser(),
}
CALLS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("Path", "PurePath", "PosixPath", "pathlib.Path", "pathlib.PurePath"), Path),
    **dict.fromkeys(("os.path.join", "path.join", "osp.join"), os.path.join),
    **dict.fromkeys(("str", "os.fspath", "fspath"), os.fspath),
    **dict.fromkeys(("os.path.abspath", "os.path.realpath"), _same),
    **dict.fromkeys(("os.path.normpath",), os.path.normpath),
    **dict.fromkeys(("os.path.expanduser",), os.path.expanduser),
    **dict.fromkeys(("Path.cwd", "pathlib.Path.cwd"), lambda: Path()),
    **dict.fromkeys(("os.getcwd", "getcwd"), lambda: os.curdir),
    **dict.fromkeys(("Path.home", "pathlib.Path.home"), Path.home),
}
