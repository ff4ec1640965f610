"""Runs capture cases, each in an IPython shell of its own; one JSON line per case on stdout.

`python case_runner.py CASES.json ID,ID,… [late]`. Packages are left out.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from cellship.backend import worker
from cellship.snapshot import folder as folder_module
from cellship.snapshot.candidate import Candidate
from cellship.snapshot.capture import capture
from cellship.snapshot.cells import CellRecord
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.interpreter import Interpreter
from cellship.snapshot.packages import Packages
from cellship.snapshot.request import CaptureRequest

WORKER = Path(worker.__file__).parent


class Shell:
    """A notebook's shell, the worker beside it."""

    def __init__(self, scratch: Path, late: bool = False) -> None:
        self.scratch = scratch
        self.shell = InteractiveShell.instance()
        self.record = None if late else CellRecord.attach(self.shell)

    def run(self, source: str) -> None:
        result = self.shell.run_cell(source, store_history=True)
        if not result.success:
            raise RuntimeError(f"a cell failed: {result.error_in_exec or result.error_before_exec}")

    def capture(self, entry: str, **options: Any) -> Candidate:
        record = self.record or CellRecord.attach(self.shell)
        request = CaptureRequest("case", entry, **options)
        staging = Path(tempfile.mkdtemp(dir=self.scratch))
        return capture(request, self.shell.user_ns, record, staging, admit=self.admit)

    def admit(self, candidate: Candidate) -> dict[str, Any]:
        job = {
            "snapshot": str(placed(candidate)),
            "admit": str(candidate.admit_folder),
            "settings": {"entry": candidate.receipt.entry},
            "example_run": True,
            "tolerance": None,
        }
        return self.worker("admit", job)

    def call(self, candidate: Candidate, expression: str) -> dict[str, Any]:
        job = {"snapshot": str(placed(candidate)), "expression": expression}
        return self.worker("exec", job)

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


def score(case: dict[str, Any], late: bool) -> dict[str, Any]:
    """The score of one case, in this process."""
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        notebook = Shell(Path(scratch), late)
        for cell in case["cells"]:
            notebook.run(cell)
        try:
            candidate = notebook.capture("f")
        except CaptureRefused as refusal:
            return {"score": "refused", "detail": str(refusal), "code": refusal.code}
        source = (candidate.folder / "source.py").read_text()
        found = {"digest": candidate.digest, "source": source}
        answer = notebook.call(candidate, case["call"])
        if not answer["ok"]:
            return {"score": "late", "detail": answer.get("traceback") or answer["error"], **found}
        if not same(answer["repr"], case["expect"]):
            return {"score": "WRONG", "detail": answer["repr"], **found}
        return {"score": "pass", "detail": "", **found}


def same(printed: str, expected: str) -> bool:
    try:
        return bool(ast.literal_eval(printed) == ast.literal_eval(expected))
    except (ValueError, SyntaxError):
        return printed == expected


def in_child(case: dict[str, Any], late: bool) -> dict[str, Any]:
    """Score a case in a fork, so that IPython is imported once and shells stay apart."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os._exit(report(case, late, write))
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"score": "late", "detail": "the capture process died"}


def report(case: dict[str, Any], late: bool, descriptor: int) -> int:
    try:
        result = score(case, late)
    except BaseException:
        result = {"score": "late", "detail": traceback.format_exc()}
    with os.fdopen(descriptor, "w") as out:
        json.dump(result, out)
    return 0


def main(arguments: list[str]) -> None:
    without_packages()
    cases = {case["id"]: case for case in json.loads(Path(arguments[0]).read_text())}
    for name in arguments[1].split(","):
        result = in_child(cases[name], "late" in arguments[2:])
        print("CASE " + json.dumps({"id": name, **result}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
