"""Finding source: which statement bound a name, which definition a live function came from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from cellship.snapshot.cells import Cell, CellRecord

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)


@dataclass(frozen=True)
class Statement:
    """A statement at the top level of a cell, or in a block there (`if`, `try`, `with`, a loop)."""

    cell: Cell
    node: ast.stmt

    @property
    def position(self) -> tuple[int, int]:
        return self.cell.order, self.node.lineno

    def text(self) -> str:
        """The source of the statement, decorators included, without its block's indentation."""
        return text_of(self.cell, self.node)


class Statements:
    """An index over a cell record. Making one is cheap: cells are parsed once per kernel."""

    def __init__(self, record: CellRecord) -> None:
        self.record = record
        self._by_name: dict[str, list[Statement]] = {}
        self._by_file: dict[str, list[Cell]] = {}
        for cell in record.cells:
            self._by_file.setdefault(cell.filename, []).append(cell)
            for node, names in bindings(cell.source):
                for name in names:
                    self._by_name.setdefault(name, []).append(Statement(cell, node))

    def binding(self, name: str) -> list[Statement]:
        """Statements that bind `name`, newest first; those of failed cells last."""
        found = self._by_name.get(name, [])
        return sorted(
            found, key=lambda s: (s.cell.succeeded is not False, s.position), reverse=True
        )

    def postponed(self, cell: Cell) -> bool:
        """Whether the cell's annotations are text: IPython keeps a flag that it once saw."""
        return any(
            other.order <= cell.order and "__future__" in other.source and postpones(other)
            for other in self.record.cells
        )

    def deleted_in(self, name: str) -> Cell | None:
        """The last cell that says `del name`."""
        for cell in reversed(self.record.cells):
            if "del " in cell.source and name in set(deleted_names(cell.tree())):
                return cell
        return None

    def cells_of(self, filename: str) -> list[Cell]:
        """Cells compiled under this file name, newest first."""
        return self._by_file.get(filename, [])[::-1]

    def function(self, filename: str, line: int, name: str) -> Statement | None:
        """The top-level `def` whose code object begins at this line."""
        for cell in self.cells_of(filename):
            for node in top_level(cell.tree()):
                if (
                    isinstance(node, FunctionNode)
                    and node.name == name
                    and first_line(node) == line
                ):
                    return Statement(cell, node)
        return None

    def statement_at(self, filename: str, line: int) -> Statement | None:
        """The top-level statement that this line belongs to."""
        for cell in self.cells_of(filename):
            for node in top_level(cell.tree()):
                if not isinstance(node, BLOCKS) and first_line(node) <= line <= end_line(node):
                    return Statement(cell, node)
        return None


@lru_cache(maxsize=4096)
def bindings(source: str) -> tuple[tuple[ast.stmt, tuple[str, ...]], ...]:
    """Top-level statements of a cell with the names that they bind."""
    from cellship.snapshot.cells import parsed

    return tuple((node, tuple(bound_names(node))) for node in top_level(parsed(source)))


def postpones(cell: Cell) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in cell.tree().body
    )


def deleted_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            yield node.id


def top_level(tree: ast.Module | ast.stmt) -> Iterator[ast.stmt]:
    """Statements that run in the notebook's own namespace; blocks, then what is in them."""
    for name in ("body", "orelse", "finalbody", "handlers"):
        for node in getattr(tree, name, []):
            if isinstance(node, ast.ExceptHandler):
                yield from top_level(node)  # type: ignore[arg-type]
                continue
            yield node
            if isinstance(node, BLOCKS):
                yield from top_level(node)


def bound_names(node: ast.stmt) -> Iterator[str]:
    """Names that the statement itself binds (not those of statements in its block)."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases):
            yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from stored(target)
        case ast.With(items=items):
            yield from (name for item in items for name in stored(item.optional_vars))
        case ast.If() | ast.While() | ast.Try():
            return
        case _:
            yield from stored(node)


def stored(node: ast.AST | None) -> Iterator[str]:
    for child in ast.walk(node) if node is not None else ():
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id


def first_line(node: ast.stmt) -> int:
    """The line where the code object of a definition begins: its first decorator."""
    decorators = getattr(node, "decorator_list", [])
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in decorators)]
    return min(lines)


def end_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def text_of(cell: Cell, node: ast.stmt) -> str:
    """Source lines of a statement, dedented; exact, comments included."""
    if not hasattr(node, "decorator_list"):
        return segment(cell, node)
    lines = cell.lines()[first_line(node) - 1 : end_line(node)]
    if not node.col_offset:
        return "\n".join(lines)
    text = "\n".join(line.removeprefix(" " * node.col_offset) for line in lines)
    # a string over several lines must keep its own indentation
    return text if same_code(text, node) else "if True:\n" + "\n".join(lines)


def calls_code(text: str) -> bool:
    """Whether running a definition calls something: a decorator, a hook, a metaclass."""
    node = ast.parse(text).body[0]
    if isinstance(node, FunctionNode):
        return bool(node.decorator_list)
    if isinstance(node, ast.ClassDef):
        calls = any(isinstance(child, ast.Call) for child in ast.walk(node))
        return bool(node.decorator_list or node.bases or node.keywords or calls)
    return True


def without_decorators(text: str) -> str:
    """The definition with its decorators as comments; its lines keep their places."""
    node = ast.parse(text).body[0]
    decorators = getattr(node, "decorator_list", [])
    if not decorators:
        return text
    lines = text.split("\n")
    head = [f"# {line}" for line in lines[: node.lineno - 1]]
    return "\n".join([*head, *lines[node.lineno - 1 :]])


def same_code(text: str, node: ast.stmt) -> bool:
    try:
        return ast.dump(ast.parse(text).body[0]) == ast.dump(node)
    except SyntaxError:
        return False


def segment(cell: Cell, node: ast.expr | ast.stmt) -> str:
    """The exact text of an expression or a simple statement."""
    return ast.get_source_segment(cell.source, node) or ast.unparse(node)
