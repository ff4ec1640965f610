"""A tree: files under relative paths, named by the BLAKE3 of paths, modes and bytes.

The formula is written once, here; the store checks with it what capture claims.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from cellship.snapshot.bytecode import write_bytecode
from cellship.snapshot.candidate import Tree
from cellship.snapshot.errors import CaptureRefused
from cellship.snapshot.tree_copy import write_files
from cellship.snapshot.tree_files import TreeFile
from cellship.snapshot.verdicts import Verdict, Verdicts

MAPPED = 4 << 20  # larger files are mapped instead of read
CHUNK = 64  # files that one thread takes at a time

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class TreePlan:
    """What a tree will hold, before anything was read."""

    kind: str  # "interpreter", "package", "local"
    name: str
    version: str
    why: str
    files: tuple[TreeFile, ...]
    key: str = field(compare=False)  # where its verdict is kept: one per installed place


def tree_digest(files: Iterable[tuple[str, bool, str]]) -> str:
    """The name (hex) of a tree of files: (relative path, executable, BLAKE3 of the bytes)."""
    lines = [
        f"{'x' if executable else '-'} {digest} {path}\n"
        for path, executable, digest in sorted(files)
    ]
    text = "cellship tree 1\n" + "".join(lines)
    return blake3(text.encode("utf-8", "surrogateescape")).hexdigest()


def file_digest(path: str) -> str:
    """BLAKE3 (hex) of the bytes of one file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size >= MAPPED:
            return blake3().update_mmap(path).hexdigest()
        # one read more than the size would fill: most files need exactly one
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return blake3(data).hexdigest()
    finally:
        os.close(descriptor)
    return blake3(Path(path).read_bytes()).hexdigest()


def in_threads(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`work` over all items, in order; opening and reading leave the interpreter lock alone."""
    if len(items) <= CHUNK:
        return [work(item) for item in items]
    chunks = [items[at : at + CHUNK] for at in range(0, len(items), CHUNK)]

    def run(chunk: Sequence[Item]) -> list[Result]:
        return [work(item) for item in chunk]

    with ThreadPoolExecutor(min(8, os.cpu_count() or 2)) as pool:
        return [result for part in pool.map(run, chunks) for result in part]


def make_trees(plans: Sequence[TreePlan], cache: Path | None) -> tuple[Tree, ...]:
    """Name each planned tree; what was read before and has not changed is not read again.

    Raises CaptureRefused if a file goes away meanwhile or cannot be read.
    """
    try:
        return _make_trees(plans, cache)
    except OSError as error:
        raise CaptureRefused(
            f"{error.filename}: {error.strerror}, while its package was read.",
            code="capture.changed-meanwhile",
            hint="Something else changes this environment just now. Ship again when it is done.",
        ) from error


def _make_trees(plans: Sequence[TreePlan], cache: Path | None) -> tuple[Tree, ...]:
    verdicts = Verdicts.open(cache)
    known = [verdicts.get(plan.key, plan.files) for plan in plans]
    new = [plan for plan, verdict in zip(plans, known, strict=True) if verdict is None]
    made = dict(zip([plan.key for plan in new], _read(new), strict=True))
    for plan in new:
        verdicts.put(plan.key, plan.files, made[plan.key])
    verdicts.save()
    found = [
        made[plan.key] if verdict is None else verdict
        for plan, verdict in zip(plans, known, strict=True)
    ]
    return tuple(_tree(plan, verdict) for plan, verdict in zip(plans, found, strict=True))


def _read(plans: Sequence[TreePlan]) -> list[Verdict]:
    files = [file for plan in plans for file in plan.files]
    digests = iter(in_threads(_digest, files))
    return [_verdict([(file, *next(digests)) for file in plan.files]) for plan in plans]


def _digest(file: TreeFile) -> tuple[str, int]:
    if file.data is not None:
        return blake3(file.data).hexdigest(), len(file.data)
    return file_digest(file.source), os.stat(file.source).st_size


def _verdict(files: list[tuple[TreeFile, str, int]]) -> Verdict:
    digest = tree_digest((file.path, file.executable, digest) for file, digest, _ in files)
    return Verdict(digest, sum(size for _, _, size in files))


def _tree(plan: TreePlan, verdict: Verdict) -> Tree:
    return Tree(
        digest=verdict.digest,
        kind=plan.kind,
        name=plan.name,
        version=plan.version,
        size=verdict.size,
        files=len(plan.files),
        why=plan.why,
        write=partial(write_files, plan.files),
        write_bytecode=partial(write_bytecode, plan.files, trust=plan.kind != "local"),
    )
