"""`capture-74`: cells that people write, shipped and called; right, and silently wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.driver import service

from benchmarks.folders import new_folder
from benchmarks.rows import Row, row

CASES = Path(__file__).parent / "capture_cases"


def measure() -> list[Row]:
    with new_folder() as folder, service(folder, keep=True) as running:
        out = folder / "results.json"
        command = [
            sys.executable,
            str(CASES / "run_cases.py"),
            str(CASES / "cases.json"),
            "--out",
            str(out),
        ]
        done = subprocess.run(command, env=running.environment, capture_output=True, text=True)
        if not out.exists():
            raise RuntimeError(done.stderr)
        results: list[dict[str, Any]] = json.loads(out.read_text())
    score = {
        name: sum(each["score"] == name for each in results)
        for name in ("refused", "late", "WRONG")
    }
    how = (
        f"{len(results)} cells through the public interface; right is the value that the notebook "
        f"gives, or a refusal where one is due; {score['refused']} refused by name, "
        f"{score['late']} failed later"
    )
    right = sum(is_right(each) for each in results)
    return [row("capture-74", [right, score["WRONG"]], "cells", len(results), None, how)]


def is_right(result: dict[str, Any]) -> bool:
    if result["must_refuse"]:
        return result["score"] == "refused" and result["names"] in result["detail"]
    return bool(result["score"] == "pass")
