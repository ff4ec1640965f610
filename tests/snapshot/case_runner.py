"""Runs capture cases, each in an IPython shell of its own; one JSON line per case on stdout.

`python case_runner.py CASES.json ID,ID,… [late]`
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from notebook import Notebook, without_packages

from cellship.snapshot.errors import CaptureRefused


def score(case: dict[str, Any], late: bool) -> dict[str, Any]:
    """The score of one case, in this process."""
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        notebook = Notebook(Path(scratch), late=late)
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
