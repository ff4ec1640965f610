"""One attempt at a capture: what is reached, in order, and its stream."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from cellship.snapshot.cells import CellRecord
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.items import Decisions, Definition, Inner, Item
from cellship.snapshot.order import NeedsItself, in_order
from cellship.snapshot.request import CaptureRequest
from cellship.snapshot.room import with_room
from cellship.snapshot.source import write_source
from cellship.snapshot.statements import Statements
from cellship.snapshot.stream import Stream, write_stream
from cellship.snapshot.walk import Walk

CYCLES = 50  # definitions that may turn out to need themselves


@dataclass(frozen=True)
class Draft:
    """What would ship, not yet as files."""

    walk: Walk
    items: list[Item]
    stream: Stream
    source: str

    def code(self) -> list[Definition | Inner]:
        """All code that ships as text."""
        return [item for item in self.items if isinstance(item, Definition | Inner)]

    def definitions(self) -> list[Definition]:
        return [item for item in self.items if isinstance(item, Definition)]


def draft_of(
    request: CaptureRequest,
    namespace: MutableMapping[str, Any],
    record: CellRecord,
    decisions: Decisions,
) -> Draft:
    """Follow the entry; what is nested too deeply is tried once more where there is room."""
    try:
        return followed(request, namespace, record, decisions)
    except CaptureRefused as refusal:
        if refusal.code != "capture.too-deep":
            raise
    return with_room(lambda: followed(request, namespace, record, decisions))


def followed(
    request: CaptureRequest,
    namespace: MutableMapping[str, Any],
    record: CellRecord,
    decisions: Decisions,
) -> Draft:
    """Follow the entry; a definition that needs itself goes by value, and it is followed again."""
    for _ in range(CYCLES):
        walk = Walk(namespace, Statements(record), decisions)
        try:
            walk.entry(request.entry.split(".")[0])
            items = in_order(walk.items)
        except NeedsItself as cycle:
            decisions.by_value.add(cycle.key)
            continue
        walk.arrays.settle()
        stream = write_stream(items, walk.meets, walk.arrays)
        return Draft(walk, items, stream, write_source(items, stream.sizes()))
    raise CaptureRefused(
        f"{request.entry} reaches definitions that need each other before they exist.",
        code="capture.unpicklable",
        hint="Make the value that a definition needs in a cell of its own.",
    )
