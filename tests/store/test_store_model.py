"""Leases, bytes, accepts, drops, restarts in any order: the store holds what was accepted."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from cellship.backend.store.errors import NoSuchLease, WrongDigest
from cellship.backend.store.leases import AGE_LIMIT, Lease
from cellship.backend.store.store import Store
from cellship.snapshot.trees import tree_digest

CONTENT = st.binary(max_size=5)
TREES = st.dictionaries(st.sampled_from(["a.py", "b/c.py", "b/d.txt"]), CONTENT, min_size=1)


class StoreModel(RuleBasedStateMachine):
    """`waiting` is what lies in each lease, `kept` what the store must hold."""

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.data = Path(tempfile.mkdtemp())
        self.now = 0.0
        self.store = Store(self.data, clock=lambda: self.now)
        self.waiting: dict[str, set[str]] = {}
        self.kept: set[str] = set()
        self.seen: set[str] = set()
        self.bad: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.data)

    @rule(target=leases)
    def open_lease(self) -> Lease:
        lease = self.store.open_lease()
        self.waiting[lease.id] = set()
        return lease

    @rule(lease=leases, data=CONTENT)
    def put_blob(self, lease: Lease, data: bytes) -> None:
        if lease.id not in self.waiting:
            return
        digest = blake3(data).hexdigest()
        path = lease.folder / "blobs" / digest
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        self._put(lease, digest)

    @rule(lease=leases, files=TREES)
    def put_tree(self, lease: Lease, files: dict[str, bytes]) -> None:
        if lease.id not in self.waiting:
            return
        digest = tree_digest(
            (path, False, blake3(data).hexdigest()) for path, data in files.items()
        )
        folder = lease.folder / "trees" / digest
        shutil.rmtree(folder, ignore_errors=True)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        self._put(lease, f"tree {digest}")

    @rule(lease=leases)
    def spoil(self, lease: Lease) -> None:
        if lease.id in self.waiting:
            (lease.folder / "blobs" / ("f" * 64)).write_bytes(b"wrong")
            self.bad.add(lease.id)

    @rule(lease=leases)
    def accept(self, lease: Lease) -> None:
        if lease.id not in self.waiting:
            with pytest.raises(NoSuchLease):
                self.store.accept(lease)
        elif lease.id in self.bad:
            with pytest.raises(WrongDigest):
                self.store.accept(lease)
        else:
            self.store.accept(lease)
            self.kept |= self.waiting[lease.id]
            self.waiting[lease.id] = set()

    @rule(lease=consumes(leases))
    def drop(self, lease: Lease) -> None:
        self.store.drop(lease)
        self.waiting.pop(lease.id, None)

    @rule()
    def restart(self) -> None:
        self.store = Store(self.data, clock=lambda: self.now)
        self.store.recover()

    @rule()
    def a_day_passes(self) -> None:
        self.now += AGE_LIMIT + 1
        gone = self.store.expire(self.now)
        for lease in gone:
            del self.waiting[lease]

    @invariant()
    def holds_what_was_accepted(self) -> None:
        blobs = [name for name in self.seen if not name.startswith("tree ")]
        trees = [name.removeprefix("tree ") for name in self.seen if name.startswith("tree ")]
        missing = self.store.missing(blobs, trees)
        lacking = {*missing.blobs, *(f"tree {digest}" for digest in missing.trees)}
        assert lacking == self.seen - self.kept
        for digest in set(blobs) & self.kept:
            assert blake3(self.store.blob(digest).read_bytes()).hexdigest() == digest
            assert self.store.by_sha256(self.store.sha256(digest)) == self.store.blob(digest)

    @invariant()
    def leases_are_those_that_were_opened(self) -> None:
        assert {lease.id for lease in self.store.leases()} == set(self.waiting)

    def _put(self, lease: Lease, name: str) -> None:
        self.waiting[lease.id].add(name)
        self.seen.add(name)


StoreModel.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestStoreModel = StoreModel.TestCase
