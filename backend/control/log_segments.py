"""The log files of one replica: `1.log`, `2.log`, ... as its worker wrote them.

One physical line is one line with one number; a gap record stands for the lines that are missing.
Workers (also those of other versions of ours), native code and a full disk write here, so nothing
is taken for granted about the bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

LONGEST = 1024 * 1024 + 4096  # bytes of a line that are shown as one; a worker's own are shorter
BLOCK = 1024 * 1024
LONGEST_PREFIX = 1024

TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
PREFIX = re.compile(rb"(" + TIME + rb")\t(out|err|log|gap)\t([^\t\n]*)\t([^\t\n]*)\t")
GAP = re.compile(rb"^" + TIME + rb"\tgap\t[^\t\n]*\t[^\t\n]*\t(\d+)", re.MULTILINE)


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


def last_position(folder: Path, count: int, ended: bool = False) -> Position:
    """The place before the last `count` lines."""
    present = segments(folder)
    for number in reversed(present):
        path = folder / f"{number}.log"
        whole = ended or number != present[-1]
        offset, missing = offset_before(path, count, whole)
        if not missing or number == present[0]:
            n = sum(count_lines(folder, each) for each in present if each < number)
            n += count_in(path, offset)
            return Position(number, offset, n, time_before(folder, number, offset))
        count = missing
    return Position()


def position_after(folder: Path, n: int) -> Position:
    """The place behind line `n`, or behind the last line there is before it."""
    present = segments(folder)
    number, before = (present[-1] if present else 1), 0
    for each in present[:-1]:
        lines = count_lines(folder, each)
        if before + lines > n:
            number = each
            break
        before += lines
    offset, skipped = whole_blocks(folder / f"{number}.log", n - before)
    time = time_before(folder, number, offset)
    position = Position(number, offset, before + skipped, time)
    for record in records(folder, position):
        if record.after.n > n:
            break
        position = record.after
    return position


def whole_blocks(path: Path, most: int) -> tuple[int, int]:
    """(offset, lines before it) of a line not far before line `most`, found by counting."""
    offset = lines = 0
    if not path.exists():
        return offset, lines
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            block = block[: block.rfind(b"\n") + 1]
            more = block.count(b"\n")
            if not block or lines + more > most or b"\tgap\t" in block:
                break
            offset, lines = offset + len(block), lines + more
            file.seek(offset)
    return offset, lines


def offset_before(path: Path, count: int, whole: bool) -> tuple[int, int]:
    """(offset before the last `count` lines, how many of them this file does not have)."""
    if count <= 0:
        return path.stat().st_size, 0
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        if end and not whole:
            end = end_of_lines(file, end)
        # the line break that ends the last line begins no other
        wanted = count + 1 if ends_line(file, end) else count
        start = end
        while start > 0:
            size = min(BLOCK, start)
            start -= size
            file.seek(start)
            block = file.read(size)
            breaks = block.count(b"\n")
            if breaks >= wanted:
                return start + place_of_break(block, breaks - wanted) + 1, 0
            wanted -= breaks
    return 0, wanted - 1


def end_of_lines(file: IO[bytes], end: int) -> int:
    """The offset behind the last line break before `end`; 0 without any."""
    while end > 0:
        start = max(0, end - BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def ends_line(file: IO[bytes], end: int) -> bool:
    if not end:
        return True
    file.seek(end - 1)
    return file.read(1) == b"\n"


def place_of_break(block: bytes, skipped: int) -> int:
    """The index of a line break after `skipped` others."""
    at = -1
    for _ in range(skipped + 1):
        at = block.index(b"\n", at + 1)
    return at


def count_lines(folder: Path, number: int) -> int:
    """Lines of a segment that nobody writes to any more; counted once, then kept beside it."""
    path, kept = folder / f"{number}.log", folder / f"{number}.count"
    size = path.stat().st_size
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts = json.loads(kept.read_text())
        if facts["bytes"] == size:
            return int(facts["lines"])
    lines = count_in(path, size)
    with suppress(OSError):  # a full disk: it is counted again next time
        beside = kept.with_suffix(".part")
        beside.write_text(json.dumps({"bytes": size, "lines": lines}))
        beside.replace(kept)
    return lines


def count_in(path: Path, end: int) -> int:
    """Lines in the first `end` bytes, those that are missing included."""
    total, rest = 0, b""
    with open(path, "rb") as file:
        left = end
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            lines, at, rest = (rest + block).rpartition(b"\n")
            total += lines.count(b"\n") + len(at)
            if b"\tgap\t" in lines:
                total += sum(int(found[1]) - 1 for found in GAP.finditer(lines))
    return total + bool(rest)


def time_before(folder: Path, number: int, offset: int) -> str:
    """The time of the last line with a prefix before this place; "" if there is none."""
    for each in range(number, 0, -1):
        path = folder / f"{each}.log"
        if not path.exists():
            return ""
        end = offset if each == number else path.stat().st_size
        if found := last_time(path, end):
            return found
    return ""


def last_time(path: Path, end: int) -> str:
    size = 8 * 1024  # nearly always enough
    with open(path, "rb") as file:
        while end > 0:
            start = max(0, end - size)
            file.seek(start)
            found = PREFIX.findall(file.read(end - start))
            if found:
                return str(found[-1][0], "ascii")
            # a prefix may lie across the border of two blocks
            end = start + LONGEST_PREFIX if start else 0
            size = min(4 * size, BLOCK)
    return ""
