"""Every snapshot that a release wrote loads in this one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cellship.backend import worker

HERE = Path(__file__).resolve().parent
WORKER = Path(worker.__file__).parent
ANSWERS = {
    "portable": "(9, ['x', 'y'], True, 3)",
    "by-value": "(4, 3, 2, 2.5, 1)",
    "closures": "(4, 7, 2, [3])",
    "arrays": "(1.0, 3.0, (20, 100))",
}
SEEDS = sorted(HERE.glob("format-*/*"))
MINOR = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def loads_here(seed: Path) -> bool:
    name, _, minor = seed.name.rpartition("-")
    if name == "arrays" and importlib.util.find_spec("numpy") is None:
        return False
    return bool(json.loads((seed / "snapshot.json").read_text())["portable"]) or minor == MINOR


def test_there_are_seeds() -> None:
    assert len(SEEDS) >= len(ANSWERS)
    assert {seed.parent.name for seed in SEEDS} == {"format-1"}


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if loads_here(seed)], ids=lambda s: s.name)
def test_a_seed_loads(seed: Path, tmp_path: Path) -> None:
    job = {
        "snapshot": str(seed),
        "work": str(tmp_path / "work"),
        "home": str(tmp_path / "home"),
        "tmp": str(tmp_path / "tmp"),
        "expression": "f(1)",
        "result": str(tmp_path / "result.json"),
    }
    with subprocess.Popen(
        [sys.executable, "-I", str(WORKER), "exec"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        printed = process.stdout.read().decode()
    result = json.loads((tmp_path / "result.json").read_text())
    assert result == {"ok": True, "repr": ANSWERS[seed.name.rpartition("-")[0]]}, printed
