"""The cells that ran in this kernel: source as compiled, file name, order, folder, success.

`inspect` is not enough: it fails for classes of notebooks and for `%%time` cells.
"""

from __future__ import annotations

import ast
import linecache
import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cellship.snapshot.example_calls import Watch

TIMED = "<timed exec>"  # what `%%time` compiles its body as


@dataclass(frozen=True)
class Cell:
    """One execution of a cell, or of the body of a cell magic.

    `filename` is the `co_filename` of what it defined; `source` the Python that IPython made of it.
    `succeeded` is None while it runs, and where it is not known.
    """

    number: int
    order: int
    filename: str
    source: str
    cwd: str
    succeeded: bool | None = None
    raw: str = ""

    def tree(self) -> ast.Module:
        """The parsed source; empty if it is no Python."""
        return parsed(self.source)

    def lines(self) -> list[str]:
        return self.source.splitlines()


@lru_cache(maxsize=4096)
def parsed(source: str) -> ast.Module:
    """Parse once: a redeploy meets the same cells again."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


class CellRecord:
    """Keeps one `Cell` per execution, through IPython's own events."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.cells: list[Cell] = []
        self.late = 0  # how many cells ran before the record began
        self.classes: dict[int, tuple[weakref.ref[type], Cell]] = {}
        self.watch: Watch | None = None  # the calls of the body that `run` ran last
        self._running: list[int | None] = []

    @classmethod
    def attach(cls, shell: Any) -> CellRecord:
        """Begin a record; what ran before comes from the compiler's map and the history."""
        record = cls(shell)
        record.rebuild()
        shell.events.register("pre_run_cell", record.before)
        shell.events.register("post_run_cell", record.after)
        return record

    def detach(self) -> None:
        """Keep no record from now on."""
        self.shell.events.unregister("pre_run_cell", self.before)
        self.shell.events.unregister("post_run_cell", self.after)

    @property
    def hidden(self) -> Mapping[str, Any]:
        """Names that IPython itself put into the notebook's namespace."""
        found: Mapping[str, Any] = self.shell.user_ns_hidden
        return found

    @property
    def outputs(self) -> Mapping[int, Any]:
        """`Out`: what cells answered, by number."""
        found: Mapping[int, Any] = self.shell.user_ns.get("_oh", {})
        return found

    def run(self, shell: Any, source: str) -> Any:
        """Run the body of a cell magic as a cell of its own; the value of its last expression.

        Raises what the body raises.
        """
        from cellship.snapshot.run_cell import run_body

        __tracebackhide__ = True
        return run_body(self, shell, source)

    def add(self, number: int, source: str, filename: str, raw: str) -> int:
        """Record a cell that is about to run; its place in `cells`."""
        self.cells.append(Cell(number, len(self.cells), filename, source, os.getcwd(), None, raw))
        return len(self.cells) - 1

    def current_number(self, stored: bool) -> int:
        """The number of the cell about to run: IPython 9.16 counts it before it tells us."""
        count = int(self.shell.execution_count)
        return count - 1 if stored and len(self.history()) < count else count

    def finish(self, place: int, succeeded: bool) -> None:
        """Say how a recorded cell ended, and remember the classes that it made."""
        cell = self.cells[place] = replace(self.cells[place], succeeded=succeeded)
        if "class " in cell.source:
            self.remember_classes(cell)

    def running_number(self) -> int:
        """The number of the cell that runs now."""
        places = [place for place in self._running if place is not None]
        return self.cells[places[-1]].number if places else self.current_number(False)

    def before(self, info: Any) -> None:
        """IPython is about to run a cell."""
        number = self.current_number(bool(info.store_history))
        self._running.append(self.begin(info.raw_cell or "", number))

    def begin(self, raw: str, number: int) -> int | None:
        transformed = self.transform(raw)
        if transformed is None:
            return None
        name = self.shell.compile.get_code_name(raw, transformed, number)
        place = self.add(number, transformed, name, raw)
        self.add_timed(transformed, number)
        return place

    def after(self, result: Any) -> None:
        """IPython ran a cell."""
        place = self._running.pop() if self._running else None
        if place is not None:
            self.finish(place, bool(result.success))

    def transform(self, raw: str) -> str | None:
        try:
            transformed: str = self.shell.transform_cell(raw)
        except Exception:  # whatever a transformer raises, IPython shows it itself
            return None
        return transformed

    def add_timed(self, transformed: str, number: int) -> None:
        magic = cell_magic(transformed)
        if magic and magic[0] == "time" and (body := self.transform(magic[1])) is not None:
            self.add(number, body, TIMED, magic[1])

    def remember_classes(self, cell: Cell) -> None:
        """Which class came from which cell cannot be read off a class before Python 3.13."""
        for node in cell.tree().body:
            made = self.shell.user_ns.get(getattr(node, "name", ""))
            if isinstance(node, ast.ClassDef) and isinstance(made, type):
                self.classes.setdefault(id(made), (weakref.ref(made), cell))

    def cell_of_class(self, made: type) -> Cell | None:
        """The cell whose class statement made this very class, if that was seen."""
        reference, cell = self.classes.get(id(made), (None, None))
        return cell if reference is not None and reference() is made else None

    def rebuild(self) -> None:
        """Cells that ran before: sources under their file names, in the order of their numbers."""
        found = {number: text for number, text in enumerate(self.history()) if text.strip()}
        named = {
            number: name
            for name, number in getattr(self.shell.compile, "_filename_map", {}).items()
            if name in linecache.cache
        }
        for number in sorted(found.keys() | named.keys()):
            self.rebuild_cell(number, named.get(number), found.get(number, ""))
        self.late = len(self.cells)

    def history(self) -> list[str]:
        manager = self.shell.history_manager
        return list(manager.input_hist_raw) if manager is not None else []

    def rebuild_cell(self, number: int, name: str | None, raw: str) -> None:
        transformed = self.transform(raw) if raw else "".join(linecache.getlines(name or ""))
        if not transformed:
            return
        given = name or str(self.shell.compile.get_code_name(raw, transformed, number))
        self.add(number, transformed, given, raw)
        if magic := cell_magic(transformed):
            self.rebuild_magic(number, *magic)

    def rebuild_magic(self, number: int, magic: str, raw: str) -> None:
        body = self.transform(raw)
        if body is not None:
            named = self.shell.compile.get_code_name(raw, body, number)
            self.add(number, body, TIMED if magic == "time" else named, raw)

    def put(self, number: int, filename: str, source: str, raw: str) -> None:
        self.cells.append(Cell(number, len(self.cells), filename, source, os.getcwd(), None, raw))


def cell_magic(transformed: str) -> tuple[str, str] | None:
    """(name, body) if the cell is one cell magic."""
    if "run_cell_magic" not in transformed:
        return None
    match parsed(transformed).body:
        case [ast.Expr(ast.Call(ast.Attribute(attr="run_cell_magic"), [name, _, body]))]:
            return ast.literal_eval(name), ast.literal_eval(body)
    return None
