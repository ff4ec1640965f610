"""One deploy: capture, lease, admit, commit, wait until it answers (DESIGN.md 5)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellship.backend.client import Client
from cellship.backend.client_answers import Committed, Lease, Same, Version
from cellship.magics import origin, ship_errors
from cellship.magics.deployed import Deployed, Plan
from cellship.magics.entry import Entry
from cellship.magics.interrupts import deferred
from cellship.magics.progress import Progress
from cellship.magics.session import Session
from cellship.magics.ship_errors import Standing
from cellship.magics.upload import fill, trees_of
from cellship.snapshot.candidate import Candidate
from cellship.snapshot.errors import CellshipError, NotFound
from cellship.snapshot.request import CaptureRequest

WAIT_STEP = 10.0  # seconds of one question; an interrupt is heard at once all the same


@dataclass(frozen=True)
class Order:
    """What was asked for. `cell` is the body as typed, "" for `%deploy`."""

    name: str
    entry: Entry
    magic: str  # "%%deploy", "%deploy" or "deploy", for messages
    cell: str = ""
    packages: str = "closure"
    files: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()
    replicas: int | None = None
    candidate: bool = False
    message: str = ""
    tolerance: float | None = None
    example_run: bool = True
    plan: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the version (DESIGN.md 4)."""
        return {"entry": self.entry.expression}


def ship(order: Order, session: Session, progress: Progress) -> Deployed | Plan:
    """Ship what the kernel holds now. Raises CellshipError; a failure leaves traffic as it was."""
    progress.step("looking for the service")
    client = session.client_or_start()
    standing = stand(client, order.name)
    deal = Deal(order, client, progress, standing)
    with ship_errors.told(order, standing, deal), staging_folder() as staging:
        try:
            candidate = deal.capture(session, staging)
            if order.plan:
                return deal.plan(candidate)
            if deal.same is not None:
                return already(order, deal.same, candidate, progress)
            committed = deal.commit(candidate, session)
        finally:
            deal.drop()
    if not committed.created:
        return already(order, Same(committed.version, committed.url), candidate, progress)
    return settle(order, client, committed, candidate, deal, progress)


def stand(client: Client, name: str) -> Standing:
    """What answers now under that name."""
    try:
        found = client.deployment(name)
    except NotFound:
        return Standing()
    return Standing(found.live, found.url, tuple(client.versions(name)), found.paused is not None)


class Deal:
    """The bytes of one deploy on their way: at most one lease is open, and none is left behind."""

    def __init__(
        self, order: Order, client: Client, progress: Progress, standing: Standing
    ) -> None:
        self.order = order
        self.client = client
        self.progress = progress
        self.standing = standing
        self.lease: Lease | None = None
        self.same: Same | None = None
        self.committed: Committed | None = None
        self.bytes_moved = 0

    def capture(self, session: Session, staging: Path) -> Candidate:
        """The candidate, admitted; or as it is, where the service has it already."""
        run = session.capture or real_capture()
        self.progress.step(f"looking at what {self.order.entry.expression} needs")
        candidate: Candidate = run(
            capture_request(self.order, session),
            session.namespace,
            session.record,
            staging,
            admit=self.admit,
            known=self.known,
        )
        return candidate

    def known(self, digest: str) -> bool:
        """Whether nothing has to ship: asked before any byte is copied."""
        if self.order.plan or digest not in {version.digest for version in self.standing.versions}:
            return False
        answer = self._open(digest, {}, [])
        return isinstance(answer, Same)

    def admit(self, candidate: Candidate) -> dict[str, Any]:
        """Bring the candidate to the service's door; the worker's report."""
        blobs = {blob.digest: blob.size for blob in candidate.blobs}
        trees = [tree.digest for tree in trees_of(candidate)]
        lease = self._open(candidate.digest, blobs, trees)
        if isinstance(lease, Same):
            return {"ok": True, "schema": {}, "answers": [], "notes": [], "isolation": []}
        fill(lease, candidate, self.progress)
        self.progress.step("checking it in a clean worker")
        report = self.client.admit(lease.id, self._admit_body(candidate.digest))
        self.bytes_moved += int(report.get("bytes_moved", 0))
        return report

    def commit(self, candidate: Candidate, session: Session) -> Committed:
        """Make the version. Not to be interrupted: afterwards it is known whether it exists."""
        assert self.lease is not None, "capture admits what is not known"
        self.progress.step("making the version")
        with deferred():
            body = self._version_body(candidate, session)
            self.committed = self.client.commit(self.lease.id, body)
            self.lease = None  # the service has closed it
        return self.committed

    def plan(self, candidate: Candidate) -> Plan:
        lease = self.lease
        blobs = {blob.digest: blob.size for blob in candidate.blobs}
        trees = {tree.digest: tree.size for tree in trees_of(candidate)}
        return Plan(
            name=self.order.name,
            snapshot=candidate.digest,
            receipt=with_note(candidate, self.order).receipt,
            packages=tuple(
                (f"{tree.name} {tree.version}".strip(), tree.why, tree.size)
                for tree in candidate.packages
            ),
            values_size=sum(blobs.values()),
            missing_size=missing_size(lease, blobs, trees),
        )

    def drop(self) -> None:
        """Close the lease that is still open, if there is one."""
        if self.lease is None:
            return
        lease, self.lease = self.lease, None
        with deferred():
            ship_errors.quietly(lambda: self.client.drop_lease(lease.id))

    def _open(self, digest: str, blobs: Mapping[str, int], trees: list[str]) -> Same | Lease:
        """Open a lease in place of the one before: its bytes are in the store by now."""
        with deferred():
            answer = self.client.open_lease(
                self.order.name, digest, self.order.settings, blobs, trees
            )
            before, self.lease = self.lease, answer if isinstance(answer, Lease) else None
        if isinstance(answer, Same):
            self.same = answer
        if before is not None:
            self.client.drop_lease(before.id)
        return answer

    def _admit_body(self, digest: str) -> dict[str, Any]:
        return {
            "name": self.order.name,
            "digest": digest,
            "settings": self.order.settings,
            "example_run": self.order.example_run,
            "tolerance": self.order.tolerance,
        }

    def _version_body(self, candidate: Candidate, session: Session) -> dict[str, Any]:
        notebook = origin.notebook(session.namespace)
        return {
            "name": self.order.name,
            "digest": candidate.digest,
            "settings": self.order.settings,
            "candidate": self.order.candidate,
            "replicas": self.order.replicas,
            "message": self.order.message,
            "author": origin.author(),
            "how": origin.how_run(session.namespace),
            "notebook": str(notebook) if notebook else "",
            "cell": getattr(session.shell, "execution_count", None),
            "bytes_moved": self.bytes_moved,
        }


@contextmanager
def staging_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cellship-") as folder:
        yield Path(folder)


def real_capture() -> Any:
    from cellship.snapshot.capture import capture  # heavy: only whoever ships needs it

    return capture


def capture_request(order: Order, session: Session) -> CaptureRequest:
    return CaptureRequest(
        name=order.name,
        entry=order.entry.expression,
        cell=order.cell,
        packages=order.packages,
        files=order.files,
        no_files=order.no_files,
        example_run=order.example_run,
        tolerance=order.tolerance,
        notebook=origin.notebook(session.namespace),
        how=origin.how_run(session.namespace),
    )


def missing_size(lease: Lease | None, blobs: Mapping[str, int], trees: Mapping[str, int]) -> int:
    """Bytes that a deploy would move."""
    if lease is None:
        return 0
    return sum(blobs[digest] for digest in lease.missing_blobs if digest in blobs) + sum(
        trees[digest] for digest in lease.missing_trees if digest in trees
    )


def with_note(candidate: Candidate, order: Order) -> Candidate:
    """How the entry was chosen belongs to the receipt."""
    if not order.entry.note:
        return candidate
    receipt = candidate.receipt
    return replace(candidate, receipt=replace(receipt, notes=(order.entry.note, *receipt.notes)))


def already(order: Order, same: Same, candidate: Candidate, progress: Progress) -> Deployed:
    """Nothing to ship: the service has it."""
    return Deployed(
        name=order.name,
        version=same.version,
        url=same.url,
        snapshot=candidate.digest,
        receipt=with_note(candidate, order).receipt,
        seconds=progress.seconds,
        created=False,
        marked_bad=same.marked_bad,
    )


def settle(
    order: Order,
    client: Client,
    committed: Committed,
    candidate: Candidate,
    deal: Deal,
    progress: Progress,
) -> Deployed:
    """Wait until the version that exists now answers, and say what is live."""
    standing = deal.standing
    with ship_errors.waiting(order, standing, committed):
        version = wait_started(client, committed, progress, standing)
    if version.state == "failed":
        raise ship_errors.did_not_start(version, standing)
    deployment = client.deployment(order.name)
    result = Deployed(
        name=order.name,
        version=committed.version,
        url=committed.url or deployment.url,
        snapshot=candidate.digest,
        receipt=with_note(candidate, order).receipt,
        state=version.state,
        seconds=progress.seconds,
        bytes_moved=deal.bytes_moved,
        candidate=committed.candidate,
        why_candidate="made with --traffic 0" if order.candidate else held(committed),
        live=deployment.live,
        previous=previous(committed, standing),
        first=not standing.versions,
        replicas=order.replicas,
        notes=notes(standing),
    )
    return compared(result, client) if result.previous is not None else result


def wait_started(
    client: Client, committed: Committed, progress: Progress, standing: Standing
) -> Version:
    """Ask until it has started, or has failed to. The service sets the limit."""
    label = f"{committed.name}@{committed.version}"
    answers = f" ({standing.live} answers)" if standing.live else ""
    progress.step(f"starting {label}{answers}")
    while True:
        version = client.version(committed.name, str(committed.version), wait=WAIT_STEP)
        if version.state != "starting":
            return version


def compared(result: Deployed, client: Client) -> Deployed:
    """With what changed since the version before, and whether that one stays warm."""
    try:
        changed = client.diff(result.name, str(result.previous), str(result.version)).changed
        before = client.version(result.name, str(result.previous))
    except CellshipError:  # it is live: a comparison that fails must not say otherwise
        return result
    return replace(result, changed=changed, previous_state=before.state)


def previous(committed: Committed, standing: Standing) -> int | None:
    """The number that answered before, None where nothing did."""
    if committed.previous is not None:
        return committed.previous
    return int(standing.live.rpartition("@")[2]) if standing.live else None


def held(committed: Committed) -> str:
    return "a rollback holds the traffic" if committed.hold else ""


def notes(standing: Standing) -> tuple[str, ...]:
    return ("the deployment is paused: %cellship resume",) if standing.paused else ()
