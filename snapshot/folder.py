"""A draft as the files of DESIGN.md 4, and as what only admit needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cellship.snapshot import alike, state
from cellship.snapshot.candidate import Blob, Candidate, Receipt, ShippedValue
from cellship.snapshot.cells import CellRecord
from cellship.snapshot.draft import Draft
from cellship.snapshot.entry_kind import live_entry
from cellship.snapshot.examples import pickled, written
from cellship.snapshot.files import CapturedFile, Code, find_files
from cellship.snapshot.identity import identity
from cellship.snapshot.interpreter import Interpreter, interpreter
from cellship.snapshot.items import Definition, Item, Value
from cellship.snapshot.order import early_values
from cellship.snapshot.packages import Packages, resolve
from cellship.snapshot.portable import why_not_portable
from cellship.snapshot.provenance import environment_variables, provenance
from cellship.snapshot.recorded import Examples
from cellship.snapshot.request import CaptureRequest
from cellship.snapshot.roots import chosen_by_words, roots_of
from cellship.snapshot.secret_search import check_secrets
from cellship.snapshot.shapes import type_name


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
    roots = roots_of(draft)
    roots |= {**chosen_by_words(draft, Path.cwd()), **roots, **more_roots}
    packages = resolve(roots, policy=request.packages, cwd=Path.cwd(), cache=cache)
    live = live_entry(request.entry, draft.walk.namespace)
    write_values(folder, draft)
    write_json(folder / "examples.json", {"examples": written(examples.found, live)})
    write_json(folder / "snapshot.json", description(draft, request, python, packages))
    (folder / "pylock.toml").write_text(packages.pylock)
    check_secrets(draft, folder)
    write_json(folder / "provenance.json", provenance(draft, request, record, packages, roots))
    files = captured_files(request, draft, record)
    write_files(folder, files)
    notes = write_admit(admit_folder, draft, examples, request)
    return Candidate(
        folder=folder,
        admit_folder=admit_folder,
        digest=identity(folder),
        platform=python.platform,
        blobs=all_blobs(draft, files),
        interpreter=python.tree,
        packages=packages.trees,
        receipt=Receipt(
            entry=request.entry,
            values=tuple(shipped(draft, files)),
            packages=packages.named,
            notes=(
                *late(draft, record),
                *variables(draft),
                *draft.walk.notes,
                *packages.notes,
                *notes,
            ),
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
    compared = [item for item in draft.definitions() if not item.rewritten]
    definitions = {item.key: state.describe(item.thing) for item in compared}
    watched = draft.walk.decisions.watched & draft.walk.items.keys()
    names = sorted({*early_values(draft.walk.items), *watched})
    values = {name: state.digest(draft.walk.namespace[name]) for name in names}
    content = {"format": 1, "definitions": definitions, "values": values}
    write_json(folder / "state.json", content)
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


def variables(draft: Draft) -> list[str]:
    """Environment variables that the code reads: a worker has its own."""
    names = sorted(set(environment_variables(draft)))
    return [f"reads the environment variable {name}, which does not ship" for name in names]


def late(draft: Draft, record: CellRecord) -> list[str]:
    """Whether cells that ship ran before the record began."""
    before = [cell.number for cell in record.cells[: record.late]]
    reached = {item.place.cell for item in draft.items}
    if not reached & set(before):
        return []
    cells = f"cells {min(before)}-{max(before)}" if len(set(before)) > 1 else f"cell {before[0]}"
    return [f"{cells} ran before cellship was loaded: folder and order taken from history"]


def captured_files(
    request: CaptureRequest, draft: Draft, record: CellRecord
) -> tuple[CapturedFile, ...]:
    """Files that the code which ships names by path."""
    code = [
        Code(item.text, cwd_of(item, record), item.place.cell, item.place.line or 1)
        for item in draft.code()
    ]
    return find_files(request, code, draft.walk.namespace, Path.cwd())


def cwd_of(item: Item, record: CellRecord) -> Path:
    """The folder in which the cell of a definition ran."""
    return next(
        (Path(cell.cwd) for cell in record.cells if cell.order == item.position[0]), Path.cwd()
    )


def write_files(folder: Path, files: Sequence[CapturedFile]) -> None:
    """files/manifest.json, if any file ships."""
    if not files:
        return
    entries = [
        {"name": str(n), "path": file.path, "digest": file.blob.digest, "size": file.blob.size}
        for n, file in enumerate(files)
    ]
    (folder / "files").mkdir()
    write_json(folder / "files" / "manifest.json", {"files": entries})


def all_blobs(draft: Draft, files: Sequence[CapturedFile]) -> tuple[Blob, ...]:
    """Buffers and files, each content once."""
    found = [*draft.stream.blobs, *(file.blob for file in files)]
    return tuple({blob.digest: blob for blob in found}.values())


def write_schema(folder: Path, schema: Mapping[str, Any]) -> None:
    """schema.json, once a worker has derived it."""
    write_json(folder / "schema.json", schema)


def write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def shipped(draft: Draft, files: Sequence[CapturedFile]) -> Iterator[ShippedValue]:
    """Definitions and values for the receipt, the largest values first."""
    sizes = draft.stream.sizes()
    definitions = [item for item in draft.items if isinstance(item, Definition)]
    values = sorted(
        (item for item in draft.items if isinstance(item, Value)),
        key=lambda item: -sizes.get(item.key, 0),
    )
    for item in definitions:
        yield ShippedValue(item.key, item.kind, item.place.cell, type_name(item.thing), 0)
    for value in values:
        size = sizes.get(value.key, 0)
        yield ShippedValue(value.key, "value", value.cell, type_name(value.thing), size)
    for file in files:
        yield ShippedValue(file.path, "file", None, "file", file.blob.size)
