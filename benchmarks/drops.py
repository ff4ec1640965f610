"""`drops`: requests that fail during 3 deploys and 3 rollbacks under 8 connections."""

from __future__ import annotations

import json
import time

from tests.driver import Kernel, Service, kernel, service

from benchmarks import digits
from benchmarks.folders import new_folder
from benchmarks.load import Load, load
from benchmarks.rows import Row, row

FEWEST = 5_000
DEPLOYS = 3
ENTRY = """\
%%deploy add
def add(row: list[float]) -> float:
    "The sum, the {n}th way to say it."
    return sum(row)
"""


def measure() -> list[Row]:
    kept = under_load(keep_alive=True)
    fresh = under_load(keep_alive=False)
    requests = kept.requests + fresh.requests
    slowest = [round(kept.slowest, 3), round(fresh.slowest, 3)]
    how = (
        f"{kept.requests:,} requests with keep-alive, {fresh.requests:,} without, each during "
        f"{DEPLOYS} deploys and {DEPLOYS} rollbacks; failed is another status than 200, reset, "
        "refused, time-out; slowest answer"
    )
    failed = kept.failed + fresh.failed
    return [
        row(
            "drops",
            [failed, max(slowest)],
            "requests / s",
            requests,
            [[failed, failed], slowest],
            how,
        )
    ]


def under_load(keep_alive: bool) -> Load:
    """All operations once, and then on until there were enough requests."""
    with (
        new_folder() as folder,
        service(folder, keep=True) as running,
        kernel(running, folder) as notebook,
    ):
        notebook.run(digits.LOAD)
        notebook.run(ENTRY.format(n=1))
        with load(
            running.url("add"), json.dumps({"row": [1.0, 2.0]}), keep_alive=keep_alive
        ) as seen:
            began = time.monotonic()
            operate(running, notebook)
            # under 500 requests a second would be a fault of its own
            time.sleep(max(0.0, FEWEST / 500 - (time.monotonic() - began)))
    if seen.requests < FEWEST:
        raise RuntimeError(f"only {seen.requests} requests were made")
    return seen


def operate(running: Service, notebook: Kernel) -> None:
    for n in range(2, 2 + DEPLOYS):
        notebook.run(ENTRY.format(n=n))
        running.cellship("rollback", "add")
