"""`python supervise_with.py DATA CONTROL`: the supervisor with another control plane."""

from __future__ import annotations

import sys
from pathlib import Path

from cellship.backend.supervise.__main__ import supervise


def command(what: str) -> list[str]:
    if what == "control":
        return [sys.executable, "-c", sys.argv[2]]
    return [sys.executable, "-m", f"cellship.backend.{what}", sys.argv[1]]


if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), command))
