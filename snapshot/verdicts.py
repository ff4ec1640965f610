"""Digests of trees that were read before: an unchanged package is recognised without reading it.

A verdict counts while path, size, time of change and inode of every file are the same. Never ctime:
a hard link changes it (DESIGN.md 4).
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from blake3 import blake3

from cellship.snapshot.tree_files import TreeFile

NAME = "trees-1.json"
SETTLED = 2_000_000_000  # ns: a file changed later than this before now may change again unseen


@dataclass(frozen=True)
class Verdict:
    """What reading a tree found."""

    digest: str
    size: int


class Verdicts:
    """The verdicts of one cache folder, and of this process where there is no folder."""

    _opened: ClassVar[dict[str, Verdicts]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept: dict[str, tuple[str, Verdict]] = _load(path) if path else {}
        self._prints: dict[int, str | None] = {}
        self._changed = False

    @classmethod
    def open(cls, folder: Path | None) -> Verdicts:
        """The verdicts kept in `folder`; None keeps them in this process only."""
        with cls._lock:
            key = str(folder)
            if key not in cls._opened:
                cls._opened[key] = cls(folder / NAME if folder else None)
            verdicts = cls._opened[key]
        verdicts._prints = {}
        return verdicts

    def get(self, key: str, files: Sequence[TreeFile]) -> Verdict | None:
        """What was found when the same files were read."""
        current = self._prints[id(files)] = fingerprint(files)
        kept = self._kept.get(key)
        return kept[1] if kept and kept[0] == current else None

    def put(self, key: str, files: Sequence[TreeFile], verdict: Verdict) -> None:
        """Keep a verdict, unless a file changed meanwhile or so lately that a change could hide."""
        before = self._prints.get(id(files))
        if before is not None and before == fingerprint(files):
            self._kept[key] = (before, verdict)
            self._changed = True

    def save(self) -> None:
        """Write what is new to the folder. A cache that cannot be written is no error."""
        if self._path is None or not self._changed:
            return
        with suppress(OSError):
            _save(self._path, self._kept)
        self._changed = False


def fingerprint(files: Sequence[TreeFile]) -> str | None:
    """One name for path, size, time and inode of all files; None while a change could hide."""
    lines, newest = [], 0
    for file in files:
        if file.data is not None:
            lines.append(f"{file.path}\0{blake3(file.data).hexdigest()}\n")
            continue
        stat = os.stat(file.source)
        newest = max(newest, stat.st_mtime_ns)
        lines.append(
            f"{file.path}\0{file.source}\0{file.executable}\0"
            f"{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\n"
        )
    if newest > time.time_ns() - SETTLED:
        return None
    return blake3("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _load(path: Path) -> dict[str, tuple[str, Verdict]]:
    try:
        kept = json.loads(path.read_bytes())
        return {key: (entry["print"], Verdict(**entry["verdict"])) for key, entry in kept.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}  # none yet, or not ours: it is a cache, reading again is the answer


def _save(path: Path, kept: dict[str, tuple[str, Verdict]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    both = {**_load(path), **kept}
    text = json.dumps(
        {key: {"print": entry[0], "verdict": asdict(entry[1])} for key, entry in both.items()}
    )
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=NAME)
    try:
        with open(descriptor, "w") as out:
            out.write(text)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
