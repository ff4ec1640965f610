"""values/: the graph in the order in which source.py asks for it, and its manifest."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blake3 import blake3

from cellship.snapshot.arrays import Arrays
from cellship.snapshot.candidate import Blob
from cellship.snapshot.graph import Graph, References
from cellship.snapshot.items import Definition, Item, Patch, Value
from cellship.snapshot.shapes import preview, shape_of
from cellship.snapshot.standin import standing_in

PARALLEL = 1 << 20  # bytes above which one buffer is hashed by several threads


@dataclass
class Stream:
    """The pickled values of a snapshot."""

    data: bytes = b""
    blobs: list[Blob] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=dict)  # bytes of each value's own pickle
    by_value: list[str] = field(default_factory=list)  # names whose values hold compiled code

    def sizes(self) -> dict[str, int]:
        return {value["name"]: value["size"] for value in self.values}

    def extents(self) -> Iterator[tuple[str, int, int]]:
        """(name, start, end) of each value's own pickle in `data`."""
        at = 0
        for name, length in self.lengths.items():
            yield name, at, at + length
            at += length

    def manifest(self) -> dict[str, Any]:
        buffers = {blob.digest: blob.size for blob in self.blobs}
        return {"buffers": buffers, "order": self.order, "values": self.values}


def write_stream(items: Sequence[Item], references: References, arrays: Arrays) -> Stream:
    """Pickle all values, one dict per step of source.py."""
    stream, file = Stream(), io.BytesIO()
    graph = Graph(file, references, arrays)
    with standing_in():
        for step in steps(items):
            write_step(graph, file, step, stream)
    stream.data = file.getvalue()
    stream.blobs = list({blob.digest: blob for blob in stream.blobs}.values())
    return stream


def write_step(graph: Graph, file: io.BytesIO, step: dict[str, Any], stream: Stream) -> None:
    """Names are written one by one, so that the manifest can say what each costs."""
    for name, thing in step.items():
        before, taken, codes = file.tell(), len(graph.buffers), graph.codes
        graph.dump({name: thing})
        if graph.codes > codes:
            stream.by_value.append(name)
        found = [blob(buffer) for buffer in graph.buffers[taken:]]
        stream.blobs += found
        stream.order += [each.digest for each in found]
        size = file.tell() - before + sum(each.size for each in found)
        stream.values.append(entry(name, thing, size, found))
        stream.lengths[name] = file.tell() - before


def entry(name: str, thing: Any, size: int, found: list[Blob]) -> dict[str, Any]:
    shape = shape_of(thing)
    return {
        "name": name,
        "type": shape.type,
        "shape": shape.shape,
        "dtype": shape.dtype,
        "size": size,
        "buffers": [each.digest for each in found],
        "preview": preview(thing),
    }


def steps(items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    """Names and values, in the order in which source.py asks for them; overlays come last."""
    last: dict[str, Any] = {}
    for item in items:
        if isinstance(item, Value):
            yield {item.key: item.thing}
        elif isinstance(item, Patch) and item.text is None:
            yield {item.path: item.thing}
        elif isinstance(item, Definition):
            needed = (o for o in item.overlays if o.text is None and not o.removed)
            last.update({overlay.name: overlay.thing for overlay in needed})
    yield last


def blob(buffer: pickle.PickleBuffer) -> Blob:
    """A buffer named by its bytes. `write` reads the live memory once more."""
    raw = buffer.raw()
    threads = blake3.AUTO if raw.nbytes > PARALLEL else 1
    digest = blake3(raw, max_threads=threads).hexdigest()
    return Blob(digest, raw.nbytes, lambda path: write_raw(path, raw))


def write_raw(path: Path, raw: memoryview) -> None:
    with path.open("xb") as file:
        file.write(raw)
