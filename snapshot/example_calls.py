"""Watching the calls at the top level of a deployed cell while it runs, once."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

WATCH = "__cellship_watch__"
ENOUGH = 20  # calls kept of one cell


@dataclass(frozen=True)
class WatchedCall:
    """A call that ran: its text, what was called with what, and its answer."""

    text: str
    callee: str
    function: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    answer: Any
    statement: ast.stmt
    node: ast.Call


@dataclass
class Watch:
    """Collects the calls of bare, `assert` and `print` lines of one run."""

    calls: list[WatchedCall] = field(default_factory=list)
    statements: list[tuple[ast.stmt, str]] = field(default_factory=list)
    _nodes: list[tuple[ast.Call, ast.stmt, str]] = field(default_factory=list)

    def instrument(self, tree: ast.Module, source: str) -> ast.Module:
        """A tree that reports its top-level calls; what it does is unchanged."""
        body = []
        for statement in tree.body:
            text = ast.get_source_segment(source, statement) or ast.unparse(statement)
            self.statements.append((statement, text))
            body.append(self.watched(statement, source) if is_example(statement) else statement)
        return ast.Module(body, tree.type_ignores)

    def watched(self, statement: ast.stmt, source: str) -> ast.stmt:
        # parsed again, so that the recorded nodes stay as they were typed
        twin = ast.parse(source).body
        match = next(node for node in twin if same_place(node, statement))
        calls = dict(zip(calls_in(statement), calls_in(match), strict=True))
        made: ast.stmt = Reporting(self, calls, match, source).visit(statement)
        return ast.fix_missing_locations(made)

    def number(self, node: ast.Call, statement: ast.stmt, source: str) -> int:
        text = ast.get_source_segment(source, node) or ast.unparse(node)
        self._nodes.append((node, statement, text))
        return len(self._nodes) - 1

    def __call__(self, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            __tracebackhide__ = True
            answer = function(*arguments, **keywords)
            if inspect.iscoroutine(answer):
                return self.awaited(answer, number, function, arguments, keywords)
            self.keep(number, function, arguments, keywords, answer)
            return answer

        return call

    async def awaited(
        self, answer: Any, number: int, function: Any, arguments: Any, keywords: Any
    ) -> Any:
        __tracebackhide__ = True
        value = await answer
        self.keep(number, function, arguments, keywords, value)
        return value

    def keep(self, number: int, function: Any, arguments: Any, keywords: Any, answer: Any) -> None:
        node, statement, text = self._nodes[number]
        if len(self.calls) < ENOUGH:
            callee = ast.unparse(node.func)
            self.calls.append(
                WatchedCall(text, callee, function, arguments, keywords, answer, statement, node)
            )

    def __enter__(self) -> Watch:
        setattr(builtins, WATCH, self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        delattr(builtins, WATCH)


class Reporting(ast.NodeTransformer):
    """Replaces `f(x)` by `watch(n, f)(x)`."""

    def __init__(
        self, watch: Watch, twins: dict[ast.Call, ast.Call], statement: ast.stmt, source: str
    ) -> None:
        self.watch, self.twins, self.statement, self.source = watch, twins, statement, source

    def visit_Call(self, node: ast.Call) -> ast.AST:
        twin = self.twins.get(node)
        self.generic_visit(node)
        if twin is None:
            return node
        number = self.watch.number(twin, self.statement, self.source)
        watcher = ast.Name(WATCH, ast.Load())
        wrapped = ast.Call(watcher, [ast.Constant(number), node.func], [])
        return ast.copy_location(
            ast.Call(ast.copy_location(wrapped, node), node.args, node.keywords), node
        )


def is_example(statement: ast.stmt) -> bool:
    """Whether calls of the entry in this line are examples: bare, in `assert`, in `print`."""
    match statement:
        case ast.Assert():
            return True
        case ast.Expr(ast.Await() | ast.Call() | ast.Compare() | ast.Subscript() | ast.Attribute()):
            return True
    return False


def calls_in(statement: ast.AST) -> Iterator[ast.Call]:
    """Calls of something that has a plain or a dotted name."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and is_dotted(node.func):
            yield node


def is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def same_place(one: ast.stmt, other: ast.stmt) -> bool:
    return (one.lineno, one.col_offset) == (other.lineno, other.col_offset)
