"""run/children.json: who runs, written by rename, so that a successor finds everybody."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from . import processes
from .complain import complain


@dataclass(frozen=True)
class Record:
    """One child. `pid` is 0 between the decision to start it and its start."""

    id: str
    what: str
    pid: int
    started: float
    argv: list[str]
    cwd: str


class Records:
    """The file and its content; every change is written at once.

    Where the disk is full the change is kept in memory: a gateway that can be started again is
    worth more than a record of it.
    """

    def __init__(self, file: Path, known: list[Record]) -> None:
        self._file = file
        self._records = {record.id: record for record in known}

    def put(self, record: Record) -> None:
        self._records[record.id] = record
        self._write()

    def drop(self, name: str) -> None:
        if self._records.pop(name, None) is not None:
            self._write()

    def rename(self, old: str, new: str) -> None:
        self._records[new] = replace(self._records.pop(old), id=new)
        self._write()

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)

    def _write(self) -> None:
        facts = {
            "boot": processes.boot_id(),
            "supervisor": os.getpid(),
            "children": [asdict(record) for record in self._records.values()],
        }
        aside = self._file.with_suffix(".new")
        try:
            aside.write_text(json.dumps(facts, indent=1))
            os.replace(aside, self._file)
        except OSError as error:
            complain(f"children.json could not be written: {error}")


def left_behind(file: Path) -> list[Record]:
    """Those of the supervisor before us, dead or alive; the pid of a dead one is 0 if in doubt."""
    try:
        facts = json.loads(file.read_text())
        records = [Record(**entry) for entry in facts["children"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    if facts["boot"] != processes.boot_id():
        return [replace(record, pid=0) for record in records]  # pids of another life
    known = {record.pid for record in records}
    return [record if record.pid else search(record, known) for record in records]


def search(record: Record, known: set[int]) -> Record:
    """A child whose supervisor died between starting it and writing its pid down."""
    pid = processes.find(record.argv, record.cwd, known)
    started = processes.start_time(pid) if pid else None
    return record if pid is None or started is None else replace(record, pid=pid, started=started)
