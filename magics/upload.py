"""Filling a lease: what the store lacks is written into its folder, several pieces at a time."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from cellship.backend.client_answers import Lease
from cellship.magics.progress import Progress
from cellship.snapshot.candidate import Blob, Candidate, Tree
from cellship.snapshot.errors import Refused

WORKERS = min(8, (os.cpu_count() or 2) + 2)


@dataclass(frozen=True)
class Piece:
    """A blob or a tree that has to be written."""

    size: int
    write: Callable[[], None]


def trees_of(candidate: Candidate) -> tuple[Tree, ...]:
    """The interpreter first, where it can be moved, then the packages."""
    interpreter = (candidate.interpreter,) if candidate.interpreter else ()
    return (*interpreter, *candidate.packages)


def fill(lease: Lease, candidate: Candidate, progress: Progress) -> int:
    """Write what the store lacks into the lease's folder; the bytes of the snapshot's own files.

    An interrupt stops between two pieces. Raises Refused where the service is on another host.
    """
    refuse_other_host(lease.folder)
    shutil.copytree(candidate.folder, lease.folder / "snapshot", dirs_exist_ok=True)
    shutil.copytree(candidate.admit_folder, lease.folder / "admit", dirs_exist_ok=True)
    for part in ("blobs", "trees", "bytecode"):
        (lease.folder / part).mkdir(exist_ok=True)
    pieces = list(missing_pieces(lease, candidate))
    total = sum(piece.size for piece in pieces)
    progress.step("copying what the store lacks", total)
    write_all(pieces, progress)
    files = (lease.folder / "snapshot").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def refuse_other_host(folder: Path) -> None:
    if not folder.is_dir():
        raise Refused(
            "The service runs on another machine, and shipping there does not exist yet.",
            code="deploy.other-host",
            hint="Without CELLSHIP_URL, %%deploy uses the service of this machine.",
        )


def missing_pieces(lease: Lease, candidate: Candidate) -> Iterator[Piece]:
    """The largest first, so that no large one is left to the end."""
    blobs = [blob for blob in candidate.blobs if blob.digest in lease.missing_blobs]
    trees = [tree for tree in trees_of(candidate) if tree.digest in lease.missing_trees]
    found = [blob_piece(lease.folder, blob) for blob in {b.digest: b for b in blobs}.values()]
    found += [tree_piece(lease.folder, tree) for tree in {t.digest: t for t in trees}.values()]
    yield from sorted(found, key=lambda piece: piece.size, reverse=True)


def blob_piece(folder: Path, blob: Blob) -> Piece:
    return Piece(blob.size, lambda: blob.write(folder / "blobs" / blob.digest))


def tree_piece(folder: Path, tree: Tree) -> Piece:
    def write() -> None:
        tree.write(folder / "trees" / tree.digest)
        tree.write_bytecode(folder / "bytecode" / tree.digest)

    return Piece(tree.size, write)


def write_all(pieces: list[Piece], progress: Progress) -> None:
    """Write the pieces in parallel; the first failure, or an interrupt, ends it."""
    stopped = threading.Event()

    def work(piece: Piece) -> None:
        if not stopped.is_set():
            piece.write()
            progress.advance(piece.size)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="cellship-copy") as pool:
        futures = [pool.submit(work, piece) for piece in pieces]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stopped.set()  # those that wait end at once; those that run end with their piece
    for future in futures:
        future.result()
