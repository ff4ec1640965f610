"""Run as a script: accept a lease, killed at each step in turn; print what was found afterwards.

An audit hook counts what touches the disk (open, rename, link, mkdir, chmod, remove) and sends
SIGKILL at the n-th. Each attempt runs in a fork, until one comes through.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from blake3 import blake3

from cellship.backend.store.leases import Lease
from cellship.backend.store.plain import plain_files
from cellship.backend.store.store import Store
from cellship.snapshot.trees import file_digest, tree_digest

STEPS = {"open", "os.rename", "os.link", "os.mkdir", "os.chmod", "os.remove", "os.rmdir"}
FILES = {"a/__init__.py": b"x = 1\n", "a/b.py": b"", "top.py": b"y"}


def fill(lease: Lease) -> tuple[str, list[str]]:
    """Two blobs and a tree. Their digests."""
    blobs = []
    for data in (b"one", b"two" * 1000):
        blobs.append(blake3(data).hexdigest())
        (lease.folder / "blobs" / blobs[-1]).write_bytes(data)
    tree = tree_digest((path, False, blake3(data).hexdigest()) for path, data in FILES.items())
    for path, data in FILES.items():
        target = lease.folder / "trees" / tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return tree, blobs


def killed_at(step: int, store: Store, lease: Lease) -> bool:
    """Whether the accept in a child process was killed at that step; False if it came through."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(event: str, _: tuple[Any, ...]) -> None:
            if event in STEPS:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        store.accept(lease)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def problems(data: Path) -> list[str]:
    """What in the store is not what its name says, or can be written."""
    found = []
    for blob in (data / "store" / "blobs").glob("*/*"):
        if file_digest(str(blob)) != blob.name or blob.stat().st_mode & 0o222:
            found.append(f"blob {blob.name}")
    for tree in (data / "store" / "trees").iterdir():
        files = plain_files(tree)
        named = tree_digest((each.path, each.executable, file_digest(each.full)) for each in files)
        if named != tree.name or any(each.mode & 0o222 for each in files):
            found.append(f"tree {tree.name}")
    return found


def attempt(data: Path, step: int) -> dict[str, Any]:
    """Kill an accept at one step, recover, accept again."""
    store = Store(data)
    lease = store.open_lease()
    tree, blobs = fill(lease)
    killed = killed_at(step, store, lease)
    after_kill = problems(data)
    again = Store(data)
    again.recover()
    again.accept(lease)
    missing = again.missing(blobs, [tree])
    again.drop(lease)
    left = [path.name for path in (data / "leases").iterdir()]
    left += [path.name for path in (data / "store").glob(".*")]
    bad = after_kill + problems(data)
    bad += [] if all(again.by_sha256(again.sha256(each)) for each in blobs) else ["index"]
    return {"killed": killed, "bad": bad, "left": left, "missing": [*missing.blobs, *missing.trees]}


if __name__ == "__main__":
    results: list[dict[str, Any]] = []
    while not results or results[-1]["killed"]:
        results.append(attempt(Path(sys.argv[1], str(len(results))), len(results) + 1))
    print(json.dumps(results))
