"""Source for functions that no statement defines again: closures, lambdas in values, wrappers.

Their code travels as text, in a function of source.py that is never called; its parameters are the
variables that the closure keeps:

    def add__code(k, n):
        def add(x): ...

The stream then says "the code called add in add__code", which any version of Python can follow.
"""

from __future__ import annotations

import ast
import textwrap
import types
from collections.abc import Collection, Iterator

from cellship.snapshot.items import Inner
from cellship.snapshot.refusal import Place
from cellship.snapshot.state import digest
from cellship.snapshot.statements import FunctionNode, Statement, Statements, first_line, segment


def inner_of(code: types.CodeType, statements: Statements, taken: Collection[str]) -> Inner | None:
    """The item that carries this code; None if its source is not known, or gives other code."""
    statement = statements.statement_at(code.co_filename, code.co_firstlineno)
    if statement is None:
        return None
    key = key_for(code.co_name, taken)
    for node in nodes_of(code, statement):
        text = carrier(key, code, statement, node)
        if same_code(text, code):
            place = Place(code.co_name, statement.cell.number, node.lineno)
            return Inner(
                key, (statement.cell.order, node.lineno), place, text=text, name=code.co_name
            )
    return None


def key_for(name: str, taken: Collection[str]) -> str:
    plain = "lambda" if name == "<lambda>" else name
    key, number = f"{plain}__code", 1
    while key in taken:
        number += 1
        key = f"{plain}__code{number}"
    return key


def nodes_of(code: types.CodeType, statement: Statement) -> Iterator[ast.Lambda | ast.stmt]:
    """Definitions at the code's line, with its name."""
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            line = node.lineno
        elif isinstance(node, FunctionNode) and node.name == code.co_name:
            line = first_line(node)
        else:
            continue
        if line == code.co_firstlineno:
            yield node


def carrier(
    key: str, code: types.CodeType, statement: Statement, node: ast.Lambda | ast.stmt
) -> str:
    """A function around the definition, which takes what the closure keeps."""
    head = f"def {key}({', '.join(code.co_freevars)}):"
    if isinstance(node, ast.Lambda):
        return f"{head}\n    return ({segment(statement.cell, node)})"
    lines = statement.cell.lines()[node.lineno - 1 : node.end_lineno]
    text = "\n".join([" " * node.col_offset + lines[0][node.col_offset :], *lines[1:]])
    return f"{head}\n{textwrap.indent(textwrap.dedent(text), '    ')}"


def same_code(text: str, code: types.CodeType) -> bool:
    """Whether compiling the text gives the live code, places apart."""
    try:
        module = compile(text, "<inner>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    holder = next(c for c in module.co_consts if isinstance(c, types.CodeType))
    inner = [
        c for c in holder.co_consts if isinstance(c, types.CodeType) and c.co_name == code.co_name
    ]
    return bool(inner) and digest(inner[0]) == digest(code)
