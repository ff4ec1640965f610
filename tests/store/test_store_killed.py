"""SIGKILL at each step of an accept, in a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_an_accept_killed_at_any_step_is_done_again(tmp_path: Path) -> None:
    script = Path(__file__).with_name("kill_accept.py")
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, check=False, timeout=170
    )
    assert run.returncode == 0, run.stderr.decode()
    results = json.loads(run.stdout)
    assert len(results) > 30
    assert [result["killed"] for result in results] == [True] * (len(results) - 1) + [False]
    for step, result in enumerate(results, 1):
        assert (result["bad"], result["left"], result["missing"]) == ([], [], []), step
