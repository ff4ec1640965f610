"""The log files of one replica: `1.log`, `2.log`, ... as its worker wrote them.

One physical line is one line with one number; a gap record stands for the lines that are missing.
Workers (also those of other versions of ours), native code and a full disk write here, so nothing
is taken for granted about the bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

LONGEST = 1024 * 1024 + 4096  # bytes of a line that are shown as one; a worker's own are shorter

TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
PREFIX = re.compile(rb"(" + TIME + rb")\t(out|err|log|gap)\t([^\t\n]*)\t([^\t\n]*)\t")


@dataclass(frozen=True)
class Position:
    """A place between two lines. `n` and `time` are those of the line before it.

    `inside` says that the bytes at `offset` still belong to line `n`, which is a long one.
    """

    segment: int = 1
    offset: int = 0
    n: int = 0
    time: str = ""
    inside: bool = False


@dataclass(frozen=True)
class Record:
    """One line as it was written; `after` is the position behind it."""

    n: int
    time: str
    stream: str
    level: str | None
    request_id: str | None
    text: str
    after: Position


def segments(folder: Path) -> list[int]:
    """Numbers of the segments, in order."""
    with suppress(FileNotFoundError):
        stems = (name[:-4] for name in os.listdir(folder) if name.endswith(".log"))
        return sorted(int(stem) for stem in stems if stem.isdigit())
    return []


def records(folder: Path, start: Position, ended: bool = False) -> Iterator[Record]:
    """Lines from `start` on. One without its end is left for later, unless the writer has ended."""
    # listed first: when a next segment is there, the one before it is whole
    present = [number for number in segments(folder) if number >= start.segment]
    position = start
    for number in present:
        if number != position.segment:
            position = replace(position, segment=number, offset=0, inside=False)
        whole = ended or number != present[-1]
        with open(folder / f"{number}.log", "rb") as file:
            file.seek(position.offset)
            while line := file.readline(LONGEST):
                if not line.endswith(b"\n") and len(line) < LONGEST and not whole:
                    return
                record = parse(line, position, file)
                yield record
                position = record.after


def parse(line: bytes, before: Position, file: IO[bytes]) -> Record:
    """One line, or a part of a long one."""
    found = PREFIX.match(line) or (PREFIX.search(line) if b"Z\t" in line else None)
    ended = line.endswith(b"\n")
    raw = line.rstrip(b"\r\n") if ended else line
    if found is None or before.inside:
        time, stream, level, request_id = before.time or modified(file), "out", "", ""
        text = raw
    else:
        time, stream, level, request_id = (
            part.decode("utf-8", "replace") for part in found.groups()
        )
        # native code had not ended its line when ours began
        text = raw[: found.start()] + raw[found.end() :]
    missing = missing_lines(text) if stream == "gap" and found and not found.start() else 1
    n, last = numbers(missing, before)
    after = Position(before.segment, before.offset + len(line), last, time, not ended)
    shown = text.decode("utf-8", "replace")
    if not ended and len(line) >= LONGEST:
        shown += " [cellship: a line above 1 MiB, cut here]"
    return Record(n, time, stream, known(level), known(request_id), shown, after)


def numbers(lines: int, before: Position) -> tuple[int, int]:
    """(first, last) number of a record that stands for so many lines."""
    if before.inside:
        return before.n, before.n
    return before.n + min(lines, 1), before.n + lines


def missing_lines(text: bytes) -> int:
    found = re.match(rb"\d{1,18}", text)
    return int(found[0]) if found else 0


def known(field: str) -> str | None:
    return field if field and field != "-" else None


def modified(file: IO[bytes]) -> str:
    """For native output before the first line with a time: when the file was last written to."""
    written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, timezone.utc)
    return written.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
