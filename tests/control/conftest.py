"""A real service, and snapshots made by hand: no kernel, no capture (slice 1 of the spine)."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.client import Client
from cellship.backend.client_answers import Committed, Lease, Same, Version
from cellship.backend.launch import down, up
from cellship.snapshot.identity import identity
from cellship.snapshot.interpreter import Interpreter, interpreter

ENTRY = "predict"


@dataclass
class Ship:
    """Brings sources into a service by its API, as the magic does."""

    client: Client
    data: Path
    staging: Path
    interpreter: Interpreter
    graph: bytes = pickle.dumps({}, protocol=5)

    def __call__(self, name: str, source: str, **asked: Any) -> Version:
        """Ship a source text and wait until its version has started or failed."""
        made = self.commit(name, source, **asked)
        return self.client.version(name, str(made.version), wait=60)

    def commit(
        self, name: str, source: str, settings: dict[str, Any] | None = None, **asked: Any
    ) -> Committed:
        lease, digest = self.lease(name, source)
        body = {"name": name, "digest": digest, "settings": {"entry": ENTRY, **(settings or {})}}
        report = self.client.admit(lease.id, body | {"example_run": False})
        assert report["ok"], report
        return self.client.commit(lease.id, body | {"author": "ann"} | asked)

    def lease(self, name: str, source: str) -> tuple[Lease, str]:
        """A lease filled with the snapshot of a source text."""
        folder = self.staging / name
        write_snapshot(folder, source, self.interpreter, self.graph)
        digest, tree = identity(folder), self.interpreter.tree
        trees = [tree.digest] if tree else []
        lease = self.client.open_lease(name, digest, {"entry": ENTRY}, {}, trees)
        assert not isinstance(lease, Same)
        copy_into(lease, folder)
        if tree and tree.digest in lease.missing_trees:
            tree.write(lease.folder / "trees" / tree.digest)
            tree.write_bytecode(lease.folder / "bytecode" / tree.digest)
        return lease, digest


def write_snapshot(folder: Path, source: str, found: Interpreter, graph: bytes) -> None:
    facts = {
        "format": 1,
        "python": found.python,
        "implementation": "cpython",
        "platform": found.platform,
        "interpreter": {
            "tree": found.tree.digest if found.tree else None,
            "executable": found.executable,
            "library_path": list(found.library_path),
            "recorded": str(found.recorded) if found.recorded else None,
        },
        "packages": [],
        "portable": True,
        "why_not_portable": [],
        "entry": ENTRY,
    }
    (folder / "values").mkdir(parents=True, exist_ok=True)
    (folder / "source.py").write_text(source)
    (folder / "snapshot.json").write_text(json.dumps(facts))
    (folder / "examples.json").write_text('{"examples": []}')
    (folder / "values" / "graph.pkl").write_bytes(graph)
    manifest = {"values": [], "buffers": {}, "order": []}
    (folder / "values" / "manifest.json").write_text(json.dumps(manifest))


def copy_into(lease: Lease, folder: Path) -> None:
    for path in folder.rglob("*"):
        target = lease.folder / "snapshot" / path.relative_to(folder)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """The client of a service of the test's own."""
    data = tmp_path / "data"
    try:
        yield Client(up(data, lambda line: None))
    finally:
        down(data)


@pytest.fixture
def ship(client: Client, tmp_path: Path) -> Ship:
    return Ship(client, tmp_path / "data", tmp_path / "staging", interpreter(None))
