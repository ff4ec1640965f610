"""A capture that looks at nothing but the cell's text, so that the skins are tested alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from blake3 import blake3

from cellship.snapshot.candidate import Blob, Candidate, Receipt, ShippedValue, Tree
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.request import CaptureRequest

VALUES = (
    ShippedValue("predict", "function", 4, "function", 0),
    ShippedValue("model", "value", 3, "RandomForestClassifier", 1_992_294),
)
BYTES = b"weights" * 100


def capture(
    request: CaptureRequest,
    namespace: dict[str, Any],
    record: Any,
    staging: Path,
    *,
    admit: Callable[[Candidate], dict[str, Any]],
    known: Callable[[str], bool],
    cache: Path | None = None,
) -> Candidate:
    """The candidate of a cell. Refuses a name `session`; `interrupt` interrupts."""
    if "session" in namespace:
        raise refusal()
    text = f"{request.entry} {request.cell} {namespace.get(request.entry)!r:.20}"
    candidate = make_candidate(staging, text, "interrupt" in namespace)
    if known(candidate.digest):
        return candidate
    report = admit(candidate)
    if not report["ok"]:
        raise CaptureRefused(report["message"], code=report["code"], hint=report["hint"])
    checked = ("predict(X[1600].tolist()) gave 2 there as here",) if request.example_run else ()
    return replace(candidate, receipt=replace(candidate.receipt, checked=checked), report=report)


def refusal() -> CaptureRefused:
    return CaptureRefused(
        "score() reads  session = requests.Session()        cell 7, line 2",
        code="capture.live-connection",
        hint="A live connection cannot move to another process.\nMake it in load() of a class.",
    )


def make_candidate(staging: Path, text: str, interrupt: bool) -> Candidate:
    folder, admit_folder = staging / "snapshot", staging / "admit"
    folder.mkdir()
    admit_folder.mkdir()
    (folder / "source.py").write_text(text)
    digest = blake3(text.encode()).hexdigest()
    return Candidate(
        folder=folder,
        admit_folder=admit_folder,
        digest=digest,
        platform="cp311-linux-x86_64-glibc2.36",
        blobs=(Blob("b" * 64, len(BYTES), lambda path: write_blob(path, interrupt)),),
        interpreter=None,
        packages=(tree("scikit-learn", "1.9.1", "c" * 64), tree("numpy", "2.4.6", "e" * 64)),
        receipt=Receipt("predict", VALUES, ("scikit-learn 1.9.1", "numpy 2.4.6")),
    )


def write_blob(path: Path, interrupt: bool) -> None:
    path.write_bytes(BYTES[:10])
    if interrupt:  # as if the user did so while bytes are written
        os.kill(os.getpid(), signal.SIGINT)
    path.write_bytes(BYTES)


def tree(name: str, version: str, digest: str) -> Tree:
    def write(folder: Path) -> None:
        folder.mkdir()
        (folder / f"{name}.py").write_text("x = 1\n")

    return Tree(
        digest=digest,
        kind="package",
        name=name,
        version=version,
        size=6,
        files=1,
        why="import in cell 1",
        write=write,
        write_bytecode=write,
    )
