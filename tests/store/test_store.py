"""The store: what enters is verified, whole, read-only; what is refused leaves nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from blake3 import blake3

from cellship.backend.store.disk import Space
from cellship.backend.store.errors import (
    BadName,
    DiskFull,
    NoSuchBytes,
    NoSuchLease,
    NotPlain,
    WrongByteCode,
    WrongDigest,
)
from cellship.backend.store.leases import AGE_LIMIT, Lease
from cellship.backend.store.store import Missing, Store
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.trees import TreePlan, make_trees

ABSENT = "0" * 64


def blob(lease: Lease, data: bytes) -> str:
    digest = blake3(data).hexdigest()
    (lease.folder / "blobs" / digest).write_bytes(data)
    return digest


def tree(lease: Lease, source: Path, files: dict[str, str], *, byte_code: bool = False) -> str:
    """Put a tree of these files into a lease, as capture does it."""
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    listed = tuple(TreeFile.of(path, str(source / path)) for path in files)
    (made,) = make_trees([TreePlan("local", "t", "", "test", listed, str(source))], None)
    made.write(lease.folder / "trees" / made.digest)
    if byte_code:
        made.write_bytecode(lease.folder / "bytecode" / made.digest)
    return made.digest


def everything(folder: Path) -> list[str]:
    """Files below a folder, without those that only say that nothing is there."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def test_a_blob_enters_and_is_read_only(store: Store) -> None:
    lease = store.open_lease()
    digest = blob(lease, b"weights")
    assert store.missing([digest, ABSENT], [ABSENT]) == Missing((digest, ABSENT), (ABSENT,))

    assert store.accept(lease).bytes_moved == 7

    assert store.blob(digest).read_bytes() == b"weights"
    assert stat.S_IMODE(store.blob(digest).stat().st_mode) == 0o444
    assert store.missing([digest], []) == Missing((), ())
    assert store.sha256(digest) == hashlib.sha256(b"weights").hexdigest()
    assert store.by_sha256(store.sha256(digest)) == store.blob(digest)
    assert everything(lease.folder) == ["lease.json"]


def test_a_tree_enters_with_its_modes(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    digest = tree(lease, tmp_path / "t", {"a/__init__.py": "x = 1\n", "a/data.txt": "y"})
    store.accept(lease)
    folder = store.tree(digest)
    assert everything(folder) == ["a/__init__.py", "a/data.txt"]
    assert stat.S_IMODE((folder / "a/data.txt").stat().st_mode) == 0o444
    assert store.bytecode(digest) is None


def test_what_is_there_does_not_move_again(store: Store, tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n"}
    first, second = store.open_lease(), store.open_lease()
    for lease in (first, second):
        blob(lease, b"weights")
        digest = tree(lease, tmp_path / "t", files)
    assert store.accept(first).bytes_moved == 7 + 6
    inode = store.tree(digest).stat().st_ino
    assert store.accept(second).bytes_moved == 0
    assert store.tree(digest).stat().st_ino == inode
    assert everything(second.folder) == ["lease.json"]


def test_more_may_arrive_in_the_same_lease(store: Store) -> None:
    lease = store.open_lease()
    one = blob(lease, b"one")
    assert store.accept(lease).bytes_moved == 3
    assert store.accept(lease).bytes_moved == 3
    two = blob(lease, b"four")
    assert store.accept(lease).bytes_moved == 7
    assert store.held_by_leases() == {one, two}
    store.drop(lease)
    assert store.held_by_leases() == frozenset()
    assert store.blob(one).exists()


def test_empty_bytes_and_empty_trees_are_bytes_too(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    digest = blob(lease, b"")
    empty = tree(lease, tmp_path / "t", {"__init__.py": ""}, byte_code=True)
    store.accept(lease)
    assert store.blob(digest).read_bytes() == b""
    assert store.sha256(digest) == hashlib.sha256(b"").hexdigest()
    assert everything(store.tree(empty)) == ["__init__.py"]


def link_to_secret(lease: Lease) -> None:
    (lease.folder / "blobs" / ABSENT).symlink_to("/etc/passwd")


def link_to_folder(lease: Lease) -> None:
    (lease.folder / "trees" / ABSENT).symlink_to("/etc")


def link_inside_tree(lease: Lease) -> None:
    (lease.folder / "trees" / ABSENT).mkdir()
    (lease.folder / "trees" / ABSENT / "a.py").symlink_to("/etc/passwd")


def links_for_parts(lease: Lease) -> None:
    (lease.folder / "blobs").rmdir()
    (lease.folder / "blobs").symlink_to("/etc")


def hard_link(lease: Lease) -> None:
    outside = lease.folder.parent.parent / "outside"
    outside.write_bytes(b"mine")
    os.link(outside, lease.folder / "blobs" / blake3(b"mine").hexdigest())


def pipe(lease: Lease) -> None:
    os.mkfifo(lease.folder / "blobs" / ABSENT)


def line_break(lease: Lease) -> None:
    (lease.folder / "trees" / ABSENT).mkdir()
    (lease.folder / "trees" / ABSENT / "a\n- b").write_text("")


@pytest.mark.parametrize(
    "put",
    [
        link_to_secret,
        link_to_folder,
        link_inside_tree,
        links_for_parts,
        hard_link,
        pipe,
        line_break,
    ],
)
def test_only_plain_files_are_taken(
    put: Callable[[Lease], None], store: Store, tmp_path: Path
) -> None:
    lease = store.open_lease()
    put(lease)
    with pytest.raises(NotPlain) as refused:
        store.accept(lease)
    assert refused.value.code == "store.not-plain"
    assert everything(tmp_path / "data" / "store") == []


@pytest.mark.parametrize("name", ["..", "a" * 63, "A" * 64, "../" + "a" * 61, "x"])
def test_only_digests_are_names(name: str, store: Store) -> None:
    for ask in (store.blob, store.tree, store.bytecode, store.sha256, store.by_sha256):
        with pytest.raises(BadName):
            ask(name)
    with pytest.raises(BadName):
        store.missing([name], [])
    with pytest.raises(BadName):
        store.lease(name)


def test_a_wrong_blob_is_refused_and_nothing_enters(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    right = blob(lease, b"right")
    (lease.folder / "blobs" / ABSENT).write_bytes(b"wrong")
    with pytest.raises(WrongDigest, match="Ship again"):
        store.accept(lease)
    assert store.missing([right], []).blobs == (right,)
    assert everything(tmp_path / "data" / "store") == []


@pytest.mark.parametrize("change", ["byte", "mode", "extra", "gone"])
def test_a_wrong_tree_is_refused(change: str, store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    folder = lease.folder / "trees" / tree(lease, tmp_path / "t", {"a.py": "x", "b.py": "y"})
    if change == "byte":
        os.chmod(folder / "a.py", 0o644)
        (folder / "a.py").write_text("z")
    elif change == "mode":
        os.chmod(folder / "a.py", 0o755)
    elif change == "extra":
        (folder / "c.py").write_text("")
    else:
        (folder / "a.py").unlink()
    with pytest.raises(WrongDigest):
        store.accept(lease)
    assert store.missing([], [folder.name]).trees == (folder.name,)


def test_byte_code_comes_with_its_source(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    digest = tree(lease, tmp_path / "t", {"a/b.py": "x = 1\n"})
    code = lease.folder / "bytecode" / digest / "a" / "__pycache__"
    code.mkdir(parents=True)
    (code / "b.cpython-311.pyc").write_bytes(b"\xa7\r\r\n" + bytes(12) + b"code")
    with pytest.raises(WrongByteCode, match="times"):
        store.accept(lease)
    (code / "b.cpython-311.pyc").write_bytes(b"\xa7\r\r\n\x01\0\0\0" + bytes(8) + b"code")
    with pytest.raises(WrongByteCode, match="another text"):
        store.accept(lease)
    (code / "b.cpython-311.pyc").rename(code / "c.cpython-311.pyc")
    with pytest.raises(WrongByteCode, match="no such source"):
        store.accept(lease)
    (code / "c.cpython-311.pyc").rename(code.parent / "b.py")
    with pytest.raises(WrongByteCode, match="not where"):
        store.accept(lease)


def test_byte_code_without_a_tree_is_refused(store: Store) -> None:
    lease = store.open_lease()
    (lease.folder / "bytecode" / ABSENT).mkdir()
    with pytest.raises(WrongByteCode):
        store.accept(lease)


def test_byte_code_of_another_python_is_added(store: Store, tmp_path: Path) -> None:
    import importlib.util

    for tag in ("cpython-311", "cpython-312"):
        lease = store.open_lease()
        digest = tree(lease, tmp_path / "t", {"a.py": "x = 1\n"})
        code = lease.folder / "bytecode" / digest / "__pycache__"
        code.mkdir(parents=True)
        header = importlib.util.MAGIC_NUMBER + b"\x01\0\0\0"
        header += importlib.util.source_hash(b"x = 1\n")
        (code / f"a.{tag}.pyc").write_bytes(header + b"code")
        store.accept(lease)
    found = store.bytecode(digest)
    assert found is not None
    assert everything(found) == ["__pycache__/a.cpython-311.pyc", "__pycache__/a.cpython-312.pyc"]


def test_unfinished_uploads_wait(store: Store) -> None:
    lease = store.open_lease()
    (lease.folder / "blobs" / f".{ABSENT}").write_bytes(b"half")
    assert store.accept(lease).bytes_moved == 0
    assert (lease.folder / "blobs" / f".{ABSENT}").exists()


def test_leases_end(tmp_path: Path) -> None:
    now = [1000.0]
    store = Store(tmp_path, clock=lambda: now[0])
    old, used = store.open_lease(), store.open_lease()
    now[0] += AGE_LIMIT
    store.accept(used)
    assert store.expire(now[0] + 1) == [old.id]
    assert [lease.id for lease in store.leases()] == [used.id]
    with pytest.raises(NoSuchLease):
        store.accept(old)
    with pytest.raises(NoSuchLease):
        store.lease(old.id)
    store.drop(old)


def test_a_clock_set_back_does_not_keep_leases_for_ever(tmp_path: Path) -> None:
    store = Store(tmp_path, clock=lambda: 10 * AGE_LIMIT)
    lease = store.open_lease()
    assert store.expire(5.0) == []
    assert store.expire(5.0 + AGE_LIMIT) == []
    assert store.expire(6.0 + AGE_LIMIT) == [lease.id]


def test_a_disk_below_five_percent_takes_nothing(tmp_path: Path) -> None:
    room = [Space(free=50, total=1000)]
    store = Store(tmp_path, measure=lambda _: room[0])
    lease = store.open_lease(50)
    with pytest.raises(DiskFull, match="This needs 51 B"):
        store.open_lease(51)
    blob(lease, b"x")
    room[0] = Space(free=49, total=1000)
    with pytest.raises(DiskFull, match="less than 5 %"):
        store.accept(lease)
    with pytest.raises(DiskFull):
        store.open_lease()
    assert store.leases() == []


@pytest.mark.parametrize("step", ["_take", "_move"])
def test_a_disk_full_half_way_leaves_nothing(
    step: str, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    lease = store.open_lease()
    digest = blob(lease, b"x")
    monkeypatch.setattr(store, step, full)
    with pytest.raises(DiskFull, match="half-way"):
        store.accept(lease)
    assert store.leases() == []
    assert store.missing([digest], []).blobs == (digest,)
    assert list((tmp_path / "data" / "leases").iterdir()) == []


def test_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(NoSuchBytes):
        store.blob(ABSENT)
    with pytest.raises(NoSuchBytes):
        store.tree(ABSENT)
    with pytest.raises(NoSuchBytes):
        store.sha256(ABSENT)
    assert store.by_sha256(ABSENT) is None


def test_two_leases_bring_the_same_at_once(store: Store, tmp_path: Path) -> None:
    leases = [store.open_lease() for _ in range(6)]
    for lease in leases:
        blob(lease, b"weights" * 1000)
        digest = tree(
            lease, tmp_path / "t", {f"a/{n}.py": f"x = {n}\n" for n in range(100)}, byte_code=True
        )
    gate = threading.Barrier(len(leases))

    def accept(lease: Lease) -> int:
        gate.wait(30)
        return store.accept(lease).bytes_moved

    with ThreadPoolExecutor(len(leases)) as pool:
        moved = sorted(pool.map(accept, leases))
    assert len(everything(store.tree(digest))) == 100
    assert moved[-1] > 0
    for lease in leases:
        store.drop(lease)
    assert list((tmp_path / "data" / "leases").iterdir()) == []


def test_the_index_is_made_again(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    digest = blob(lease, b"weights")
    store.accept(lease)
    oid = store.sha256(digest)
    for path in ("sha256", "oid"):
        for file in (tmp_path / "data" / "store" / path).rglob("*"):
            if file.is_file():
                file.unlink()
        assert Store(tmp_path / "data").sha256(digest) == oid
        fresh = Store(tmp_path / "data")
        fresh.recover()
        assert fresh.by_sha256(oid) == store.blob(digest)


def test_recover_removes_what_is_unfinished(store: Store, tmp_path: Path) -> None:
    lease = store.open_lease()
    leases = tmp_path / "data" / "leases"
    (leases / f".new-{'a' * 32}" / "blobs").mkdir(parents=True)
    (leases / f".dropped-{'b' * 32}").mkdir()
    (tmp_path / "data" / "store" / ".new-1").write_text("")
    store.recover()
    assert [path.name for path in leases.iterdir()] == [lease.id]
    assert everything(tmp_path / "data" / "store") == []
