"""Expressions that can be evaluated once more without doing anything."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import Any

# fmt: off
QUIET_METHODS = frozenset((
    "tolist", "copy", "item", "keys", "values", "items", "to_dict", "head", "tail", "astype",
    "reshape",
))
# fmt: on


def is_pure(node: ast.expr) -> bool:
    """Names, constants, attributes, subscripts, containers, arithmetic, `.tolist()`."""
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=value):
            return is_pure(value)
        case ast.Subscript(value=value, slice=index):
            return is_pure(value) and is_pure(index)
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(part is None or is_pure(part) for part in (lower, upper, step))
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return all(is_pure(item) for item in items)
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and is_pure(key) for key in keys) and all(
                is_pure(value) for value in values
            )
        case ast.UnaryOp(operand=operand):
            return is_pure(operand)
        case ast.BinOp(left=left, right=right):
            return is_pure(left) and is_pure(right)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args, keywords=[]):
            return name in QUIET_METHODS and is_pure(value) and all(is_pure(a) for a in args)
    return False


def evaluate(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """The value of a pure expression. Raises what it raises."""
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<example>", "eval")
    return eval(code, {"__builtins__": builtins, **namespace})
