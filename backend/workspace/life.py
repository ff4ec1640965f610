"""A deployment since it was created, commit by commit: what the newest file alone does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.record import Record
from cellship.backend.workspace.versions import VersionRecord


@dataclass
class Life:
    """One deployment, as far as its commits were given to `step`."""

    deployment: Deployment = field(default_factory=Deployment)
    versions: list[VersionRecord] = field(default_factory=list)
    before: dict[int, Mapping[int, int] | None] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    ended: Mark | None = None
    problem: BadFile | None = None
    updated: str = ""
    commit: str = ""

    def step(self, wanted: Deployment, made: list[VersionRecord]) -> None:
        """One commit that touched the deployment."""
        traffic = self.deployment.traffic
        wanted = self._without_ended_hold(wanted)
        ordinary = [version for version in made if not version.candidate]
        if wanted.traffic is None and traffic is not None and not ordinary:
            self.before.clear()  # back to `latest` by an edit: nothing before it goes on
        self.before |= {version.number: traffic for version in ordinary}
        self.named |= set(wanted.traffic or ())
        self.versions += made
        self.versions.sort(key=lambda version: version.number)
        self.deployment = wanted

    def _without_ended_hold(self, wanted: Deployment) -> Deployment:
        """An edit of traffic ends a hold that it leaves standing; a rollback sets one and marks."""
        last = self.deployment
        edited = wanted.traffic != last.traffic and wanted.bad.keys() <= last.bad.keys()
        if edited and wanted.hold == last.hold:
            self.ended = wanted.hold
        if wanted.hold != self.ended:
            self.ended = None
        return wanted if self.ended is None else replace(wanted, hold=None)

    def record(self, name: str) -> Record:
        gone = self.deployment.deleted
        versions = tuple(
            replace(
                version,
                before=self.before.get(version.number),
                named=version.number in self.named,
            )
            for version in self.versions
            if version.number not in gone
        )
        return Record(name, self.deployment, versions, self.updated, self.commit)
