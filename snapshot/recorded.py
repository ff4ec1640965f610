"""Where examples come from: the cell that ships, else the last recorded call in the notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cellship.snapshot.cells import Cell, CellRecord
from cellship.snapshot.example_calls import Watch, calls_in, is_example
from cellship.snapshot.examples import UNKNOWN, Example, from_calls
from cellship.snapshot.pure import evaluate, is_pure
from cellship.snapshot.request import CaptureRequest
from cellship.snapshot.statements import segment

QUIET = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


@dataclass
class Examples:
    """The examples of a request, and what the receipt says about other lines."""

    found: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def examples_of(
    request: CaptureRequest, live: Any, namespace: Mapping[str, Any], record: CellRecord
) -> Examples:
    """Examples are taken, not run: the cell has run already."""
    if not request.example_run:
        return Examples([], ["examples not run (--no-example-run)"])
    found = Examples()
    watch = record.watch if request.cell else None
    if watch is not None:
        found.found = from_calls(watch.calls, request.entry, live, namespace)
        found.notes = other_lines(watch, found.found)
        record.watch = None  # it holds arguments and answers, which may be large
    if not found.found:
        found.found = list(islice(earlier(request.entry, namespace, record), 1))
    return found


def other_lines(watch: Watch, examples: list[Example]) -> list[str]:
    """Lines of the cell that are neither definitions nor examples ran in the kernel only."""
    texts = tuple(example.text for example in examples)
    others = [
        text
        for node, text in watch.statements
        if not isinstance(node, QUIET) and not is_text(node) and not any(t in text for t in texts)
    ]
    if not others:
        return []
    lines = "1 other line" if len(others) == 1 else f"{len(others)} other lines"
    return [f"{lines} of the cell ran in the kernel only: {others[0].splitlines()[0]}"]


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def earlier(entry: str, namespace: Mapping[str, Any], record: CellRecord) -> Iterator[Example]:
    """The newest recorded call whose arguments can be evaluated again without doing anything."""
    for cell in reversed(record.cells):
        if cell.succeeded is False or entry not in cell.source:
            continue
        for node in reversed(list(calls_of(cell, entry))):
            made = evaluated(cell, node, record.outputs, namespace)
            if made is not None:
                yield made


def calls_of(cell: Cell, entry: str) -> Iterator[ast.Call]:
    for statement in cell.tree().body:
        if is_example(statement) or isinstance(statement, ast.Assign):
            for node in calls_in(statement):
                if ast.unparse(node.func) == entry and with_pure_arguments(node):
                    yield node


def with_pure_arguments(node: ast.Call) -> bool:
    keywords = [(keyword.arg, keyword.value) for keyword in node.keywords]
    return all(is_pure(argument) for argument in node.args) and all(
        name is not None and is_pure(value) for name, value in keywords
    )


def evaluated(
    cell: Cell, node: ast.Call, outputs: Mapping[int, Any], namespace: Mapping[str, Any]
) -> Example | None:
    """The call with its arguments of today; None if they are gone. The entry is not called."""
    try:
        arguments = tuple(evaluate(argument, namespace) for argument in node.args)
        keywords = {str(k.arg): evaluate(k.value, namespace) for k in node.keywords}
    except Exception:  # a subscript, or an attribute that user code computes, may raise anything
        return None
    answer = outputs.get(cell.number, UNKNOWN) if is_output(cell, node) else UNKNOWN
    return Example(segment(cell, node), "call", arguments, keywords, answer)


def is_output(cell: Cell, node: ast.Call) -> bool:
    """Whether the call's answer was the output of its cell."""
    body = cell.tree().body
    return bool(body) and isinstance(body[-1], ast.Expr) and body[-1].value is node
