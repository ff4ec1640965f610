"""A version from git back to a folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.workspace.materialise import materialise
from cellship.backend.workspace.pointers import Pointer, parse
from cellship.snapshot.errors import CellshipError, Refused
from cellship.snapshot.identity import identity

Shop = Any
BUFFER = "ab" * 32
DATA = b"12345"


class Store:
    """Bytes by SHA-256."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def add(self, data: bytes) -> tuple[str, int]:
        oid = hashlib.sha256(data).hexdigest()
        (self.root / oid).write_bytes(data)
        return oid, len(data)

    def blob(self, oid: str) -> Path:
        return self.root / oid


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_was_shipped_comes_back(shop: Shop, store: Store, tmp_path: Path) -> None:
    folder = shop.snapshot()
    blobs = {
        f"values/buffers/{BUFFER}": store.add(DATA),
        "files/0": store.add(b"a,b\n"),
        "files/1": store.add(b""),
    }
    shop.ship(folder=folder, blobs=blobs)
    target = tmp_path / "out" / "snapshot"
    target.parent.mkdir()
    shop.workspace.materialise("digits", 1, target, store.blob)
    assert identity(target) == identity(folder)
    buffer = target / "values/buffers" / BUFFER
    assert buffer.read_bytes() == DATA
    assert os.path.samefile(buffer, store.blob(blobs[f"values/buffers/{BUFFER}"][0]))
    assert (target / "files/0").read_bytes() == b"a,b\n"
    assert (target / "files/1").read_bytes() == b""
    names = {path.name for path in target.rglob("*")}
    assert not names & {"deployment.yaml", "settings.yaml", ".gitattributes"}
    assert os.listdir(target.parent) == ["snapshot"]
    assert not (target / "source.py").stat().st_mode & 0o222


def test_a_large_graph_is_a_pointer_and_comes_back(
    shop: Shop, store: Store, tmp_path: Path
) -> None:
    folder = shop.snapshot()
    graph = (folder / "values/graph.pkl").read_bytes()
    shop.ship(folder=folder, blobs={"values/graph.pkl": store.add(graph)})
    assert parse(shop.workspace.files("digits", 1)["values/graph.pkl"])
    shop.workspace.materialise("digits", 1, tmp_path / "out", store.blob)
    assert identity(tmp_path / "out") == identity(folder)


def test_a_whole_target_is_left_alone_and_a_spoilt_one_made_anew(
    shop: Shop, store: Store, tmp_path: Path
) -> None:
    shop.ship(blobs={f"values/buffers/{BUFFER}": store.add(DATA)})
    target = tmp_path / "out"
    shop.workspace.materialise("digits", 1, target, store.blob)
    inode = target.stat().st_ino
    shop.workspace.materialise("digits", 1, target, store.blob)
    assert target.stat().st_ino == inode
    (target / "source.py").chmod(0o644)
    (target / "source.py").write_text("")
    shop.workspace.materialise("digits", 1, target, store.blob)
    assert "def predict" in (target / "source.py").read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == ["out"]


@pytest.mark.parametrize(
    ("data", "told"), [(b"123", "3 bytes are there, 5 wanted"), (None, "gone")]
)
def test_bytes_that_are_gone_or_cut_leave_nothing(
    shop: Shop, store: Store, tmp_path: Path, data: bytes | None, told: str
) -> None:
    oid, size = store.add(DATA)
    shop.ship(blobs={f"values/buffers/{BUFFER}": (oid, size)})
    if data is None:
        store.blob(oid).unlink()
    else:
        store.blob(oid).write_bytes(data)
    with pytest.raises(Refused, match=told) as caught:
        shop.workspace.materialise("digits", 1, tmp_path / "out", store.blob)
    assert caught.value.code == "workspace.bytes-gone"
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_without_hard_links_bytes_are_copied(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    oid, size = store.add(DATA)
    materialise({"files/0": Pointer(oid, size).text()}, tmp_path / "out", store.blob)
    assert (tmp_path / "out/files/0").read_bytes() == DATA


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"version 1\n", b"\x80\x05N.", b"version https://git-lfs.github.com/spec/v1\n"),
        *(Pointer("ab" * 32, 5).text() + b"x", b"version " + b"x" * 2000),
    ],
)
def test_content_is_not_taken_for_a_pointer(text: bytes) -> None:
    assert parse(text) is None


def test_a_pointer_is_read_back_and_names_bytes() -> None:
    assert parse(Pointer("ab" * 32, 5).text()) == Pointer("ab" * 32, 5)
    for oid, size in (("../../etc", 1), ("AB" * 32, 1), ("ab" * 32, -1)):
        with pytest.raises(CellshipError):
            Pointer(oid, size)
