"""A workspace in a temporary folder, and snapshots to put into it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.workspace.repository import Workspace

START = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
BUFFER = "ab" * 32  # the BLAKE3 name of a buffer
OID = "cd" * 32  # its SHA-256


@dataclass
class Shop:
    """Somebody who ships: knows a workspace, a folder for snapshots and a clock."""

    workspace: Workspace
    root: Path
    clock: datetime = START
    started: dict[int, str] = field(default_factory=dict)

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def snapshot(self, body: str = "return 1", **files: Any) -> Path:
        """A new folder with a snapshot whose entry has this body; `files` replaces whole files."""
        folder = self.root / f"snapshot-{len(list(self.root.iterdir()))}"
        manifest = {"values": [{"name": "model", "buffers": [BUFFER]}], "buffers": {BUFFER: 5}}
        content = {
            "source.py": f"import math\n\n\ndef predict(x):\n    {body}\n",
            "values/manifest.json": json.dumps(manifest, indent=1),
            "values/graph.pkl": b"\x80\x05N.",
            "snapshot.json": json.dumps(
                {"format": 1, "python": "3.11.7", "packages": []}, indent=1
            ),
        } | files
        for path, data in content.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return folder

    def ship(
        self, name: str = "digits", body: str | None = None, start: str = "ok", **more: Any
    ) -> int:
        """Make a version; its first start ends as `start` says."""
        options = {
            "candidate": False,
            "author": "ann",
            "message": "",
            "settings": {"entry": "predict"},
        }
        options |= {"now": self.now(), "folder": None, "blobs": {}} | more
        folder = options.pop("folder") or self.snapshot(body or f"return {self.clock.timestamp()}")
        number = self.workspace.commit_version(name, folder, **options)
        self.started[number] = start
        return number

    def traffic(self, name: str = "digits") -> dict[int, int]:
        """Who answers now."""
        from cellship.backend.workspace.traffic import resolve

        record = self.workspace.record(name)
        return resolve(record.deployment, record.versions, self.started)

    def rollback(self, to: int | None = None, name: str = "digits", because: str = "") -> None:
        self.workspace.rollback(
            name, to, self.started, author="ann", now=self.now(), because=because
        )

    def promote(self, number: int, name: str = "digits") -> None:
        self.workspace.promote(name, number, self.started, author="ann", now=self.now())

    def split(self, shares: dict[int, int], name: str = "digits") -> None:
        self.workspace.set_traffic(name, shares, self.started, author="ann", now=self.now())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    workspace = Workspace(tmp_path / "workspace.git")
    workspace.create()
    (tmp_path / "snapshots").mkdir()
    return Shop(workspace, tmp_path / "snapshots")


Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """The git command in a folder, with nobody's configuration."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "bob",
        "GIT_AUTHOR_EMAIL": "bob@localhost",
        "GIT_COMMITTER_NAME": "bob",
        "GIT_COMMITTER_EMAIL": "bob@localhost",
    }

    def run(folder: Path, *arguments: str, **more: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment | more,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
