"""The bytes of one deploy on their way: capture, lease, admit, commit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cellship.backend.client import Client
from cellship.backend.client_answers import Committed, Lease, Same
from cellship.magics import origin
from cellship.magics.deployed import Plan
from cellship.magics.interrupts import deferred
from cellship.magics.order import Order, Standing
from cellship.magics.progress import Progress
from cellship.magics.session import Session
from cellship.magics.upload import fill, trees_of
from cellship.snapshot.candidate import Candidate
from cellship.snapshot.errors import CellshipError
from cellship.snapshot.request import CaptureRequest


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
        self.packages_moved = False

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
            cache=self._cache(),
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
        self.bytes_moved += fill(lease, candidate, self.progress)
        self.packages_moved |= bool(lease.missing_trees)
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
            same_as=self.same.version if self.same is not None else None,
        )

    def drop(self) -> None:
        """Close the lease that is still open, if there is one."""
        if self.lease is None:
            return
        lease, self.lease = self.lease, None
        # after a failure it is the failure that the user must read
        with deferred(), suppress(CellshipError):
            self.client.drop_lease(lease.id)

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

    def _cache(self) -> Path | None:
        """What a capture learns about packages lies with the service's data, where that is here."""
        data = self.client.connection.data
        return data / "cache" if data is not None else None

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
