"""Leases: bytes on their way in. A folder each; kept alive, visible to nobody else.

    leases/<id>/lease.json                    when it began, when it was last used, what it brought
                blobs/<digest>  trees/<digest>/…  bytecode/<digest>/…  snapshot/…  admit/…

A name that begins with a dot is unfinished: a lease being made or dropped, a file being written.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from cellship.backend.store.errors import NoSuchLease
from cellship.backend.store.names import LEASE, lease_name

AGE_LIMIT = 24 * 3600.0  # s since a lease was last used
PARTS = ("blobs", "trees", "bytecode", "snapshot", "admit")


@dataclass(frozen=True)
class Lease:
    """A lease and its folder, into which a client on this host writes."""

    id: str
    folder: Path


@dataclass(frozen=True)
class LeaseRecord:
    """What a lease remembers: times, and what it brought into the store so far."""

    opened: float
    used: float
    bytes_moved: int = 0
    blobs: tuple[str, ...] = field(default=())
    trees: tuple[str, ...] = field(default=())


class Leases:
    """The folder of leases."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def open(self, now: float, name: str | None = None) -> Lease:
        """A new lease with its empty folders; or the one that is open under this id."""
        name = lease_name(name or uuid.uuid4().hex)
        if (self._root / name).exists():
            return self.get(name)
        new = self._root / f".new-{uuid.uuid4().hex}"
        for part in PARTS:
            (new / part).mkdir(parents=True)
        _write(new, LeaseRecord(now, now))
        folder = self._root / name
        os.rename(new, folder)
        return Lease(name, folder)

    def get(self, name: str) -> Lease:
        """The lease of this id. Raises NoSuchLease."""
        folder = self._root / lease_name(name)
        if not (folder / "lease.json").is_file():
            raise NoSuchLease(name)
        return Lease(name, folder)

    def all(self) -> list[Lease]:
        """Leases that are open."""
        names = sorted(name for name in os.listdir(self._root) if LEASE.fullmatch(name))
        return [Lease(name, self._root / name) for name in names]

    def record(self, lease: Lease) -> LeaseRecord:
        """What a lease remembers. Raises NoSuchLease."""
        try:
            kept = json.loads((lease.folder / "lease.json").read_bytes())
        except FileNotFoundError:
            raise NoSuchLease(lease.id) from None
        return LeaseRecord(**{**kept, "blobs": tuple(kept["blobs"]), "trees": tuple(kept["trees"])})

    def write(self, lease: Lease, record: LeaseRecord) -> None:
        """Keep what a lease brought."""
        _write(lease.folder, record)

    def drop(self, lease: Lease) -> None:
        """Remove a lease and what is still in it; no error if it is gone."""
        dropped = self._root / f".dropped-{lease.id}"
        try:
            os.rename(lease.folder, dropped)
        except FileNotFoundError:
            return
        shutil.rmtree(dropped)

    def expire(self, now: float) -> list[str]:
        """Drop the leases that were not used for a day; their ids."""
        gone = []
        for lease in self.all():
            try:
                record = self.record(lease)
            except NoSuchLease:  # dropped in this moment
                continue
            if record.used > now:  # the clock was set back: begin to count again
                self.write(lease, replace(record, used=now))
            elif now - record.used > AGE_LIMIT:
                self.drop(lease)
                gone.append(lease.id)
        return gone

    def clean(self) -> None:
        """Remove what a crash left of leases being made or dropped."""
        for path in self._root.glob(".*-*"):
            shutil.rmtree(path, ignore_errors=True)


def _write(folder: Path, record: LeaseRecord) -> None:
    new = folder / f".lease-{uuid.uuid4().hex}"
    new.write_text(json.dumps(asdict(record)))
    os.replace(new, folder / "lease.json")
