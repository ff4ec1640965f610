"""What is, in the words of DESIGN.md 12: read from git, starts, routes and replicas."""

from __future__ import annotations

from typing import Any

from cellship.backend.control import logs as log_lines
from cellship.backend.control.log_folders import sources
from cellship.backend.control.reconciler import Reconciler
from cellship.backend.control.replicas import DRAINING, READY, Replicas
from cellship.backend.control.routes import Routes
from cellship.backend.control.starts import FAILED, PENDING, Starts
from cellship.backend.data_folder import DataFolder
from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.names import no_deployment, version_name
from cellship.backend.workspace.repository import Workspace
from cellship.backend.workspace.traffic import resolve
from cellship.backend.workspace.versions import VersionRecord
from cellship.backend.workspace.words import find_version
from cellship.snapshot.errors import UsageProblem

STOPPED = "stopped"


class Views:
    """Blocking: call from a thread."""

    def __init__(
        self,
        data: DataFolder,
        workspace: Workspace,
        starts: Starts,
        replicas: Replicas,
        routes: Routes,
        reconciler: Reconciler,
    ) -> None:
        self._data = data
        self._workspace = workspace
        self._starts = starts
        self._replicas = replicas
        self._routes = routes
        self._reconciler = reconciler

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._data.gateway_port}/{name}"

    def live_number(self, name: str) -> int | None:
        """The version with the largest share, as the gateway was told; ties go to the newer."""
        shares = self._routes.traffic(name)
        return max(shares, key=lambda number: (shares[number], number), default=None)

    def deployments(self) -> list[dict[str, Any]]:
        return [self.deployment(name) for name in self._workspace.deployments()]

    def deployment(self, name: str) -> dict[str, Any]:
        """One deployment. Raises NotFound with the nearest name."""
        self.require(name)
        wanted, versions = self._workspace.deployment(name), self._versions(name)
        live = self.live_number(name)
        return {
            "name": name,
            "url": self.url(name),
            "state": self._deployment_state(name, wanted, versions, live),
            "traffic": {str(number): share for number, share in self._routes.traffic(name).items()},
            "latest": versions[-1].number if versions else None,
            "live": version_name(name, live) if live else None,
            "updated": self._workspace.updated(name),
            "paused": mark(wanted.paused),
            "hold": mark(wanted.hold),
        }

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All versions, oldest first."""
        self.require(name)
        wanted = self._workspace.deployment(name)
        return [self._version(name, wanted, record) for record in self._versions(name)]

    def version(self, name: str, which: str) -> dict[str, Any]:
        """One version, named in any of the ways that a person names one."""
        return self._version(name, self._workspace.deployment(name), self.record(name, which))

    def record(self, name: str, which: str) -> VersionRecord:
        """The version that a word means (`7`, `live`, `previous`). Raises as find_version does."""
        self.require(name)
        versions = tuple(self._versions(name))
        results = self._starts.results(name, [version.number for version in versions])
        number = find_version(
            name,
            which,
            self._workspace.deployment(name),
            versions,
            results,
            self._routes.traffic(name),
        )
        return next(version for version in versions if version.number == number)

    def record_or_default(self, name: str, which: str | None) -> VersionRecord:
        """The version named, or what `exec` means without one: what answers, else the newest."""
        if which is not None:
            return self.record(name, which)
        self.require(name)
        live, versions = self.live_number(name), self._versions(name)
        return next((version for version in versions if version.number == live), versions[-1])

    def diff(self, name: str, old: str, new: str) -> dict[str, Any]:
        first, second = self.record(name, old), self.record(name, new)
        found = self._workspace.diff(name, first.number, second.number)
        return {"text": found.text, "changed": list(found.changed)}

    def logs(
        self, name: str, which: str | None, replica: str | None, after: str | None, limit: int
    ) -> dict[str, Any]:
        self.require(name)
        known = [self.record(name, which)] if which else self._versions(name)
        versions = [version.number for version in known]
        alive = {running.id for running in self._replicas.of(name)}
        found = [
            source
            for source in sources(self._data.logs, name, versions, alive)
            if replica in (None, source.replica)
        ]
        try:
            page = log_lines.read(found, after=after, limit=limit)
        except log_lines.BadCursor as error:
            raise UsageProblem(
                f"There is no place {after!r} in these logs.", code="api.bad-request"
            ) from error
        return {"lines": [line.facts() for line in page.lines], "next": page.next}

    def require(self, name: str) -> None:
        known = self._workspace.deployments()
        if name not in known:
            raise no_deployment(name, known)

    def _versions(self, name: str) -> list[VersionRecord]:
        return list(self._workspace.versions(name))

    def _version(self, name: str, wanted: Deployment, record: VersionRecord) -> dict[str, Any]:
        start = self._starts.of(name, record.number)
        failed = start is not None and start.result == FAILED
        return {
            "name": name,
            "version": record.number,
            "digest": record.digest,
            "state": self._state(name, wanted, record),
            "share": self._routes.traffic(name).get(record.number, 0),
            "created": record.created,
            "author": record.author,
            "message": record.message,
            "bytes_moved": record.bytes_moved,
            "notebook": record.notebook,
            "cell": record.cell,
            "candidate": record.candidate,
            "bad": mark(wanted.bad.get(record.number)),
            "failure": {"message": start.message, "log": start.last_lines.splitlines()}
            if failed and start
            else None,
            "entry": record.settings.get("entry", ""),
        }

    def _state(self, name: str, wanted: Deployment, record: VersionRecord) -> str:
        number = record.number
        result = self._starts.result(name, number)
        if result == FAILED:
            return FAILED
        states = {replica.state for replica in self._replicas.of(name, number)}
        answers = number in self._routes.traffic(name)
        if READY in states and answers and not wanted.paused:
            return READY
        if result == PENDING or self._reconciler.is_starting(name, number):
            return "starting"
        if READY in states and not answers and self._is_wanted(name, wanted, number):
            return "starting"  # ready, and the gateway hears of it in this moment
        if record.candidate and not record.named and not answers and number not in wanted.bad:
            return "candidate"
        if READY in states:
            return "warm"
        return DRAINING if DRAINING in states else STOPPED

    def _is_wanted(self, name: str, wanted: Deployment, number: int) -> bool:
        versions = tuple(self._versions(name))
        results = self._starts.results(name, [version.number for version in versions])
        return not wanted.paused and number in resolve(wanted, versions, results)

    def _deployment_state(
        self, name: str, wanted: Deployment, versions: list[VersionRecord], live: int | None
    ) -> str:
        if wanted.paused:
            return "paused"
        shown = next((version for version in versions if version.number == live), None)
        if shown is None:
            shown = versions[-1] if versions else None
        return self._state(name, wanted, shown) if shown else STOPPED


def mark(found: Mark | None) -> dict[str, str] | None:
    return {"by": found.by, "at": found.at, "why": found.why} if found else None
