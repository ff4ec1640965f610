"""What a capture is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CaptureRequest:
    """One entry to capture.

    `entry` is an expression over the notebook's names: `predict`, `model.predict`.
    `cell` is the source of the deployed cell as typed, "" for `%deploy`; its top-level calls of the
    entry are the examples (EXPERIENCE.md 4) and were already run in the kernel.
    """

    name: str
    entry: str
    cell: str = ""
    packages: str = "closure"  # "closure", "all", or the path of a requirements file
    files: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()
    example_run: bool = True
    tolerance: float | None = None
    notebook: Path | None = None
    how: str = "by hand"  # by hand, run all, papermill, nbconvert, CI
