"""A notebook without a server: an IPython shell, its cell record, and workers as plain processes.

Packages are left out: the workers run this very interpreter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from cellship.backend import worker
from cellship.snapshot import folder as folder_module
from cellship.snapshot.candidate import Candidate
from cellship.snapshot.capture import capture
from cellship.snapshot.cells import CellRecord
from cellship.snapshot.interpreter import Interpreter
from cellship.snapshot.packages import Packages
from cellship.snapshot.request import CaptureRequest

WORKER = Path(worker.__file__).parent


class Notebook:
    """A shell, what ran in it, and what it ships."""

    def __init__(self, scratch: Path, shell: Any = None, late: bool = False) -> None:
        self.scratch = scratch
        self.shell = shell or InteractiveShell.instance()
        self.record = None if late else CellRecord.attach(self.shell)
        self.options: dict[str, Any] = {}
        self.reports: list[dict[str, Any]] = []  # what each admit said

    def run(self, *sources: str) -> None:
        """Run cells. Raises RuntimeError if one fails."""
        for source in sources:
            self.run_cell(source)

    def run_cell(self, source: str) -> None:
        result = self.shell.run_cell(source, store_history=True)
        if not result.success:
            raise RuntimeError(f"a cell failed: {result.error_in_exec or result.error_before_exec}")

    def capture(self, entry: str, **options: Any) -> Candidate:
        """A candidate, admitted by a worker."""
        known = options.pop("known", None)
        self.options = {"example_run": True, "tolerance": None, **options}
        record = self.record or CellRecord.attach(self.shell)
        request = CaptureRequest("case", entry, **options)
        staging = Path(tempfile.mkdtemp(dir=self.scratch))
        return capture(request, self.shell.user_ns, record, staging, admit=self.admit, known=known)

    def deploy(self, body: str, entry: str, **options: Any) -> Candidate:
        """What `%%deploy` does: run the body as a cell of its own, then capture."""
        assert self.record is not None
        self.record.run(self.shell, body)
        return self.capture(entry, cell=body, **options)

    def admit(self, candidate: Candidate) -> dict[str, Any]:
        """The report of a worker."""
        job = {
            "snapshot": str(placed(candidate)),
            "admit": str(candidate.admit_folder),
            "settings": {"entry": candidate.receipt.entry},
            "example_run": self.options["example_run"],
            "tolerance": self.options["tolerance"],
        }
        self.reports.append(self.worker("admit", job))
        return self.reports[-1]

    def call(self, candidate: Candidate, expression: str) -> dict[str, Any]:
        """What `exec` says to an expression in a clean worker."""
        job = {"snapshot": str(placed(candidate)), "expression": expression}
        return self.worker("exec", job)

    def answer(self, candidate: Candidate, expression: str) -> str:
        """The repr that `exec` prints. Raises RuntimeError with the worker's traceback."""
        found = self.call(candidate, expression)
        if not found["ok"]:
            raise RuntimeError(found.get("traceback") or found["error"])
        return str(found["repr"])

    def worker(self, verb: str, job: dict[str, Any]) -> dict[str, Any]:
        place = Path(tempfile.mkdtemp(dir=self.scratch))
        folders = {name: str(place / name) for name in ("work", "home", "tmp")}
        result = place / "result.json"
        whole = {**job, **folders, "result": str(result)}
        with subprocess.Popen(
            [sys.executable, "-I", str(WORKER), verb],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(whole) + "\n")
            process.stdin.flush()
            output = process.stdout.read()
        if not result.exists():
            return {"ok": False, "problem": "raised", "message": output, "error": output}
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def placed(candidate: Candidate) -> Path:
    """The snapshot folder with its buffers, as the store would lay it out."""
    buffers = candidate.folder / "values" / "buffers"
    buffers.mkdir(exist_ok=True)
    for blob in candidate.blobs:
        if not (buffers / blob.digest).exists():
            blob.write(buffers / blob.digest)
    return candidate.folder


def without_packages() -> None:
    """The worker of these cases is this interpreter: no trees are made."""

    def resolve(roots: Any, **options: Any) -> Packages:
        return Packages((), "", (), ())

    def interpreter(cache: Any) -> Interpreter:
        return Interpreter(None, "3", "python", (), None, "here")

    folder_module.resolve = resolve
    folder_module.interpreter = interpreter
