"""What the replicas of a version printed, as one list of lines in the order of their time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cellship.backend.control import log_places, log_segments
from cellship.backend.control.log_segments import Position, Record


class BadCursor(ValueError):
    """`after` is neither a number of a line nor what an earlier page gave."""


@dataclass(frozen=True)
class Source:
    """The log folder of one replica. `ended`: its process is gone, so no line gets longer."""

    replica: str
    version: int
    folder: Path
    ended: bool = False


@dataclass(frozen=True)
class LogLine:
    """One line. `n` counts from 1 in its replica; a gap has the first number that is missing."""

    n: int
    time: str
    version: int
    replica: str
    stream: str  # "out", "err", "log", or "gap" for lines that were lost
    level: str | None
    request_id: str | None
    text: str

    def facts(self) -> dict[str, Any]:
        """As JSON (DESIGN.md 12)."""
        return asdict(self)


@dataclass(frozen=True)
class Page:
    """Lines, and the cursor behind them: `read(..., after=page.next)` gives what follows."""

    lines: tuple[LogLine, ...]
    next: str


def read(sources: Sequence[Source], *, after: str | None = None, limit: int = 200) -> Page:
    """The newest `limit` lines; with `after`, the first `limit` that follow it.

    `after` is the cursor of an earlier page, or the number of a line, from which each replica then
    goes on. A replica that the cursor does not know is read from its first line. Raises BadCursor.
    """
    if after is None:
        return newest(sources, limit)
    starts = places(sources, after)
    ends = dict(starts)
    lines = []
    for source, record in islice(merged(sources, starts), limit):
        ends[source.replica] = record.after
        lines.append(line_of(source, record))
    return Page(tuple(lines), cursor(ends))


def newest(sources: Sequence[Source], limit: int) -> Page:
    """The newest `limit` lines of all sources together."""
    starts = {
        source.replica: log_places.last_position(source.folder, limit, source.ended)
        for source in sources
    }
    ends = dict(starts)
    lines = []
    for source, record in merged(sources, starts):
        ends[source.replica] = record.after
        lines.append(line_of(source, record))
    return Page(tuple(lines[max(0, len(lines) - limit) :]), cursor(ends))


def merged(
    sources: Sequence[Source], starts: dict[str, Position]
) -> Iterator[tuple[Source, Record]]:
    """Lines of all sources by time; those of one replica stay in the order they were written in."""
    streams = [
        ordered(order, source, starts[source.replica]) for order, source in enumerate(sources)
    ]
    for _, order, record in heapq.merge(*streams, key=lambda each: each[:2]):
        yield sources[order], record


def ordered(order: int, source: Source, start: Position) -> Iterator[tuple[str, int, Record]]:
    """Records with a time that never goes back, as the clock of a host may."""
    latest = ""
    for record in log_segments.records(source.folder, start, source.ended):
        latest = max(latest, record.time)
        yield latest, order, record


def line_of(source: Source, record: Record) -> LogLine:
    return LogLine(
        n=record.n,
        time=record.time,
        version=source.version,
        replica=source.replica,
        stream=record.stream,
        level=record.level,
        request_id=record.request_id,
        text=record.text,
    )


def cursor(places: dict[str, Position]) -> str:
    """`replica.segment.offset.n.inside` of each replica, joined by `~`."""
    return "~".join(
        f"{replica}.{at.segment}.{at.offset}.{at.n}.{int(at.inside)}"
        for replica, at in places.items()
    )


def places(sources: Sequence[Source], after: str) -> dict[str, Position]:
    """Where each source goes on. Raises BadCursor."""
    if after.isdigit():
        n = int(after[:18])
        return {source.replica: log_places.position_after(source.folder, n) for source in sources}
    known = dict(parse_place(each) for each in after.split("~") if each)
    return {source.replica: resumed(source, known.get(source.replica)) for source in sources}


def parse_place(text: str) -> tuple[str, Position]:
    try:
        replica, *numbers = text.rsplit(".", 4)
        segment, offset, n, inside = (int(number) for number in numbers)
    except ValueError as error:
        raise BadCursor(f"no place in a log: {text}") from error
    return replica, Position(segment, offset, n, "", bool(inside))


def resumed(source: Source, place: Position | None) -> Position:
    """The place with the time of the line before it, which the cursor leaves out."""
    if place is None:
        return Position()
    if not place.offset:
        return place
    path = source.folder / f"{place.segment}.log"
    if not path.exists() or place.offset > path.stat().st_size:
        raise BadCursor(f"the log of {source.replica} has no such place any more")
    time = log_places.time_before(source.folder, place.segment, place.offset)
    return Position(place.segment, place.offset, place.n, time, place.inside)
