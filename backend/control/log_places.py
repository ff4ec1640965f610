"""Places in the log files of one replica, found without reading all: ends, numbers, times."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO

from cellship.backend.control.log_segments import PREFIX, TIME, Position, records, segments

BLOCK = 1024 * 1024
LONGEST_PREFIX = 1024

GAP = re.compile(rb"^" + TIME + rb"\tgap\t[^\t\n]*\t[^\t\n]*\t(\d+)", re.MULTILINE)


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
