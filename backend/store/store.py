"""The store of one data folder: content-addressed bytes, verified once when they enter.

    store/blobs/ab/<digest>   store/trees/<digest>/…   store/bytecode/<digest>/…
    store/sha256, store/oid   index of SHA-256, can be made again
    leases/<id>/…             on their way in

What stands in `store/` under its name is whole, read-only and on the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cellship.backend.store.disk import Measure, check_room, no_room_means_disk_full, space
from cellship.backend.store.durable import sync_all, sync_folders
from cellship.backend.store.errors import DiskFull, NoSuchBytes, NoSuchLease
from cellship.backend.store.held import held
from cellship.backend.store.incoming import Incoming, look, verify
from cellship.backend.store.leases import Lease, LeaseRecord, Leases
from cellship.backend.store.moving import make_read_only, move_blob, move_byte_code, move_tree
from cellship.backend.store.names import digest_name, is_digest
from cellship.backend.store.sha256_index import Sha256Index, sha256_digest


@dataclass(frozen=True)
class Missing:
    """What the store lacks of what was asked for."""

    blobs: tuple[str, ...]
    trees: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """`bytes_moved`: what this lease brought that was new, all its accepts together."""

    bytes_moved: int


class Store:
    """Blobs, trees and leases below the data folder `data`. Safe for several processes at once."""

    def __init__(
        self, data: Path, *, clock: Callable[[], float] = time.time, measure: Measure = space
    ) -> None:
        self._root = data / "store"
        self._clock = clock
        self._measure = measure
        for part in ("blobs", "trees", "bytecode"):
            (self._root / part).mkdir(parents=True, exist_ok=True)
        self._leases = Leases(data / "leases")
        self._index = Sha256Index(self._root)

    def missing(self, blobs: Iterable[str], trees: Iterable[str]) -> Missing:
        """Those of the digests that the store does not hold. Raises BadName."""
        return Missing(
            tuple(digest for digest in blobs if not self._blob(digest).exists()),
            tuple(digest for digest in trees if not self._tree(digest).exists()),
        )

    def open_lease(self, announced: int = 0, name: str | None = None) -> Lease:
        """A new lease for `announced` bytes, with an id of the caller's choice. Raises DiskFull."""
        check_room(self._root, announced, self._measure)
        with no_room_means_disk_full(self._root):
            return self._leases.open(self._clock(), name)

    def lease(self, name: str) -> Lease:
        """The open lease of this id. Raises NoSuchLease, BadName."""
        return self._leases.get(name)

    def leases(self) -> list[Lease]:
        """The leases that are open."""
        return self._leases.all()

    def accept(self, lease: Lease) -> Accepted:
        """Take what lies in the lease: all of it, or nothing.

        Every digest is verified, files become read-only and reach the disk before they have their
        names in the store, and those names are on the disk before this returns. May be called again
        as more arrives. Raises WrongDigest, NotPlain, WrongByteCode, DiskFull, NoSuchLease.
        """
        try:
            with self._held(lease), no_room_means_disk_full(self._root):
                check_room(self._root, 0, self._measure)
                return self._take(lease)
        except DiskFull:
            self.drop(lease)
            raise

    def drop(self, lease: Lease) -> None:
        """End a lease. What it brought into the store stays there; what did not enter is gone."""
        with suppress(NoSuchLease), self._held(lease):
            self._leases.drop(lease)

    def expire(self, now: float) -> list[str]:
        """Drop the leases that nobody used for a day; their ids."""
        return self._leases.expire(now)

    def held_by_leases(self) -> frozenset[str]:
        """Digests that open leases brought: a lease keeps them alive."""
        records = [self._leases.record(lease) for lease in self.leases()]
        return frozenset(digest for each in records for digest in (*each.blobs, *each.trees))

    def blob(self, digest: str) -> Path:
        """The file of a blob. Raises NoSuchBytes."""
        return _existing(self._blob(digest), digest)

    def tree(self, digest: str) -> Path:
        """The folder of a tree. Raises NoSuchBytes."""
        return _existing(self._tree(digest), digest)

    def bytecode(self, digest: str) -> Path | None:
        """The folder of a tree's byte code, if there is any."""
        folder = self._root / "bytecode" / digest_name(digest)
        return folder if folder.exists() else None

    def sha256(self, digest: str) -> str:
        """The SHA-256 of a blob. Raises NoSuchBytes."""
        known = self._index.sha256_of(digest_name(digest))
        if known:
            return known
        computed = sha256_digest(str(self.blob(digest)))
        self._index.add(digest, computed)
        return computed

    def by_sha256(self, oid: str) -> Path | None:
        """The blob with this SHA-256, as git LFS pointers name it."""
        digest = self._index.digest_of(digest_name(oid))
        path = self._blob(digest) if digest and is_digest(digest) else None
        return path if path and path.exists() else None

    def recover(self) -> None:
        """Clean up after a crash, at start: unfinished files and leases, gaps in the index."""
        self._leases.clean()
        self._index.clean()
        for folder in (self._root / "blobs").iterdir():
            for blob in folder.iterdir():
                self._mend_index(blob.name)

    def _mend_index(self, digest: str) -> None:
        sha256 = self.sha256(digest)
        if self._index.digest_of(sha256) != digest:
            self._index.add(digest, sha256)

    @contextmanager
    def _held(self, lease: Lease) -> Iterator[None]:
        """One accept of a lease at a time. Raises NoSuchLease."""
        try:
            with held(lease.folder):
                yield
        except FileNotFoundError:
            if lease.folder.exists():
                raise
            raise NoSuchLease(lease.id) from None

    def _take(self, lease: Lease) -> Accepted:
        record = self._leases.record(lease)
        incoming = verify(look(lease), lease, self._root / "trees")
        for file in incoming.files():
            make_read_only(file)
        indexed = [
            folder
            for digest, sha256 in incoming.sha256.items()
            for folder in self._index.add(digest, sha256)
        ]
        record = self._remember(lease, record, incoming)
        if not incoming.files():
            return Accepted(record.bytes_moved)
        sync_all(self._root)
        with held(self._root):
            moved, changed = self._move(lease, incoming)
        sync_folders([*indexed, *changed], self._root)
        record = replace(record, bytes_moved=record.bytes_moved + moved)
        self._leases.write(lease, record)
        return Accepted(record.bytes_moved)

    def _remember(self, lease: Lease, record: LeaseRecord, incoming: Incoming) -> LeaseRecord:
        """Write down what the lease holds before it moves: from then on it is kept alive."""
        blobs = tuple(dict.fromkeys([*record.blobs, *incoming.blobs]))
        trees = tuple(dict.fromkeys([*record.trees, *incoming.trees]))
        record = replace(record, used=self._clock(), blobs=blobs, trees=trees)
        self._leases.write(lease, record)
        return record

    def _move(self, lease: Lease, incoming: Incoming) -> tuple[int, list[Path]]:
        """Give everything its name in the store: bytes that became new, folders that changed."""
        moved, changed = 0, [self._root / "blobs", self._root / "trees", self._root / "bytecode"]
        for digest, file in incoming.blobs.items():
            moved += move_blob(file, self._blob(digest))
            changed.append(self._blob(digest).parent)
        for digest, files in incoming.trees.items():
            moved += move_tree(lease.folder / "trees" / digest, files, self._tree(digest))
        for digest, files in incoming.bytecode.items():
            target = self._root / "bytecode" / digest
            moved += move_byte_code(lease.folder / "bytecode" / digest, files, target)
        return moved, changed

    def _blob(self, digest: str) -> Path:
        return self._root / "blobs" / digest_name(digest)[:2] / digest

    def _tree(self, digest: str) -> Path:
        return self._root / "trees" / digest_name(digest)


def _existing(path: Path, digest: str) -> Path:
    if not path.exists():
        raise NoSuchBytes(digest)
    return path
