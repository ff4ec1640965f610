"""Two who ship at once, and one who changes their mind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
from tests.driver import Kernel, Service, until

CELL = "%%deploy {name}\ndef f(x: int) -> int:\n    return x + {n}\n"


def test_two_notebooks_deploy_one_name(shared: Service, tmp_path: Path, name: str) -> None:
    runs = [papermill(shared, tmp_path, name, n) for n in (1, 2)]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], "\n".join(said)

    versions = sorted(each["version"] for each in shared.listed("versions", name))
    assert versions == [1, 2]
    answers = {version: shared.call(f"{name}@{version}", x=0).json() for version in versions}
    assert sorted(answers.values()) == [1, 2]
    assert shared.call(name, x=0).json() == answers[2], "the later commit has the traffic"


def papermill(running: Service, folder: Path, name: str, n: int) -> subprocess.Popen[str]:
    """A notebook that ships an entry, running."""
    cells = ["%load_ext cellship", CELL.format(name=name, n=n)]
    sources = [nbformat.v4.new_code_cell(cell) for cell in cells]
    path = folder / f"{n}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=sources), path)
    command = [sys.executable, "-m", "papermill", str(path), str(folder / f"{n}-out.ipynb")]
    return subprocess.Popen(
        [*command, "--kernel", "python3"],
        env=running.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_an_interrupt_during_the_upload_leaves_nothing(own: Service, notebook: Kernel) -> None:
    notebook.run("import numpy as np\nbig = np.random.default_rng(0).random((400, 1 << 17))")
    cell = "%%deploy big\ndef big_row(n: int) -> float:\n    return float(big[n, 0])\n"

    failed = notebook.interrupted(cell, when=lambda: leased(own))
    assert failed.error, "the deploy had ended before it was interrupted"
    assert "Traceback" not in failed.message
    assert own.command("versions", "big").returncode == 3
    until(lambda: not leased(own), what="the lease is gone")

    assert notebook.run("1 + 1").text.strip() == "2"
    notebook.run(cell)
    assert own.call("big", n=0).status_code == 200


def leased(running: Service) -> list[Path]:
    return list((running.data / "leases").iterdir())
