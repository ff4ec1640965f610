"""Starting where something is in the way."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.driver import Kernel, Service, kernel, stop, until


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Service]:
    """A service that has run once and is stopped."""
    made = Service(tmp_path / "data")
    made.up()
    made.down()
    nothing_runs(made)
    yield made
    stop(made)


def test_up_twice_is_up_once_and_down_ends_everything(stopped: Service) -> None:
    stopped.up()
    first = stopped.facts["pid"]
    stopped.up()
    assert stopped.facts["pid"] == first
    stopped.down()
    nothing_runs(stopped)
    assert stopped.command("status").returncode == 5


def test_a_second_service_does_not_meet_the_first(stopped: Service, tmp_path: Path) -> None:
    other = Service(tmp_path / "other")
    try:
        stopped.up()
        other.up()
        assert stopped.facts["address"] != other.facts["address"]
        other.down()
        assert stopped.command("status").returncode == 0
    finally:
        stop(other)


def test_a_port_that_is_taken_is_said(stopped: Service) -> None:
    port = json.loads((stopped.data / "data.json").read_text())["gateway_port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        done = stopped.command("up")
        assert done.returncode == 4
        assert str(port) in done.stderr
        assert "Traceback" not in done.stderr
        nothing_runs(stopped)
    stopped.up()


def test_a_folder_of_a_newer_service_is_left_alone(stopped: Service) -> None:
    file = stopped.data / "data.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps(facts | {"format": 99}))
    before = listing(stopped.data)
    done = stopped.command("up")
    assert done.returncode == 4
    assert "newer" in done.stderr
    assert listing(stopped.data) == before
    file.write_text(json.dumps(facts))
    stopped.up()


def test_a_newer_database_is_left_alone(stopped: Service) -> None:
    import sqlite3

    with sqlite3.connect(stopped.data / "state.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_later'")
    database.close()
    done = stopped.command("up")
    assert done.returncode == 4
    assert "newer" in done.stderr
    assert "Traceback" not in done.stderr
    nothing_runs(stopped)


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": "x"}', ""])
def test_a_damaged_data_file_is_said(stopped: Service, damage: str) -> None:
    file = stopped.data / "data.json"
    kept = file.read_text()
    file.write_text(damage)
    done = stopped.command("up")
    assert done.returncode == 4
    assert "data.json" in done.stderr
    assert "Traceback" not in done.stderr
    file.write_text(kept)


def test_all_that_ran_is_there_again_after_a_restart(own: Service, notebook: Kernel) -> None:
    notebook.run("%%deploy keep\ndef keep(x: int) -> int:\n    return x + 1\n")
    address = own.url("keep")
    own.down()
    own.up()
    assert own.url("keep") == address
    until(lambda: own.call("keep", x=1).status_code == 200, what="the version answers again")
    assert own.call("keep", x=1).json() == 2


def test_the_database_can_be_deleted(own: Service, notebook: Kernel) -> None:
    notebook.run("%%deploy keep\ndef keep(x: int) -> int:\n    return x + 1\n")
    notebook.run("%%deploy keep\ndef keep(x: int) -> int:\n    return x + 2\n")
    own.cellship("rollback", "keep")
    before = own.listed("deployments")[0]["traffic"]
    own.down()
    for file in own.data.glob("state.db*"):
        file.unlink()
    own.up()
    until(lambda: own.call("keep", x=1).status_code == 200, what="the version answers again")
    assert own.call("keep", x=1).json() == 2
    assert own.listed("deployments")[0]["traffic"] == before
    assert [each["version"] for each in own.listed("versions", "keep")] in ([1, 2], [2, 1])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MiB, whose free space a test can use up."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs to mount a small file system (root)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk: Path, tmp_path: Path) -> None:
    running = Service(small_disk / "data")
    try:
        running.up()
        with kernel(running, tmp_path) as notebook:
            notebook.run("%load_ext cellship")
            notebook.run("%%deploy small\ndef small(x: int) -> int:\n    return x + 1\n")
            notebook.run("import numpy as np\nbig = np.random.default_rng(0).random(30_000_000)")
            failed = notebook.attempt(
                "%%deploy small\ndef small(x: int) -> float:\n    return float(big[x])\n"
            )
            assert failed.error
            assert "disk" in failed.message or "space" in failed.message
            assert "Traceback" not in failed.message
            assert running.call("small", x=1).json() == 2
            until(lambda: not any((running.data / "leases").iterdir()), what="no lease is left")
            notebook.run("%%deploy small\ndef small(x: int) -> int:\n    return x + 2\n")
            assert running.call("small", x=1).json() == 3
    finally:
        stop(running)
        shutil.rmtree(running.data, ignore_errors=True)


def nothing_runs(running: Service) -> None:
    until(lambda: not running.processes(), limit=5, what="everything has ended")


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
