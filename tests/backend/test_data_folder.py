"""The data folder is made once, and refused where it cannot work."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from cellship.backend import data_folder as module
from cellship.backend.data_folder import FORMAT, file_system, make_data_folder, open_data_folder
from cellship.snapshot.errors import Refused


def test_ports_are_chosen_once(tmp_path: Path) -> None:
    first, second = make_data_folder(tmp_path / "data"), make_data_folder(tmp_path / "data")
    assert first == second
    assert first.gateway_port != first.api_port


def test_two_that_start_at_once_agree(tmp_path: Path) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(make_data_folder(tmp_path / "data")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert not list((tmp_path / "data").glob(".data.json*"))


def test_folder_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    data = make_data_folder(tmp_path)
    facts = json.loads((tmp_path / "data.json").read_text())
    (tmp_path / "data.json").write_text(json.dumps({**facts, "format": FORMAT + 1}))
    with pytest.raises(Refused, match="written by a newer Cellship") as refusal:
        open_data_folder(data.root)
    assert "pip install -U" in refusal.value.hint


def test_damaged_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{")
    with pytest.raises(Refused, match="cannot be read"):
        open_data_folder(tmp_path)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is not a Cellship data folder"):
        open_data_folder(tmp_path / "nothing")


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /home/ann/fast tmpfs rw 0 0
//box/my\\040share /mnt/my\\040share cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/data", "ext4"),
        ("/home/ann/data", "nfs4"),
        ("/home/ann/fast/data", "tmpfs"),
        ("/homework", "ext4"),
        ("/mnt/my share/data", "cifs"),
    ],
)
def test_file_system_is_that_of_the_nearest_mount(tmp_path: Path, path: str, kind: str) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    assert file_system(Path(path), table) == kind


def test_system_without_a_mount_table_tells_nothing(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "file_system", lambda path: "nfs4")
    with pytest.raises(Refused, match=r"network file system \(nfs4\)"):
        make_data_folder(tmp_path / "data")
    assert not (tmp_path / "data" / "data.json").exists()
