"""The running interpreter as a tree; tests/compute/test_environments.py runs it elsewhere."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

import pytest

from cellship.snapshot.interpreter import can_move, interpreter
from cellship.snapshot.platforms import platform_tag


@pytest.mark.skipif(not can_move(), reason="this Python cannot be moved")
def test_an_interpreter_that_can_move_is_a_tree(tmp_path: Path) -> None:
    found = interpreter(None)
    short = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert found.recorded is None
    assert found.executable == f"bin/{short}"
    assert found.python == platform.python_version()
    assert found.tree is not None
    found.tree.write(tmp_path / "python")
    library = tmp_path / "python/lib" / short
    assert (library / "os.py").is_file()
    assert (library / "lib-dynload").is_dir()
    assert (tmp_path / "python" / found.executable).stat().st_mode & 0o111
    left_out = ("test", "idlelib", "tkinter", "ensurepip", "site-packages", "__pycache__")
    assert not [name for name in left_out if (library / name).exists()]
    assert not list(tmp_path.rglob("*.pyc"))


def test_an_interpreter_that_cannot_move_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    found = interpreter(None)
    assert found.tree is None
    assert found.library_path == ()
    assert found.recorded is not None
    assert Path(found.recorded).is_absolute()


def test_a_conda_prefix_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert not can_move()


def test_the_platform_is_one_word() -> None:
    tag = platform_tag()
    assert re.fullmatch(r"[a-z]+\d+t?-[a-z]+-[a-z0-9_]+-(glibc[\d.]+|musl|macos[\d.]+)", tag)
    assert tag.startswith(f"cp{sys.version_info.major}{sys.version_info.minor}")
