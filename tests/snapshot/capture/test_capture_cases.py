"""The capture cases: each a notebook of its own, captured, loaded by a worker, called there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent.parent
GIVEN = HERE / "capture_cases.json"
MORE = HERE / "more_cases.json"
GROUPS = 8


def cases(path: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads(path.read_text())}


def run(path: Path, ids: list[str], *options: str, seed: str = "0") -> dict[str, dict[str, Any]]:
    """Results by id."""
    done = subprocess.run(
        [sys.executable, str(HERE / "case_runner.py"), str(path), ",".join(ids), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
        timeout=170,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("CASE ")]
    found = [json.loads(line.removeprefix("CASE ")) for line in lines]
    assert len(found) == len(ids), done.stderr[-2000:]
    return {result["id"]: result for result in found}


def group(path: Path, number: int) -> list[str]:
    return list(cases(path))[number::GROUPS]


def wrong(path: Path, results: dict[str, dict[str, Any]]) -> list[str]:
    """What is not as it should be, in words."""
    found = []
    for name, result in results.items():
        case = cases(path)[name]
        if case["expect"] == "REFUSE":
            fine = result["score"] == "refused" and case["names"] in result["detail"]
        else:
            fine = result["score"] == "pass" or (
                result["score"] == "refused" and case["refusal_ok"]
            )
        if not fine:
            found.append(f"{name} {case['title']}: {result['score']} {result['detail'][-500:]}")
    return found


@pytest.mark.parametrize("number", range(GROUPS))
def test_given_cases(number: int) -> None:
    results = run(GIVEN, group(GIVEN, number))
    assert not wrong(GIVEN, results)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(GROUPS))
def test_given_cases_with_a_record_that_begins_late(number: int) -> None:
    results = run(GIVEN, group(GIVEN, number), "late")
    assert not wrong(GIVEN, results)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(GROUPS))
def test_more_cases(number: int) -> None:
    results = run(MORE, group(MORE, number))
    assert not wrong(MORE, results)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, GROUPS, 4))
def test_the_same_cell_is_the_same_snapshot_in_another_kernel(number: int) -> None:
    ids = group(GIVEN, number)
    one, other = run(GIVEN, ids, seed="1"), run(GIVEN, ids, seed="77")
    assert {name: result.get("digest") for name, result in one.items()} == {
        name: result.get("digest") for name, result in other.items()
    }


def test_enough_is_right() -> None:
    """A ratchet: cases that pass today are not refused tomorrow."""
    refused = {"A30", "A34", "A35", "A37", "A48"}
    assert {name for name, case in cases(GIVEN).items() if case["refusal_ok"]} >= refused - {"A48"}
    results = run(GIVEN, ["A33", "A53", "A54", "A55", "A58", "A59", "A62", "A63", "A73"])
    assert {result["score"] for result in results.values()} == {"pass"}
