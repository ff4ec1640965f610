"""A `%%deploy` that fails must fail whoever runs the notebook, with our words (ANCHORS.md 3.6)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from tests.driver import TERMINAL, Kernel, Service

REFUSED = [
    "%load_ext cellship",
    "import socket\nline = socket.socket()",
    "%%deploy {name}\ndef f(x: int) -> int:\n    return line.fileno() + x\n",
]
NO_NAME = ["%load_ext cellship", "%%deploy\ndef f(x: int) -> int:\n    return x\n"]
RUNNERS = {
    "papermill": ["papermill", "in.ipynb", "out.ipynb", "--kernel", "python3"],
    "nbconvert": ["nbconvert", "--to", "notebook", "--execute", "in.ipynb", "--output", "out"],
    "nbval": ["pytest", "--nbval-lax", "in.ipynb", "-p", "no:cacheprovider", "-W", "default"],
}


def written(folder: Path, cells: Sequence[str], name: str) -> None:
    sources = [nbformat.v4.new_code_cell(cell.replace("{name}", name)) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=sources), folder / "in.ipynb")


def run(runner: str, running: Service, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *RUNNERS[runner]],
        cwd=folder,
        env=running.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_refused_cell_fails_the_run(
    shared: Service, tmp_path: Path, name: str, runner: str
) -> None:
    written(tmp_path, REFUSED, name)
    done = run(runner, shared, tmp_path)
    assert done.returncode != 0
    said = TERMINAL.sub("", done.stdout + done.stderr)
    assert f"%%deploy {name}: not shipped." in said
    assert "capture." in said
    assert shared.command("versions", name).returncode == 3


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_line_without_a_name_fails_the_run(
    shared: Service, tmp_path: Path, name: str, runner: str
) -> None:
    written(tmp_path, NO_NAME, name)
    done = run(runner, shared, tmp_path)
    assert done.returncode != 0
    assert "A name is missing" in TERMINAL.sub("", done.stdout + done.stderr)


def test_no_service_is_said_and_fails_the_run(tmp_path: Path, notebook: Kernel, name: str) -> None:
    notebook.run(
        "import os\nos.environ |= {'CELLSHIP_URL': 'http://127.0.0.1:9', 'CELLSHIP_TOKEN': 'x'}"
    )
    failed = notebook.attempt(f"%%deploy {name}\ndef f(x: int) -> int:\n    return x\n")
    assert failed.error == "NoBackend"
    assert "Traceback" not in failed.text


def test_a_cell_that_raises_ships_nothing(shared: Service, notebook: Kernel, name: str) -> None:
    failed = notebook.attempt(f"%%deploy {name}\ndef f(x: int) -> int:\n    return x\n\n1 / 0\n")
    assert failed.error == "ZeroDivisionError"
    assert shared.command("versions", name).returncode == 3


def test_an_assert_that_fails_ships_nothing(shared: Service, notebook: Kernel, name: str) -> None:
    failed = notebook.attempt(
        f"%%deploy {name}\ndef f(x: int) -> int:\n    return x\n\nassert f(1) == 2\n"
    )
    assert failed.error == "AssertionError"
    assert shared.command("versions", name).returncode == 3


def test_a_cell_that_raised_before_does_not_ship_what_it_would_have_made(
    shared: Service, notebook: Kernel, name: str
) -> None:
    notebook.run("K = 1")
    notebook.attempt("raise ValueError('no')\nK = 2")
    notebook.run(f"%%deploy {name}\ndef f(x: int) -> int:\n    return x + K\n\nassert f(1) == 2\n")
    assert shared.call(name, x=1).json() == 2


def test_a_syntax_error_is_the_users(shared: Service, notebook: Kernel, name: str) -> None:
    failed = notebook.attempt(f"%%deploy {name}\ndef f(x: int -> int:\n    return x\n")
    assert failed.error == "UsageProblem"
    assert "SyntaxError: invalid syntax" in failed.text
    assert "Nothing ran" in failed.text
    assert shared.command("versions", name).returncode == 3


def test_the_error_is_the_class_that_people_catch(notebook: Kernel, name: str) -> None:
    notebook.run(
        "import socket\nline = socket.socket()\n"
        "def f(x: int) -> int:\n    return line.fileno() + x\n"
    )
    ran = notebook.run(
        f"try:\n    get_ipython().run_line_magic('deploy', '{name} --entry f')\n"
        "except cellship.CaptureRefused as error:\n"
        "    print(type(error).__name__, error.code)\n    print(error)"
    )
    first, *rest = ran.text.splitlines()
    assert first.startswith("CaptureRefused capture.")
    assert "line" in " ".join(rest)
