"""Examples of an entry: the calls of its cell with their answers, as they travel to admit."""

from __future__ import annotations

import ast
import inspect
import io
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cellship.snapshot.as_json import NotJson, as_json
from cellship.snapshot.example_calls import WatchedCall
from cellship.snapshot.graph import Graph
from cellship.snapshot.literals import MISSING
from cellship.snapshot.names import names_in
from cellship.snapshot.pure import evaluate, is_pure
from cellship.snapshot.standin import standing_in
from cellship.snapshot.walk import Walk

ANSWER = "_answer"
UNKNOWN = object()  # the answer of a call from before that nobody kept
LARGEST = 64 << 20  # bytes of arguments and answers that travel


@dataclass(frozen=True)
class Example:
    """One call of the entry. `check` is the assert with the call replaced by `_answer`, or ""."""

    text: str
    kind: str  # "call" or "assert"
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    answer: Any
    check: str = ""
    operands: Mapping[str, Any] = field(default_factory=dict)


def from_calls(
    calls: Sequence[WatchedCall], entry: str, live: Any, namespace: Mapping[str, Any]
) -> list[Example]:
    """Examples among the calls that were watched: those of the entry, by its name or the object."""
    return [
        example(call, namespace) for call in calls if call.callee == entry or call.function is live
    ]


def example(call: WatchedCall, namespace: Mapping[str, Any]) -> Example:
    made = Example(
        text=call.text,
        kind="assert" if isinstance(call.statement, ast.Assert) else "call",
        arguments=call.arguments,
        keywords=call.keywords,
        answer=call.answer,
    )
    if not isinstance(call.statement, ast.Assert):
        return made
    check = Check(call, namespace)
    expression = check.expression()
    if expression is None:
        return made
    return Example(**{**vars(made), "check": expression, "operands": check.operands})


class Check(ast.NodeTransformer):
    """An assert as an expression over the answer; what else it reads is evaluated here."""

    def __init__(self, call: WatchedCall, namespace: Mapping[str, Any]) -> None:
        self.call = call
        self.namespace = namespace
        self.operands: dict[str, Any] = {}
        self.replaced = 0

    def expression(self) -> str | None:
        """None where the call does not stand plainly in the assert (in a comprehension)."""
        assert isinstance(self.call.statement, ast.Assert)
        test = ast.parse(ast.unparse(self.call.statement.test), mode="eval").body
        if any(isinstance(n, ast.comprehension | ast.Lambda) for n in ast.walk(test)):
            return None
        made = self.visit(test)
        text = ast.unparse(ast.fix_missing_locations(made))
        if self.replaced != 1 or not self.bring(text):
            return None
        return text

    def visit(self, node: ast.AST) -> Any:
        called = node.value if isinstance(node, ast.Await) else node
        if isinstance(called, ast.Call) and ast.unparse(called) == ast.unparse(self.call.node):
            self.replaced += 1
            return ast.Name(ANSWER, ast.Load())
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant) and is_pure(node):
            return self.operand(node)
        return super().visit(node)

    def operand(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name) and node.id not in self.namespace:
            return node
        name = f"_operand_{len(self.operands)}"
        self.operands[name] = evaluate(node, self.namespace)
        return ast.Name(name, ast.Load())

    def bring(self, text: str) -> bool:
        """Values of the names that are left, such as a function that compares."""
        for name in names_in(text).at_definition:
            if name == ANSWER or name in self.operands:
                continue
            value = self.namespace.get(name, MISSING)
            if isinstance(value, types.ModuleType) or value is not MISSING:
                self.operands[name] = value
        return True


class InSnapshot:
    """What a pickler may refer to once source.py is fixed."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def reference(self, thing: Any) -> str | None:
        return self.walk.definitions.known(thing)

    def module(self, name: str) -> None:
        """Modules of arguments are not roots: the entry did not name them."""

    def reads(self, function: types.FunctionType) -> dict[str, Any] | None:
        return None

    def code(self, code: types.CodeType) -> tuple[str, str] | None:
        return None

    def remade(self, thing: Any) -> None:
        """Nobody is told about locks of examples."""

    def keep(self, target: Any) -> None:
        """Nothing is kept alive for an example."""


def pickled(examples: Sequence[Example], entry: str, walk: Walk) -> tuple[bytes, list[str]]:
    """(stream for admit, notes on examples that cannot travel)."""
    kept, notes = [], []
    for each in examples:
        record = {**vars(each), "callee": entry, "operands": dict(each.operands)}
        record["keywords"] = dict(each.keywords)
        record["compare"] = each.answer is not UNKNOWN
        record["answer"] = each.answer if record["compare"] else None
        try:
            data = dumped([record], walk)
        except Exception as error:  # whatever an argument's own __reduce__ raises
            notes.append(f"{each.text}: not compared, its values cannot travel ({error})")
            continue
        if len(data) > LARGEST:
            notes.append(f"{each.text}: not compared, its values are larger than 64 MiB")
        else:
            kept.append(record)
    return (dumped(kept, walk) if kept else b""), notes


def dumped(records: list[dict[str, Any]], walk: Walk) -> bytes:
    file = io.BytesIO()
    graph = Graph(file, InSnapshot(walk), walk.arrays, inline=True)
    with standing_in():
        graph.dump(records)
    return file.getvalue()


def written(examples: Sequence[Example], live: Any) -> list[dict[str, Any]]:
    """examples.json: what a request body, and a pushed version's admit, can use of them."""
    return [
        {
            "text": each.text,
            "kind": each.kind,
            "arguments": json_arguments(each, live),
            "answer": None,
            **json_check(each),
        }
        for each in examples
    ]


def json_arguments(example: Example, live: Any) -> dict[str, Any] | None:
    """The arguments by name, as a request would send them; None if JSON cannot hold them."""
    try:
        bound = inspect.signature(live).bind(*example.arguments, **example.keywords)
        named = dict(bound.arguments)
        for parameter in bound.signature.parameters.values():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                named.update(named.pop(parameter.name, {}))
            elif parameter.kind is inspect.Parameter.VAR_POSITIONAL and named.get(parameter.name):
                return None
        found: dict[str, Any] = as_json(named)
    except (NotJson, TypeError, ValueError):
        return None
    return found


def json_check(example: Example) -> dict[str, Any]:
    if not example.check:
        return {}
    try:
        operands = {name: as_json(value) for name, value in example.operands.items()}
    except NotJson:
        return {}
    if any(json.loads(json.dumps(value)) != value for value in operands.values()):
        return {}
    return {"check": example.check, "operands": operands}
