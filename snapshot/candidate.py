"""A captured entry on its way to the store: small files in a folder, large bytes elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Blob:
    """A buffer or large file, named by the BLAKE3 of its bytes. `write(path)` makes a new file."""

    digest: str
    size: int
    write: Callable[[Path], None]


@dataclass(frozen=True)
class Tree:
    """A package (or the interpreter) as a folder.

    `write(folder)` copies its files to a new folder; `write_bytecode(folder)` its compiled byte
    code, laid out as it goes on top. `digest` covers path, mode and bytes, not the byte code.
    """

    digest: str
    kind: str  # "interpreter", "package", "local"
    name: str  # "scikit-learn"
    version: str  # "1.9.1"
    size: int
    files: int
    why: str
    write: Callable[[Path], None]
    write_bytecode: Callable[[Path], None]


@dataclass(frozen=True)
class ShippedValue:
    """A name that ships, for the receipt: `model (cell 3, RandomForestClassifier, 1.9 MiB)`."""

    name: str
    kind: str  # "function", "class", "value", "file"
    cell: int | None
    type: str
    size: int


@dataclass(frozen=True)
class Receipt:
    """What ships and why; plain data, so that text, HTML and JSON say the same."""

    entry: str
    values: tuple[ShippedValue, ...]
    packages: tuple[str, ...]  # "scikit-learn 1.9.1", those that the code names first
    notes: tuple[str, ...] = ()  # warnings and "other top-level lines ran in the kernel only"
    checked: tuple[str, ...] = ()  # "predict(X[1600].tolist()) gave 2 there as here"
    isolation: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """All of one capture.

    `folder` holds the files that go to git (DESIGN.md 4: source.py, values/manifest.json,
    values/graph.pkl, files/manifest.json, examples.json, pylock.toml, snapshot.json,
    provenance.json; schema.json after admit). `values/buffers/<digest>` and `files/<n>` are
    `blobs`, not in the folder. `admit_folder` holds what only admit needs and nobody keeps: state
    digests, pickled example arguments. `digest` names the snapshot: see `snapshot.identity`.
    """

    folder: Path
    admit_folder: Path
    digest: str
    platform: str  # "cp311-linux-x86_64-glibc2.36"
    blobs: tuple[Blob, ...]
    interpreter: Tree | None
    packages: tuple[Tree, ...]
    receipt: Receipt
    report: dict[str, Any] = field(default_factory=dict)  # admit's answer, once admitted
