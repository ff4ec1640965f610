"""`rollback`: from the call to the last answer of the version left, under 8 connections."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from tests.driver import Kernel, Service, kernel, service

from benchmarks import digits
from benchmarks.folders import new_folder
from benchmarks.load import load
from benchmarks.rows import Row, median, row, spread

RUNS = 7
SETTLE = 1.0


def measure() -> list[Row]:
    with (
        new_folder() as folder,
        service(folder, keep=True) as running,
        kernel(running, folder) as notebook,
    ):
        two_versions(notebook)
        by_api = [rolled_back(running, lambda: roll_by_api(running)) for _ in range(RUNS)]
        by_magic = [rolled_back(running, lambda: roll_by_magic(notebook)) for _ in range(RUNS)]
    slower = max(by_api, by_magic, key=median)
    how = (
        "call to the last answer of digits@2, 8 connections, keep-alive; "
        f"the slower of API ({median(by_api)} s) and magic ({median(by_magic)} s)"
    )
    return [row("rollback", median(slower), "s", RUNS, spread(slower), how)]


def two_versions(notebook: Kernel) -> None:
    digits.fitted(notebook)
    notebook.run(digits.DEPLOY)
    notebook.run(digits.DEPLOY.replace("Which digit", "What digit"))


def rolled_back(running: Service, roll: Callable[[], object]) -> float:
    """Seconds until digits@2 had given its last answer; it is promoted again afterwards."""
    with load(running.url("digits"), json.dumps({"row": digits.row()})) as seen:
        time.sleep(SETTLE)
        began = time.monotonic()
        roll()
        time.sleep(SETTLE)
    running.cellship("promote", "digits@2")
    if seen.failed:
        raise RuntimeError(f"requests failed: {seen.told}")
    return max(0.0, seen.last_answer_of("digits@2") - began)


def roll_by_api(running: Service) -> None:
    answer = running.api(
        "POST", "/deployments/digits/rollback", {"to": None, "because": "", "author": "benchmark"}
    )
    answer.raise_for_status()


def roll_by_magic(notebook: Kernel) -> None:
    notebook.run("%cellship rollback digits")
