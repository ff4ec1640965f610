"""What lies in a lease: every digest is verified here, once, before bytes enter the store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from cellship.backend.store.byte_code import check_byte_code
from cellship.backend.store.errors import WrongByteCode, WrongDigest
from cellship.backend.store.leases import Lease
from cellship.backend.store.names import digest_name
from cellship.backend.store.plain import PlainFile, plain_entries, plain_file, plain_files
from cellship.backend.store.sha256_index import sha256_digest
from cellship.snapshot.trees import file_digest, in_threads, tree_digest

LARGE = 64 << 20  # worth all cores for one file


@dataclass(frozen=True)
class Incoming:
    """The verified content of a lease."""

    blobs: dict[str, PlainFile]
    sha256: dict[str, str]
    trees: dict[str, list[PlainFile]]
    bytecode: dict[str, list[PlainFile]]

    def files(self) -> list[PlainFile]:
        """Every file of it."""
        many = [*self.trees.values(), *self.bytecode.values()]
        return [*self.blobs.values(), *(file for files in many for file in files)]


def look(lease: Lease) -> Incoming:
    """What lies in a lease. Raises NotPlain and BadName; digests are not looked at yet."""
    blobs, trees, bytecode = (lease.folder / part for part in ("blobs", "trees", "bytecode"))
    return Incoming(
        {
            digest_name(name): plain_file(str(blobs / name), f"blobs/{name}")
            for name in plain_entries(blobs)
        },
        {},
        {digest_name(name): plain_files(trees / name) for name in plain_entries(trees)},
        {digest_name(name): plain_files(bytecode / name) for name in plain_entries(bytecode)},
    )


def verify(incoming: Incoming, lease: Lease, stored_trees: Path) -> Incoming:
    """The same with the SHA-256 of each blob. Raises WrongDigest, WrongByteCode."""
    _verify_trees(incoming.trees)
    for digest, files in incoming.bytecode.items():
        here = lease.folder / "trees" / digest
        tree = here if digest in incoming.trees else stored_trees / digest
        if not tree.is_dir():
            raise WrongByteCode(digest, "it belongs to no package that is here")
        check_byte_code(files, tree)
    return Incoming(
        incoming.blobs, _verify_blobs(incoming.blobs), incoming.trees, incoming.bytecode
    )


def _verify_trees(trees: dict[str, list[PlainFile]]) -> None:
    files = [file for each in trees.values() for file in each]
    digests = iter(in_threads(lambda file: file_digest(file.full), files))
    for digest, each in trees.items():
        found = tree_digest((file.path, file.executable, next(digests)) for file in each)
        if found != digest:
            raise WrongDigest(f"The tree {digest[:12]}…", found)


def _verify_blobs(blobs: dict[str, PlainFile]) -> dict[str, str]:
    for digest, file in blobs.items():
        found = _blob_digest(file)
        if found != digest:
            raise WrongDigest(f"The blob {digest[:12]}…", found)
    computed = in_threads(lambda file: sha256_digest(file.full), list(blobs.values()))
    return dict(zip(blobs, computed, strict=True))


def _blob_digest(file: PlainFile) -> str:
    if file.size < LARGE:
        return file_digest(file.full)
    return blake3(max_threads=os.cpu_count() or 1).update_mmap(file.full).hexdigest()
