"""The cell record."""

from __future__ import annotations

from typing import Any

from cellship.snapshot.cells import TIMED, CellRecord
from cellship.snapshot.statements import Statements


def test_numbers_names_and_success(notebook: Any) -> None:
    notebook.run("K = 1", "def f(x): return K")
    notebook.shell.run_cell("def g(x): return 1\n1 / 0", store_history=True)
    cells = notebook.record.cells
    assert [(cell.number, cell.succeeded) for cell in cells] == [(1, True), (2, True), (3, False)]
    assert cells[1].filename == notebook.shell.user_ns["f"].__code__.co_filename
    assert cells[0].cwd == str(notebook.scratch)


def test_a_timed_cell_is_found(notebook: Any) -> None:
    notebook.run("%%time\ndef f(x): return x")
    assert notebook.shell.user_ns["f"].__code__.co_filename == TIMED
    assert Statements(notebook.record).function(TIMED, 1, "f") is not None


def test_a_record_that_begins_late(shell: Any) -> None:
    shell.run_cell("def f(x): return 1", store_history=True)
    shell.run_cell("%%time\ndef g(x): return 2", store_history=True)
    record = CellRecord.attach(shell)
    found = Statements(record)
    for name in ("f", "g"):
        code = shell.user_ns[name].__code__
        assert found.function(code.co_filename, code.co_firstlineno, name) is not None
    assert record.late == len(record.cells) == 3
    record.detach()


def test_the_body_of_a_magic_is_a_cell_with_lines(notebook: Any) -> None:
    import inspect

    notebook.record.run(notebook.shell, "def f(x):\n    return x")
    assert inspect.getsource(notebook.shell.user_ns["f"]) == "def f(x):\n    return x\n"


def test_the_last_successful_binding_comes_first(notebook: Any) -> None:
    notebook.run("def g(x): return 1")
    notebook.shell.run_cell("1 / 0\ndef g(x): return 2", store_history=True)
    first = Statements(notebook.record).binding("g")[0]
    assert first.cell.number == 1


def test_detached_it_records_nothing(notebook: Any) -> None:
    notebook.record.detach()
    notebook.run("K = 1")
    assert notebook.record.cells == []
    notebook.shell.events.register("pre_run_cell", notebook.record.before)
    notebook.shell.events.register("post_run_cell", notebook.record.after)
