"""Whose logs a folder holds, and which are pruned."""

from __future__ import annotations

import os
from pathlib import Path

from cellship.backend.control.log_folders import note_owner, prune, sources


def replica(logs: Path, name: str, version: int, at: int) -> str:
    replica = f"{name}{version}x{at}"
    note_owner(logs / replica, replica, name, version)
    os.utime(logs / replica / "replica.json", (at, at))
    return replica


def test_versions_of_a_deleted_deployment_are_not_listed(tmp_path: Path) -> None:
    replica(tmp_path, "churn", 1, 10)
    new = replica(tmp_path, "churn", 2, 20)
    replica(tmp_path, "digits", 2, 30)
    assert [source.replica for source in sources(tmp_path, "churn", [2])] == [new]


def test_the_newest_of_each_version_stay(tmp_path: Path) -> None:
    old = [replica(tmp_path, "churn", 1, at) for at in range(5)]
    other = replica(tmp_path, "churn", 2, 0)
    assert sorted(prune(tmp_path, alive=[old[0]], keep=2)) == old[1:3]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {old[0], *old[3:], other}


def test_what_runs_is_told_from_what_has_ended(tmp_path: Path) -> None:
    runs, ended = replica(tmp_path, "churn", 1, 1), replica(tmp_path, "churn", 1, 2)
    found = {each.replica: each.ended for each in sources(tmp_path, "churn", [1], [runs])}
    assert found == {runs: False, ended: True}


def test_folder_that_names_nobody_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "replica.json").write_text("{")
    assert sources(tmp_path, "churn", [1]) == []
    assert prune(tmp_path, [], 0) == []
