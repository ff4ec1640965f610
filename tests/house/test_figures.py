"""The README quotes what was measured, and nothing else."""

from __future__ import annotations

import json

import pytest
from benchmarks import readme
from benchmarks.__main__ import IDS

KEYS = {"commit", "dirty", "machine", "started", "rows"}
ROW_KEYS = {"id", "value", "unit", "n", "spread", "how"}


@pytest.fixture
def results() -> dict[str, object]:
    found: dict[str, object] = json.loads(readme.RESULTS.read_text())
    return found


def test_the_results_have_the_agreed_shape(results: dict[str, object]) -> None:
    assert set(results) == KEYS
    rows = results["rows"]
    assert isinstance(rows, list)
    assert all(set(row) == ROW_KEYS for row in rows)
    assert [row["id"] for row in rows] == list(IDS)


def test_the_readme_shows_them(results: dict[str, object]) -> None:
    assert readme.figures(results) in readme.README.read_text()
