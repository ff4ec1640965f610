"""The body of a `%%deploy` cell, run as a cell of its own."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from cellship.snapshot.awaiting import finished
from cellship.snapshot.example_calls import Watch

if TYPE_CHECKING:
    from cellship.snapshot.cells import CellRecord


def run_body(record: CellRecord, shell: Any, source: str) -> Any:
    """The value of the last expression. Top-level calls are watched: they become examples."""
    __tracebackhide__ = True
    transformed = shell.transform_cell(source)
    number = record.running_number()
    filename = shell.compile.cache(transformed, number, raw_code=source)
    place = record.add(number, transformed, filename, source)
    watch = record.watch = Watch()
    succeeded = False
    try:
        value = execute(shell, watch, transformed, filename)
        succeeded = True
    finally:
        record.finish(place, succeeded)
    return value


def execute(shell: Any, watch: Watch, transformed: str, filename: str) -> Any:
    __tracebackhide__ = True
    tree = shell.transform_ast(shell.compile.ast_parse(transformed, filename=filename))
    body = watch.instrument(tree, transformed).body
    last = body[-1] if body else None
    with watch:
        if not isinstance(last, ast.Expr):
            return run(shell, compiled(shell, ast.Module(body, []), filename, "exec"))
        run(shell, compiled(shell, ast.Module(body[:-1], []), filename, "exec"))
        return run(shell, compiled(shell, ast.Expression(last.value), filename, "eval"))


def compiled(shell: Any, tree: ast.AST, filename: str, mode: str) -> Any:
    with shell.compile.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
        return shell.compile(tree, filename, mode)


def run(shell: Any, code: Any) -> Any:
    __tracebackhide__ = True
    with shell.builtin_trap:
        value = eval(code, shell.user_global_ns, shell.user_ns)
        return finished(value) if code.co_flags & inspect.CO_COROUTINE else value
