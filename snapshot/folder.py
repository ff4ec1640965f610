"""A draft as the files of DESIGN.md 4, and as what only admit needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cellship.snapshot import alike, state
from cellship.snapshot.candidate import Candidate, Receipt, ShippedValue
from cellship.snapshot.cells import CellRecord
from cellship.snapshot.draft import Draft
from cellship.snapshot.examples import pickled, written
from cellship.snapshot.entry_kind import live_entry
from cellship.snapshot.identity import identity
from cellship.snapshot.interpreter import Interpreter, interpreter
from cellship.snapshot.items import Definition, Item, Value
from cellship.snapshot.packages import Packages, resolve
from cellship.snapshot.portable import why_not_portable
from cellship.snapshot.provenance import provenance
from cellship.snapshot.recorded import Examples
from cellship.snapshot.request import CaptureRequest
from cellship.snapshot.roots import roots_of


def write_candidate(
    draft: Draft,
    request: CaptureRequest,
    record: CellRecord,
    staging: Path,
    examples: Examples,
    more_roots: Mapping[str, str],
    cache: Path | None,
) -> Candidate:
    """Write all small files; large bytes stay where they are, as blobs and trees."""
    folder, admit_folder = staging / "snapshot", staging / "admit"
    python = interpreter(cache)
    roots = {**roots_of(draft), **more_roots}
    packages = resolve(roots, policy=request.packages, cwd=Path.cwd(), cache=cache)
    live = live_entry(request.entry, draft.walk.namespace)
    write_values(folder, draft)
    write_json(folder / "examples.json", {"examples": written(examples.found, live)})
    write_json(folder / "snapshot.json", description(draft, request, python, packages))
    (folder / "pylock.toml").write_text(packages.pylock)
    write_json(folder / "provenance.json", provenance(draft, request, record, packages, roots))
    notes = write_admit(admit_folder, draft, examples, request)
    return Candidate(
        folder=folder,
        admit_folder=admit_folder,
        digest=identity(folder),
        platform=python.platform,
        blobs=tuple(draft.stream.blobs),
        interpreter=python.tree,
        packages=packages.trees,
        receipt=Receipt(
            entry=request.entry,
            values=tuple(shipped(draft)),
            packages=packages.named,
            notes=(*draft.walk.notes, *packages.notes, *notes),
        ),
    )


def write_values(folder: Path, draft: Draft) -> None:
    (folder / "values").mkdir()
    (folder / "source.py").write_text(draft.source)
    (folder / "values" / "graph.pkl").write_bytes(draft.stream.data)
    write_json(folder / "values" / "manifest.json", draft.stream.manifest())


def write_admit(
    folder: Path, draft: Draft, examples: Examples, request: CaptureRequest
) -> list[str]:
    """State digests, live examples, and the modules that compare them; notes for the receipt."""
    definitions = {item.key: state.describe(item.thing) for item in draft.definitions()}
    write_json(folder / "state.json", {"format": 1, "definitions": definitions})
    data, notes = pickled(examples.found, request.entry, draft.walk)
    if data:
        (folder / "examples.pkl").write_bytes(data)
    for module in (state, alike):
        source = Path(str(module.__file__))
        (folder / source.name).write_bytes(source.read_bytes())
    return notes


def description(
    draft: Draft, request: CaptureRequest, python: Interpreter, packages: Packages
) -> dict[str, Any]:
    """snapshot.json."""
    reasons = why_not_portable(draft)
    return {
        "format": 1,
        "python": python.python,
        "implementation": "cpython",
        "platform": python.platform,
        "interpreter": {
            "tree": python.tree.digest if python.tree else None,
            "executable": python.executable,
            "library_path": list(python.library_path),
            "recorded": python.recorded,
        },
        "packages": [
            {"name": tree.name, "version": tree.version, "tree": tree.digest, "kind": tree.kind}
            for tree in packages.trees
        ],
        "portable": not reasons,
        "why_not_portable": reasons,
        "entry": request.entry,
    }


def write_schema(folder: Path, schema: Mapping[str, Any]) -> None:
    """schema.json, once a worker has derived it."""
    write_json(folder / "schema.json", schema)


def write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def shipped(draft: Draft) -> Iterator[ShippedValue]:
    """Definitions and values for the receipt, the largest values first."""
    sizes = draft.stream.sizes()
    definitions = [item for item in draft.items if isinstance(item, Definition)]
    values = sorted(
        (item for item in draft.items if isinstance(item, Value)),
        key=lambda item: -sizes.get(item.key, 0),
    )
    for definition in definitions:
        yield line(definition, definition.kind, 0, definition.thing)
    for value in values:
        yield line(value, "value", sizes.get(value.key, 0), value.thing)


def line(item: Item, kind: str, size: int, thing: Any) -> ShippedValue:
    return ShippedValue(item.key, kind, item.place.cell, type(thing).__qualname__, size)
