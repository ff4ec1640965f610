"""What the supervisor writes down, and what it does where it cannot."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from cellship.backend.supervise import exits, processes, records
from cellship.backend.supervise.exits import Exit, Exits
from cellship.backend.supervise.records import Record, Records


def an_exit(name: str, code: int = 0) -> Exit:
    return Exit(name, "replica", 1, code, None, 1.0, 1.0, None, False)


def test_exits_are_known_to_the_next_supervisor(tmp_path: Path) -> None:
    file = tmp_path / "exits.jsonl"
    Exits(file).add(an_exit("r1", 3))
    found = Exits(file).of("r1")
    assert found is not None and found.code == 3
    assert Exits(file).of("r2") is None


def test_the_latest_exit_counts(tmp_path: Path) -> None:
    ends = Exits(tmp_path / "exits.jsonl")
    ends.add(an_exit("control", 1))
    ends.add(an_exit("control", 2))
    found = ends.of("control")
    assert found is not None and found.code == 2


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "exits.jsonl"
    Exits(file).add(an_exit("r1"))
    with open(file, "ab") as stream:
        stream.write(b'{"id": "r2", "wh')
    Exits(file).add(an_exit("r3"))
    again = Exits(file)
    assert again.of("r1") and again.of("r3") and not again.of("r2")


def test_a_long_file_is_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "exits.jsonl"
    ends = Exits(file)
    for n in range(100):
        ends.add(an_exit(f"r{n}"))
    monkeypatch.setattr(exits, "LONGEST_FILE", 1000)
    Exits(file)
    kept = [json.loads(line)["id"] for line in file.read_text().splitlines()]
    assert kept == [f"r{n}" for n in range(50, 100)]


def test_memory_ran_out_if_the_kernel_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter([5, 6, 6, 7, 8])
    monkeypatch.setattr(exits, "oom_kills", lambda: next(seen))
    ends = Exits(tmp_path / "exits.jsonl")
    assert ends.memory_ran_out(signal.SIGKILL, ours=False)
    assert not ends.memory_ran_out(signal.SIGKILL, ours=False)  # no new one
    assert not ends.memory_ran_out(signal.SIGKILL, ours=True)
    assert not ends.memory_ran_out(signal.SIGSEGV, ours=False)


def test_a_full_disk_is_said_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    ends = Exits(tmp_path / "exits.jsonl")
    monkeypatch.setattr(exits, "append", full)
    ends.add(an_exit("r1"))
    assert ends.of("r1")
    monkeypatch.setattr(records.os, "replace", full)
    Records(tmp_path / "children.json", []).put(Record("r1", "replica", 1, 1.0, [], "/"))
    assert capfd.readouterr().err.count("No space left") == 2


def test_a_process_is_known_by_its_pid_and_its_start() -> None:
    started = processes.start_time(os.getpid())
    assert started is not None
    assert processes.is_alive(os.getpid(), started)
    assert not processes.is_alive(os.getpid(), started + 1)
    assert not processes.is_alive(0, started)
    assert not processes.send(os.getpid(), started + 1, signal.SIGKILL)


def test_nobody_listens() -> None:
    assert processes.who_listens(1) is None
