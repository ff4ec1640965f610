"""The verbs of a worker. The job is one JSON line on standard input."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Callable, Dict, List, Mapping, NoReturn

from . import place


def main(arguments: List[str]) -> int:
    """Exit code of `admit`, `exec` or `serve`."""
    verb = arguments[0] if arguments else ""
    if verb not in VERBS:
        sys.stderr.write("usage: _cellship admit|exec|serve, the job as one JSON line on stdin\n")
        return 2
    job = json.loads(sys.stdin.buffer.readline())
    if verb != "serve":
        end_with_parent()
    place.prepare(job)
    return VERBS[verb](job)


def admit(job: Mapping[str, Any]) -> int:
    """Load, compare and call the examples; the report goes to job["result"]."""
    from .admit import admit as run

    write_result(job, run(job))


def execute(job: Mapping[str, Any]) -> int:
    """Evaluate job["expression"] over all names of the snapshot."""
    from .execute import execute as run

    write_result(job, run(job))


def serve(job: Mapping[str, Any]) -> int:
    """Answer calls until told to stop."""
    from .serve import serve as run

    return run(job)


VERBS: Dict[str, Callable[[Mapping[str, Any]], int]] = {
    "admit": admit,
    "exec": execute,
    "serve": serve,
}


def end_with_parent() -> None:
    """End this process as soon as the parent's end of standard input is closed: no orphans."""
    threading.Thread(target=wait_for_end_of_input, name="cellship-parent", daemon=True).start()


def wait_for_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def write_result(job: Mapping[str, Any], result: Dict[str, Any]) -> NoReturn:
    """Write the JSON result by rename, so that a reader sees all of it or nothing."""
    sys.stdout.flush()
    sys.stderr.flush()
    beside = job["result"] + ".part"
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(result, file)
    os.rename(beside, job["result"])
    # threads that user code left behind are not waited for
    os._exit(0)
