"""The access log: segments, an end to what is kept, a full disk."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cellship.backend.gateway.access_log import AccessLog
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.limits import Limits


class Nobody:
    def answered(self, call: Call, status: int, answer: bytes) -> None:
        raise AssertionError


def call(path: bytes = b"/digits") -> Call:
    return Call(Nobody(), b"POST", path, b"id-1", b"", 0.0, False)


def write(log: AccessLog, calls: int, path: bytes = b"/digits") -> None:
    async def add() -> None:
        for _ in range(calls):
            log.add(call(path), 200, 10)
        log.flush()

    asyncio.run(add())


def lines(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.log"), key=lambda one: int(one.stem))
    return [json.loads(line) for file in files for line in file.read_text().splitlines() if line]


def test_any_path_is_a_line_of_json(tmp_path: Path) -> None:
    log = AccessLog(tmp_path, Limits())
    for path in (b'/"\\\n\x00', "/ünï".encode(), b"/\xff\xfe", b"/" + b"x" * 5000):
        write(log, 1, path)
    log.close()
    assert len(lines(tmp_path)) == 4
    assert lines(tmp_path)[1]["path"] == "/ünï"


def test_segments_end_and_the_oldest_go(tmp_path: Path) -> None:
    log = AccessLog(tmp_path, Limits(log_segment=1000, log_segments=3))
    for _ in range(50):
        write(log, 5)
    log.close()
    numbers = sorted(int(file.stem) for file in tmp_path.glob("*.log"))
    assert len(numbers) == 3
    assert numbers[0] > 1


def test_a_second_writer_has_a_file_of_its_own(tmp_path: Path) -> None:
    first, second = AccessLog(tmp_path, Limits()), AccessLog(tmp_path, Limits())
    write(first, 1)
    write(second, 1)
    first.close()
    second.close()
    assert len(list(tmp_path.glob("*.log"))) == 2


def test_a_full_disk_costs_lines_which_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AccessLog(tmp_path, Limits())
    write(log, 2)
    monkeypatch.setattr(os, "write", full)
    write(log, 3)
    monkeypatch.undo()
    write(log, 1)
    log.close()
    assert [line.get("dropped") for line in lines(tmp_path)] == [None, None, 3, None]


def full(fd: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_a_full_disk_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AccessLog(tmp_path, Limits())
    write(log, 1)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:20]))
    write(log, 2)
    monkeypatch.undo()
    write(log, 1)
    log.close()
    text = [line for line in (tmp_path / "1.log").read_text().splitlines() if line]
    assert len(text) == 4
    assert json.loads(text[2]) == {"dropped": 2}
    assert json.loads(text[3])["status"] == 200
