"""The worker's folder, copied to where workers run: one copy per build, named by its content."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from blake3 import blake3

import cellship.backend.worker

PACKAGE = "_cellship"


def worker_build(builds: Path) -> Path:
    """Path of `_cellship`, made by the first who asks; safe when two ask at once."""
    source = Path(cellship.backend.worker.__file__).resolve().parent
    files = sorted(source.glob("*.py"))
    target = builds / build_digest(files)
    if not target.exists():
        publish(files, target)
    return target / PACKAGE


def build_digest(files: list[Path]) -> str:
    summary = blake3()
    for file in files:
        summary.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return summary.hexdigest()[:16]


def publish(files: list[Path], target: Path) -> None:
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    (aside / PACKAGE).mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, aside / PACKAGE / file.name)
    try:
        os.rename(aside, target)
    except OSError:  # somebody else was first
        shutil.rmtree(aside)
        if not target.exists():
            raise
