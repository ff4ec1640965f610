"""Where the sockets are: one private folder per data folder, whoever asks."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cellship.backend.supervise import sockets
from cellship.backend.supervise.sockets import NoSocketsFolder, sockets_folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data" / "run").mkdir(parents=True)
    (tmp_path / "a").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "a"))
    monkeypatch.setattr(sockets, "LONGEST_FOLDER", 1000)
    return tmp_path / "data"


def test_it_is_private_and_stays(data: Path) -> None:
    folder = sockets_folder(data)
    assert folder.parent == data.parent / "a"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sockets_folder(data) == folder
    folder.rmdir()
    assert sockets_folder(data) == folder and folder.is_dir()


def test_it_is_the_same_by_whatever_way_one_comes(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sockets_folder(data)
    link = data.parent / "link"
    link.symlink_to(data)
    assert sockets_folder(link) == folder
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert sockets_folder(data) == folder


def test_two_data_folders_have_two(data: Path) -> None:
    other = data.parent / "other"
    (other / "run").mkdir(parents=True)
    assert sockets_folder(other) != sockets_folder(data)


def test_a_copied_data_folder_has_its_own(data: Path) -> None:
    first = sockets_folder(data)
    copy = data.parent / "copy"
    (copy / "run").mkdir(parents=True)
    (copy / "run" / "sockets").write_text((data / "run" / "sockets").read_text())
    assert sockets_folder(copy) != first


def test_another_place_is_found_when_the_first_is_gone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sockets_folder(data)
    first.rmdir()
    first.parent.rmdir()
    (data.parent / "b").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(data.parent / "b"))
    assert sockets_folder(data).parent == data.parent / "b"
    assert sockets_folder(data).parent == data.parent / "b"


def test_others_may_not_enter(data: Path) -> None:
    folder = sockets_folder(data)
    folder.chmod(0o777)
    assert stat.S_IMODE(sockets_folder(data).stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "places", lambda: [data.parent / "a"])
    trap = data.parent / "trap"
    trap.mkdir()
    (data.parent / "a" / sockets.folder_name(data)).symlink_to(trap)
    with pytest.raises(NoSocketsFolder):
        sockets_folder(data)


def test_somebody_elses_folder_is_not_used(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "places", lambda: [data.parent / "a"])
    sockets_folder(data)
    name, mine = sockets.folder_name(data), os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    monkeypatch.setattr(sockets, "folder_name", lambda _: name)
    with pytest.raises(NoSocketsFolder):
        sockets_folder(data)


def test_a_place_whose_path_is_too_long_is_passed_over(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "LONGEST_FOLDER", 77)
    folder = sockets_folder(data)
    assert len(str(folder)) <= 77
    folder.rmdir()


def test_without_a_data_folder_nothing_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(sockets, "LONGEST_FOLDER", 1000)
    assert sockets_folder(tmp_path / "none").is_dir()
    assert not (tmp_path / "none").exists()
