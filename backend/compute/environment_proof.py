"""A new environment is run once before it gets its name: it must use its own files only."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellship.backend.compute.environment_errors import InterpreterGone, NotSelfContained

DEADLINE = 60.0  # s; it takes 0.02
PROBE = """
import json, os, sys
maps = "/proc/self/maps"
lines = open(maps).read().splitlines() if os.path.exists(maps) else []
files = sorted({line.split(None, 5)[5] for line in lines if line.count("/")})
print(json.dumps({"prefix": sys.prefix, "base": sys.base_prefix, "path": sys.path,
                  "mapped": [file for file in files if "python" in file]}))
"""


def check_interpreter(interpreter: Mapping[str, Any]) -> None:
    """Raises InterpreterGone if an interpreter that cannot be moved is not at its place."""
    recorded = interpreter.get("recorded")
    if not interpreter.get("tree") and not (recorded and os.access(recorded, os.X_OK)):
        raise InterpreterGone(str(recorded), "is not on this machine any more")


def prove(
    folder: Path, python: Path, variables: Mapping[str, str], interpreter: Mapping[str, Any]
) -> None:
    """Run `python` of the environment in `folder`.

    Raises NotSelfContained, or InterpreterGone where it stands on a recorded one.
    """
    try:
        run = subprocess.run(
            [str(python), "-I", "-S", "-c", PROBE],
            env=dict(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(interpreter, str(error)) from error
    if run.returncode != 0:
        raise _failed(interpreter, run.stderr.decode("utf-8", "replace").strip()[-500:])
    if interpreter.get("tree"):
        _check_own(json.loads(run.stdout), str(folder))


def _check_own(found: Mapping[str, Any], folder: str) -> None:
    """Every path that the copied interpreter names must be its own."""
    used = [found["prefix"], found["base"], *found["path"], *found["mapped"]]
    real = os.path.realpath(folder)
    foreign = [path for path in used if not os.path.realpath(path).startswith(real)]
    if foreign:
        raise NotSelfContained(f"it uses {foreign[0]}.")


def _failed(interpreter: Mapping[str, Any], why: str) -> InterpreterGone | NotSelfContained:
    if interpreter.get("tree"):
        return NotSelfContained(f"it does not start: {why}")
    return InterpreterGone(str(interpreter["recorded"]), f"does not start: {why}")
