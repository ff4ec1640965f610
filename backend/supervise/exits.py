"""How each child ended: appended to run/exits.jsonl, and kept at hand for those who wait."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .complain import complain
from .processes import oom_kills

AT_HAND = 1000
LONGEST_FILE = 8 * 1024 * 1024


@dataclass(frozen=True)
class Exit:
    """One line of run/exits.jsonl. `code` and `signal` are None if it was not our child."""

    id: str
    what: str
    pid: int
    code: int | None
    signal: int | None
    time: float  # seconds since the epoch
    started: float  # seconds since the boot
    peak_memory: int | None  # bytes
    out_of_memory: bool


class Exits:
    """The record of exits."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._at_hand: OrderedDict[str, Exit] = OrderedDict()
        self._oom_kills = oom_kills()
        shorten(file)
        for known in read(file):
            self._remember(known)

    def of(self, name: str) -> Exit | None:
        """The latest exit of the child with this id."""
        return self._at_hand.get(name)

    def add(self, ended: Exit) -> None:
        self._remember(ended)
        try:
            append(self._file, json.dumps(asdict(ended)).encode())
        except OSError as error:  # a full disk must not end the supervisor
            complain(f"the exit of {ended.id} could not be written down: {error}")

    def memory_ran_out(self, number: int | None, ours: bool) -> bool:
        """Whether a SIGKILL that we did not send came from the kernel, for want of memory."""
        now = oom_kills()
        grew, self._oom_kills = now > self._oom_kills, now
        return grew and number == signal.SIGKILL and not ours

    def _remember(self, ended: Exit) -> None:
        self._at_hand.pop(ended.id, None)
        self._at_hand[ended.id] = ended
        if len(self._at_hand) > AT_HAND:
            self._at_hand.popitem(last=False)


def of_status(status: int) -> tuple[int | None, int | None]:
    """(exit code, signal) of a wait status; one of them is None."""
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def peak_memory(usage: resource.struct_rusage) -> int:
    """Bytes; the system counts in KiB, macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def now() -> float:
    return round(time.time(), 3)


def append(file: Path, line: bytes) -> None:
    """Add a line; on a line of its own even if the last one was cut short by a full disk."""
    with open(file, "a+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
        torn = end and stream.read(1) != b"\n"
        stream.write((b"\n" if torn else b"") + line + b"\n")


def read(file: Path) -> Iterator[Exit]:
    if not file.exists():
        return
    for line in file.read_text(errors="replace").splitlines():
        try:
            yield Exit(**json.loads(line))
        except (ValueError, TypeError):
            continue  # a line that a full disk cut short


def shorten(file: Path) -> None:
    """Keep the younger half of a file that has grown long."""
    if not file.exists() or file.stat().st_size < LONGEST_FILE:
        return
    lines = file.read_bytes().splitlines(keepends=True)
    aside = file.with_suffix(".new")
    aside.write_bytes(b"".join(lines[len(lines) // 2 :]))
    os.replace(aside, file)
