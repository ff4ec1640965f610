"""The commits of a deployment without git: rules of traffic and life, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cellship.backend.workspace import moves, traffic
from cellship.backend.workspace.deployment import Deployment, Mark
from cellship.backend.workspace.deployment_yaml import from_yaml, to_yaml
from cellship.backend.workspace.life import Life
from cellship.backend.workspace.record import Record
from cellship.backend.workspace.versions import VersionRecord

TEXTS = (
    "digest",
    "created",
    "author",
    "message",
    "candidate_because",
    "notebook",
    "how",
    "lease",
    "commit",
)


def version(number: int, digest: str = "", candidate: bool = False) -> VersionRecord:
    facts = dict.fromkeys(TEXTS, "") | {"cell": None, "bytes_moved": 0}
    facts |= {"digest": digest, "candidate": candidate, "number": number}
    return VersionRecord(**facts)  # type: ignore[arg-type]


@dataclass
class Story:
    """One deployment. `started` is how first starts ended."""

    life: Life = field(default_factory=Life)
    started: dict[int, str] = field(default_factory=dict)
    commits: int = 0

    @property
    def record(self) -> Record:
        return self.life.record("digits")

    @property
    def deployment(self) -> Deployment:
        return self.life.deployment

    def by(self, why: str = "") -> Mark:
        return Mark("ann", f"2026-11-20T12:00:{self.commits:02}Z", why)

    def commit(self, wanted: Deployment, made: VersionRecord | None = None) -> None:
        """One commit: what is written is what is read back."""
        self.commits += 1
        self.life.step(from_yaml(to_yaml(wanted)), [made] if made else [])

    def deploy(
        self, start: str = "ok", *, candidate: bool = False, how: str = "", digest: str = ""
    ) -> int:
        because = moves.candidate_because(self.deployment, how, candidate)
        number = 1 + max([0, *self.started])
        self.started[number] = start
        wanted = moves.deploy(self.deployment, bool(because))
        self.commit(wanted, version(number, digest or f"digest {number}", bool(because)))
        return number

    def rollback(self, to: int | None = None, because: str = "") -> None:
        self.commit(moves.rollback(self.record, self.started, to, self.by(because)))

    def promote(self, number: int) -> None:
        self.commit(moves.promote(self.record, self.started, number))

    def split(self, shares: Mapping[int, int]) -> None:
        self.commit(moves.set_traffic(self.record, self.started, shares))

    def pause(self) -> None:
        self.commit(moves.pause(self.deployment, self.by()))

    def resume(self) -> None:
        self.commit(moves.resume(self.deployment))

    def discard(self, number: int) -> None:
        self.commit(moves.discard(self.record, self.started, number, self.by()))

    def edit(self, **changes: object) -> None:
        """A pushed edit of deployment.yaml, which knows nothing of rules."""
        self.commit(replace(self.deployment, **changes))  # type: ignore[arg-type]

    def answering(self) -> dict[int, int]:
        return traffic.resolve(self.deployment, self.record.versions, self.started)

    def previous(self) -> int | None:
        return traffic.previous(self.deployment, self.record.versions, self.started)
