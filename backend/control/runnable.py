"""From a version in git to what a replica needs here: snapshot folder, environment, worker."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from cellship.backend.compute.environments import build
from cellship.backend.compute.jobs import Worker
from cellship.backend.compute.snapshots import keep, read_json
from cellship.backend.compute.worker_build import worker_build
from cellship.backend.control.log_folders import last_lines
from cellship.backend.control.replicas import StartFailed, VersionToRun
from cellship.backend.data_folder import DataFolder
from cellship.backend.store.store import Store
from cellship.backend.workspace.repository import Workspace
from cellship.backend.workspace.versions import VersionRecord
from cellship.snapshot.errors import Refused

LINES_SHOWN = 10
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


class Runnables:
    """Blocking: call from a thread. What is there already is used as it is."""

    def __init__(self, data: DataFolder, workspace: Workspace, store: Store) -> None:
        self._data = data
        self._workspace = workspace
        self._store = store

    def folder(self, version: VersionRecord) -> Path:
        """Where the snapshot of a version lies, or will lie."""
        return self._data.snapshots / version.digest

    def of(self, name: str, version: VersionRecord) -> VersionToRun:
        """Everything to start a replica. Raises StartFailed where bytes are gone."""
        folder = self.snapshot(name, version)
        return VersionToRun(
            name,
            version.number,
            version.digest,
            folder,
            self.worker(folder),
            dict(version.settings),
        )

    def snapshot(self, name: str, version: VersionRecord) -> Path:
        """The snapshot's folder, written from git and the store if it is not there."""
        folder = self.folder(version)
        if not folder.exists():
            aside = self._data.snapshots / f".{uuid.uuid4().hex}"
            try:
                self._workspace.materialise(name, version.number, aside, self._large_file)
                keep(aside, self._data.snapshots, version.digest)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return folder

    def worker(self, folder: Path) -> Worker:
        """How workers of this snapshot are started, its environment built if it is not there."""
        facts: dict[str, Any] = read_json(folder / "snapshot.json")
        try:
            interpreter, packages = facts["interpreter"], facts["packages"]
            environment = build(self._store, self._data.environments, interpreter, packages)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"snapshot.json does not describe an environment: {error!r}."
            raise Refused(message, code="snapshot.damaged") from error
        return Worker(environment.python, environment.variables, worker_build(self._data.worker))

    def last_lines(self, name: str, version: int) -> str:
        """What the newest replica of a version printed last."""
        return "\n".join(last_lines(self._data.logs, name, version, LINES_SHOWN))

    def _large_file(self, oid: str) -> Path:
        path = self._store.by_sha256(oid)
        if path is None:
            raise StartFailed(
                f"The store no longer has the bytes sha256:{oid[:12]} of this version."
            )
        return path
