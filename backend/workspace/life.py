"""A deployment since it was created, commit by commit: what the newest file alone does not say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.deployment_yaml import BadFile
from cellship.backend.workspace.record import Record
from cellship.backend.workspace.versions import VersionRecord


@dataclass
class Life:
    """One deployment, as far as its commits were given to `step`."""

    deployment: Deployment = field(default_factory=Deployment)
    versions: dict[int, VersionRecord] = field(default_factory=dict)
    ended: Mark | None = None
    problem: BadFile | None = None
    updated: str = ""
    commit: str = ""

    def step(self, wanted: Deployment, made: Collection[VersionRecord]) -> None:
        """One commit that touched the deployment."""
        traffic = self.deployment.traffic
        wanted = self._without_ended_hold(wanted)
        ordinary = {version.number for version in made if not version.candidate}
        if wanted.traffic is None and traffic is not None and not ordinary:
            self._forget_before()  # back to `latest` by an edit: nothing before it goes on
        for version in made:
            before = traffic if version.number in ordinary else None
            self.versions[version.number] = replace(version, before=before)
        for number in wanted.traffic or ():
            if number in self.versions:
                self.versions[number] = replace(self.versions[number], named=True)
        self.deployment = wanted

    def record(self, name: str) -> Record:
        """What is known after the last step."""
        numbers = sorted(self.versions.keys() - self.deployment.deleted.keys())
        versions = tuple(self.versions[number] for number in numbers)
        return Record(name, self.deployment, versions, self.updated, self.commit)

    def _forget_before(self) -> None:
        for number, version in self.versions.items():
            if version.before is not None:
                self.versions[number] = replace(version, before=None)

    def _without_ended_hold(self, wanted: Deployment) -> Deployment:
        """An edit of traffic ends a hold that it leaves standing; a rollback sets one and marks."""
        last = self.deployment
        edited = wanted.traffic != last.traffic and wanted.bad.keys() <= last.bad.keys()
        if edited and wanted.hold == last.hold:
            self.ended = wanted.hold
        if wanted.hold != self.ended:
            self.ended = None
        return wanted if self.ended is None else replace(wanted, hold=None)
