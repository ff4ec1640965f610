"""Digests, copies, byte code and the cache of verdicts."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import py_compile
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from cellship.snapshot import verdicts
from cellship.snapshot.bytecode import cached_path, kernels_own, write_bytecode
from cellship.snapshot.candidate import Tree
from cellship.snapshot.tree_copy import copy_new, write_files
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.trees import MAPPED, TreePlan, file_digest, make_trees, tree_digest
from cellship.snapshot.verdicts import NAME

LONG_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def _own_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts.Verdicts, "_opened", {})


def files(folder: Path, texts: dict[str, str]) -> tuple[TreeFile, ...]:
    """Files of long ago with these texts."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        os.utime(folder / path, (LONG_AGO, LONG_AGO))
    return tuple(TreeFile.of(path, str(folder / path)) for path in texts)


def plan(listed: tuple[TreeFile, ...], key: str = "k") -> TreePlan:
    return TreePlan("package", "t", "1.0", "test", listed, key)


def make(listed: tuple[TreeFile, ...], cache: Path | None = None) -> Tree:
    return make_trees([plan(listed)], cache)[0]


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("cellship.snapshot.trees.file_digest", read)


NAMES = st.text(
    st.characters(blacklist_characters="\n\0/", blacklist_categories=("Cs",)), min_size=1
)
LISTED = st.dictionaries(NAMES, st.tuples(st.booleans(), st.binary()), max_size=5)


@given(LISTED, LISTED)
def test_digests_agree_exactly_where_trees_do(
    one: dict[str, tuple[bool, bytes]], other: dict[str, tuple[bool, bytes]]
) -> None:
    def name(tree: dict[str, tuple[bool, bytes]]) -> str:
        return tree_digest(
            (path, mode, blake3(data).hexdigest()) for path, (mode, data) in reversed(tree.items())
        )

    assert name(one) == name(dict(sorted(one.items())))
    assert (name(one) == name(other)) == (one == other)


def test_the_formula_stays_what_it_is() -> None:
    empty = blake3(b"").hexdigest()
    text = f"cellship tree 1\n- {empty} a.py\nx {empty} b/run\n"
    expected = blake3(text.encode()).hexdigest()
    assert tree_digest([("b/run", True, empty), ("a.py", False, empty)]) == expected


@pytest.mark.parametrize("size", [0, 1, MAPPED - 1, MAPPED, MAPPED + 1])
def test_a_file_is_hashed_whole(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    assert file_digest(str(tmp_path / "f")) == blake3(data).hexdigest()


def test_a_copy_is_read_only_and_of_its_own(tmp_path: Path) -> None:
    listed = files(tmp_path / "a", {"x.py": "1", "deep/er/y.txt": "2", "run": "3"})
    (tmp_path / "a/run").chmod(0o755)
    listed = (*listed[:2], TreeFile.of("run", str(tmp_path / "a/run")))
    listed += (TreeFile("made", "", False, b"4"),)
    write_files(listed, tmp_path / "b")
    assert (tmp_path / "b/deep/er/y.txt").read_text() == "2"
    assert (tmp_path / "b/made").read_text() == "4"
    stat = (tmp_path / "b/x.py").stat()
    assert (stat.st_mode & 0o777, stat.st_nlink) == (0o444, 1)
    assert (tmp_path / "b/run").stat().st_mode & 0o777 == 0o555
    with pytest.raises(FileExistsError):
        write_files(listed, tmp_path / "b")


def test_links_are_copied_as_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("text")
    (tmp_path / "link").symlink_to("real")
    copy_new(str(tmp_path / "link"), str(tmp_path / "copy"))
    assert not (tmp_path / "copy").is_symlink()
    assert (tmp_path / "copy").read_text() == "text"


def test_a_copy_without_help_of_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(data)
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    copy_new(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == data


# verdicts


def test_what_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = files(tmp_path / "a", {"x.py": "1", "y.py": "2"})
    first = make(listed, tmp_path / "cache")
    forbid_reading(monkeypatch)
    assert make(listed, tmp_path / "cache").digest == first.digest
    monkeypatch.setattr(verdicts.Verdicts, "_opened", {})  # another kernel
    again = make(listed, tmp_path / "cache")
    assert (again.digest, again.size, again.files) == (first.digest, 2, 2)


@pytest.mark.parametrize("change", ["bytes", "time", "inode", "mode", "list"])
def test_what_changed_is_read_again(change: str, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    first = make(files(folder, {"x.py": "1", "y.py": "2"}), tmp_path / "cache")
    if change == "bytes":
        files(folder, {"x.py": "11"})
    elif change == "time":
        (folder / "x.py").write_text("9")
        os.utime(folder / "x.py", (LONG_AGO + 1, LONG_AGO + 1))
    elif change == "inode":
        files(folder, {"z.py": "9"})
        os.replace(folder / "z.py", folder / "x.py")
    elif change == "mode":
        (folder / "x.py").chmod(0o755)
    names = ["x.py"] if change == "list" else ["x.py", "y.py"]
    listed = tuple(TreeFile.of(name, str(folder / name)) for name in names)
    assert make(listed, tmp_path / "cache").digest != first.digest


def test_a_hard_link_changes_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = files(tmp_path / "a", {"x.py": "1"})
    first = make(listed, tmp_path / "cache")
    os.link(tmp_path / "a/x.py", tmp_path / "linked")
    forbid_reading(monkeypatch)
    assert make(listed, tmp_path / "cache").digest == first.digest


def test_a_file_that_just_changed_gets_no_verdict(tmp_path: Path) -> None:
    listed = files(tmp_path / "a", {"x.py": "1"})
    now = time.time_ns()
    os.utime(tmp_path / "a/x.py", ns=(now, now))
    first = make(listed, tmp_path / "cache")
    (tmp_path / "a/x.py").write_text("2")
    os.utime(tmp_path / "a/x.py", ns=(now, now))
    assert make(listed, tmp_path / "cache").digest != first.digest


@pytest.mark.parametrize("text", ["", "{", "[]", '{"k": 1}', '{"k": {"print": "p", "verdict": 3}}'])
def test_a_spoilt_cache_is_no_cache(text: str, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / NAME).write_text(text)
    listed = files(tmp_path / "a", {"x.py": "1"})
    make(listed, tmp_path / "cache")
    assert set(json.loads((tmp_path / "cache" / NAME).read_text())) == {"k"}


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    make(files(tmp_path / "a", {"x.py": "1"}), tmp_path / "cache")


# byte code


def compiled(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")
    }


def value_of(code: bytes) -> object:
    space: dict[str, object] = {}
    exec(marshal.loads(code[16:]), space)
    return space["x"]


def test_the_kernels_byte_code_is_used_with_another_header(tmp_path: Path) -> None:
    listed = files(tmp_path / "a", {"p/__init__.py": "", "p/m.py": "x = 1\n", "p/n.py": "x = 2\n"})
    py_compile.compile(str(tmp_path / "a/p/m.py"))
    write_bytecode(listed, tmp_path / "b")
    ((path, code),) = compiled(tmp_path / "b").items()
    assert path == cached_path("p/m.py")
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert code[4:8] == b"\1\0\0\0"
    assert code[8:16] == importlib.util.source_hash(b"x = 1\n")
    assert value_of(code) == 1


@pytest.mark.parametrize("mode", list(py_compile.PycInvalidationMode))
def test_byte_code_of_another_text_is_not_used(
    mode: py_compile.PycInvalidationMode, tmp_path: Path
) -> None:
    files(tmp_path, {"m.py": "x = 1\n"})
    py_compile.compile(str(tmp_path / "m.py"), invalidation_mode=mode)
    assert kernels_own(str(tmp_path / "m.py")) is not None
    (tmp_path / "m.py").write_text("x = 22\n")
    assert kernels_own(str(tmp_path / "m.py")) is None


def test_byte_code_that_is_cut_short_is_not_used(tmp_path: Path) -> None:
    files(tmp_path, {"m.py": "x = 1\n"})
    cached = Path(py_compile.compile(str(tmp_path / "m.py"), doraise=True) or "")
    cached.write_bytes(cached.read_bytes()[:9])
    assert kernels_own(str(tmp_path / "m.py")) is None


def test_what_the_kernel_loaded_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"m{n}.py": f"x = {n}\n" for n in range(40)}
    listed = files(tmp_path / "a", {**texts, "bad.py": "def (", "unused.py": ""})
    loaded = frozenset(file.source for file in listed if file.path != "unused.py")
    monkeypatch.setattr("cellship.snapshot.bytecode._loaded_files", lambda: loaded)
    write_bytecode(listed, tmp_path / "b")
    found = compiled(tmp_path / "b")
    assert set(found) == {cached_path(path) for path in texts}
    assert value_of(found[cached_path("m7.py")]) == 7


def test_local_code_is_compiled_from_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = files(tmp_path / "a", {"m.py": "x = 1\n"})
    py_compile.compile(listed[0].source)
    (tmp_path / "a/m.py").write_text("x = 2\n")
    os.utime(tmp_path / "a/m.py", (LONG_AGO, LONG_AGO))  # within the same second, the same size
    monkeypatch.setattr(
        "cellship.snapshot.bytecode._loaded_files", lambda: frozenset({listed[0].source})
    )
    write_bytecode(listed, tmp_path / "b", trust=False)
    assert value_of(compiled(tmp_path / "b")[cached_path("m.py")]) == 2


def test_python_uses_what_was_written(tmp_path: Path) -> None:
    listed = files(tmp_path / "a", {"greet.py": "x = 1\n"})
    py_compile.compile(listed[0].source)
    write_files(listed, tmp_path / "b")
    write_bytecode(listed, tmp_path / "code")
    os.rename(tmp_path / "code/__pycache__", tmp_path / "b/__pycache__")
    done = subprocess.run(
        [sys.executable, "-v", "-c", "import greet; print(greet.x)"],
        cwd=tmp_path / "b",
        env={},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == "1\n"
    assert f"matches {tmp_path / 'b' / 'greet.py'}" in done.stderr or "code object" in done.stderr
