"""The workspace: wanted state as a git repository. Reads are remembered, writes are commits.

All methods are blocking and safe to call from several threads and processes. How first starts went
(`started`) is observed state and is passed in; `traffic.py` says what follows from both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pygit2

from cellship.backend.workspace import changes, messages, moves
from cellship.backend.workspace.bare import Bare
from cellship.backend.workspace.changes import Diff
from cellship.backend.workspace.contents import read_folder
from cellship.backend.workspace.deployment import Deployment, mark
from cellship.backend.workspace.deployment_yaml import changed, to_yaml
from cellship.backend.workspace.history import FILE, FOLDER, History
from cellship.backend.workspace.materialise import BlobOf, materialise
from cellship.backend.workspace.names import check_name, no_deployment, version_name
from cellship.backend.workspace.record import Record, Started
from cellship.backend.workspace.search import refuse_secrets
from cellship.backend.workspace.settings import check
from cellship.backend.workspace.settings import to_yaml as settings_to_yaml
from cellship.backend.workspace.trees import files_of
from cellship.backend.workspace.versions import VersionFacts, VersionRecord, tag_message
from cellship.backend.workspace.writer import Signed, Writer
from cellship.snapshot.identity import identity

Rule = Callable[[Record], Deployment]


@dataclass(frozen=True)
class Change:
    """A deployment before and after a commit; the same twice when nothing had to be committed."""

    before: Record
    after: Record


class Workspace:
    """One bare repository. `create` first; it is also what mends after a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bare = Bare(path)
        self._history = History(self._bare)
        self._writer = Writer(self._bare, self._history)

    def create(self) -> None:
        """Make the repository, if it is not there, and mend what a crash left."""
        self._writer.create(datetime.now(timezone.utc))

    def head(self) -> str:
        """The commit that says what is wanted now."""
        return self._bare.head() or ""

    def deployments(self) -> list[str]:
        """The names of all deployments."""
        return self._history.names()

    def record(self, name: str) -> Record:
        """A deployment and its versions as of one commit. Raises NotFound."""
        found = self._history.record(name)
        if found is None:
            raise no_deployment(name, self.deployments())
        return found

    def deployment(self, name: str) -> Deployment:
        """The settings of a deployment that move. Raises NotFound."""
        return self.record(name).deployment

    def versions(self, name: str) -> list[VersionRecord]:
        """The versions of a deployment, oldest first. Raises NotFound."""
        return list(self.record(name).versions)

    def updated(self, name: str) -> str:
        """When the deployment was last changed, ISO 8601. Raises NotFound."""
        return self.record(name).updated

    def files(self, name: str, number: int) -> dict[str, bytes]:
        """The files of a version as git holds them, large ones as pointers. Raises NotFound."""
        tree = self._bare.tree(self.record(name).version(number).commit)
        folder = tree[f"{FOLDER}/{name}"] if tree is not None else None
        assert isinstance(folder, pygit2.Tree)
        return files_of(folder)

    def diff(self, name: str, old: int, new: int) -> Diff:
        """What changed from one version to another. Raises NotFound."""
        labels = version_name(name, old), version_name(name, new)
        return changes.diff(self.files(name, old), self.files(name, new), *labels)

    def materialise(self, name: str, number: int, target: Path, blob_of: BlobOf) -> None:
        """Write the files of a version to `target`; `blob_of` finds bytes by their SHA-256.

        Raises NotFound, and Refused when bytes are gone. A target that is whole is left alone.
        """
        materialise(self.files(name, number), target, blob_of)

    def commit_version(
        self,
        name: str,
        folder: Path,
        blobs: Mapping[str, tuple[str, int]],
        settings: Mapping[str, Any],
        author: str,
        message: str,
        *,
        candidate: bool,
        now: datetime,
        digest: str = "",
        notebook: str = "",
        cell: int | None = None,
        how: str = "",
        bytes_moved: int = 0,
        lease: str = "",
        replicas: object = None,
        moving: Mapping[str, object] | None = None,
    ) -> int:
        """Make a version of a snapshot's folder, in one commit; returns its number.

        `blobs`: path in the snapshot -> (SHA-256, size) of what lies in the store. `replicas` and
        `moving` change the deployment in the same commit. Committing the same lease again returns
        the number that it got. Raises Refused when a secret is found.
        """
        check_name(name)
        files = read_folder(folder, blobs)
        files["settings.yaml"] = settings_to_yaml(check(settings)).encode()
        refuse_secrets(self._bare.unknown(files))
        digest = digest or identity(folder)
        facts = VersionFacts(digest, "", notebook, cell, how, bytes_moved, lease)
        asked = dict(moving or {}) | ({} if replicas is None else {"replicas": replicas})
        signed = Signed(author, now)
        return self._writer.run(
            lambda: self._make_version(name, files, facts, candidate, asked, message, signed)
        )

    def rollback(
        self,
        name: str,
        to: int | None,
        started: Started,
        *,
        author: str,
        now: datetime,
        because: str = "",
    ) -> Change:
        """Traffic back to a version that served; see `moves.rollback`."""
        by = mark(author, now, because)

        def told(before: Record, wanted: Deployment) -> str:
            left = wanted.bad.keys() - before.deployment.bad.keys()
            target = next(iter(wanted.traffic or {}), to or 0)
            return messages.rollback(name, target, left, because)

        rule: Rule = lambda record: moves.rollback(record, started, to, by)  # noqa: E731
        return self._move(name, rule, told, Signed(author, now))

    def promote(
        self, name: str, number: int, started: Started, *, author: str, now: datetime
    ) -> Change:
        """All traffic to one version; see `moves.promote`."""
        label = version_name(name, number)
        return self._move(
            name,
            lambda record: moves.promote(record, started, number),
            lambda *_: messages.message(f"Promote {label}", "", []),
            Signed(author, now),
        )

    def set_traffic(
        self,
        name: str,
        shares: Mapping[int, int],
        started: Started,
        *,
        author: str,
        now: datetime,
    ) -> Change:
        """Traffic by numbers; see `moves.set_traffic`."""
        return self._move(
            name,
            lambda record: moves.set_traffic(record, started, shares),
            lambda _, wanted: messages.traffic(name, wanted.traffic or {}),
            Signed(author, now),
        )

    def pause(self, name: str, *, author: str, now: datetime, because: str = "") -> Change:
        """Nobody is answered until `resume`."""
        by = mark(author, now, because)
        return self._move(
            name,
            lambda record: moves.pause(record.deployment, by),
            lambda *_: messages.message(f"Pause {name}", because, []),
            Signed(author, now),
        )

    def resume(self, name: str, *, author: str, now: datetime) -> Change:
        """A pause and a hold end."""
        return self._move(
            name,
            lambda record: moves.resume(record.deployment),
            lambda *_: messages.message(f"Resume {name}", "", []),
            Signed(author, now),
        )

    def configure(
        self, name: str, moving: Mapping[str, object], *, author: str, now: datetime
    ) -> Change:
        """Change settings of the deployment: protect, replicas, access, keep, description."""
        keys = ", ".join(moving)
        return self._move(
            name,
            lambda record: changed(record.deployment, moving),
            lambda *_: messages.message(f"Change {keys} of {name}", "", []),
            Signed(author, now),
        )

    def delete_candidate(
        self, name: str, number: int, started: Started, *, author: str, now: datetime
    ) -> Change:
        """Discard a waiting candidate. Its number is not given again."""
        by = mark(author, now)
        return self._move(
            name,
            lambda record: moves.discard(record, started, number, by),
            lambda *_: messages.message(f"Delete candidate {version_name(name, number)}", "", []),
            Signed(author, now),
        )

    def delete(self, name: str, *, author: str, now: datetime) -> Record:
        """End a deployment; returns what it was. Its numbers are not given again."""
        signed = Signed(author, now)

        def work() -> Record:
            record = self.record(name)
            self._writer.remove(record, messages.message(f"Delete {name}", "", []), signed)
            return record

        return self._writer.run(work)

    def _move(
        self,
        name: str,
        rule: Rule,
        message: Callable[[Record, Deployment], str],
        signed: Signed,
    ) -> Change:
        """Commit what a rule makes of a deployment, if that is anything new."""

        def work() -> Change:
            before = self.record(name)
            wanted = rule(before)
            if wanted == before.deployment:
                return Change(before, before)
            self._writer.set_deployment(before, wanted, message(before, wanted), signed)
            return Change(before, self.record(name))

        return self._writer.run(work)

    def _make_version(
        self,
        name: str,
        files: Mapping[str, bytes],
        facts: VersionFacts,
        candidate: bool,
        moving: Mapping[str, object],
        message: str,
        signed: Signed,
    ) -> int:
        record = self._history.record(name)
        if done := _made_from(record, facts.lease):
            return done
        deployment = record.deployment if record else Deployment()
        because = moves.candidate_because(deployment, facts.how, candidate)
        wanted = moves.deploy(changed(deployment, moving), bool(because))
        all_files = {**files, FILE: to_yaml(wanted).encode()}
        number = self._writer.next_number(name, record)
        title, _, body = message.strip().partition("\n")
        title = title or self._title(record, all_files, facts.digest)
        told = messages.version(
            version_name(name, number), title, body, facts.notebook, facts.cell, facts.how
        )
        tag = tag_message(told.partition("\n")[0], replace(facts, candidate_because=because))
        self._writer.add_version(name, number, all_files, told, tag, signed)
        return number

    def _title(self, record: Record | None, files: Mapping[str, bytes], digest: str) -> str:
        """What a version is, where nobody said: `changed predict, 1 line`."""
        if record is None or not record.versions:
            return "first version"
        told = changes.changed(self.files(record.name, record.versions[-1].number), files)
        if told:
            return f"changed {'; '.join(told)}"
        equal = [version for version in record.versions if version.digest == digest]
        return (
            f"same as {record.label(equal[-1].number)}" if equal else "nothing changed that ships"
        )


def _made_from(record: Record | None, lease: str) -> int | None:
    """The version that a lease made already: the answer was lost, the commit was not."""
    if record is None or not lease:
        return None
    numbers = (version.number for version in record.versions if version.lease == lease)
    return next(numbers, None)
