"""The notebooks of examples/ run, and show what is stored in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tests.driver import Service

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))


def run(running: Service, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=folder, env=running.environment, capture_output=True, text=True, timeout=170
    )


def test_both_examples_are_there() -> None:
    assert NOTEBOOKS == ["quickstart.ipynb", "torch_module.ipynb"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_papermill_runs_it_twice(shared: Service, tmp_path: Path, notebook: str) -> None:
    for out in ("first.ipynb", "second.ipynb"):
        done = run(shared, tmp_path, "papermill", str(EXAMPLES / notebook), out)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_nbval_finds_the_stored_outputs(shared: Service, tmp_path: Path, notebook: str) -> None:
    done = run(
        shared,
        tmp_path,
        *("pytest", "--nbval", str(EXAMPLES / notebook), "--nbval-sanitize-with"),
        *(str(EXAMPLES / "sanitize.cfg"), "-p", "no:cacheprovider", "--rootdir", str(tmp_path)),
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_it_is_stored_as_it_ran(notebook: str) -> None:
    stored = nbformat.read(EXAMPLES / notebook, as_version=4)
    nbformat.validate(stored)
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any("is live" in str(cell.outputs) for cell in cells)
