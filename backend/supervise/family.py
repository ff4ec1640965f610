"""The children: started, listed, signalled, reaped; and those of a supervisor that died."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from . import exits, processes
from .exits import Exit, Exits
from .loop import Loop
from .records import Record, Records
from .spawn import Order, start

ORPHAN_POLL = 0.5
UNKNOWN = {"code": None, "signal": None, "peak_memory": None, "out_of_memory": False}


@dataclass
class Child:
    """A process that we started, or (`orphan`) that a supervisor before us started."""

    id: str
    what: str  # "gateway", "control", "replica"
    pid: int
    started: float
    orphan: bool = False
    killed: bool = False  # we sent SIGKILL


class Family:
    """All that runs on behalf of this data folder. `on_exit` is called with each exit."""

    def __init__(self, loop: Loop, records: Records, ends: Exits) -> None:
        self._loop = loop
        self._records = records
        self._exits = ends
        self._children: dict[str, Child] = {}
        self._waiting: dict[str, list[Callable[[Exit | None], None]]] = {}
        self._polling = False
        self.on_exit: list[Callable[[Child], None]] = []
        loop.on_signal(signal.SIGCHLD, self.reap)

    def of(self, *what: str) -> list[Child]:
        return [child for child in self._children.values() if not what or child.what in what]

    def get(self, name: str) -> Child | None:
        return self._children.get(name)

    def spawn(self, order: Order, what: str) -> Child:
        """Start a child, or find that it runs. Raises OSError where it cannot be started."""
        if (known := self._children.get(order.id)) is not None:
            return known
        # the record comes first: a process that was started can always be found again
        self._records.put(Record(order.id, what, 0, 0.0, order.argv, order.cwd))
        try:
            pid = start(order, self._loop)
        except OSError:
            self._records.drop(order.id)
            raise
        child = Child(order.id, what, pid, processes.start_time_of_child(pid))
        self._children[order.id] = child
        self._records.put(Record(order.id, what, pid, child.started, order.argv, order.cwd))
        return child

    def adopt(self, record: Record) -> Child:
        """Take over a living process of a supervisor that died."""
        child = Child(record.id, record.what, record.pid, record.started, orphan=True)
        self._children[record.id] = child
        self._records.put(record)
        self._notice_end(child)
        return child

    def bury(self, record: Record) -> None:
        """Note the end of a process that nobody watched."""
        self._ended(Child(record.id, record.what, record.pid, record.started), **UNKNOWN)

    def rename(self, child: Child, name: str) -> None:
        """Give a child another id, so that its successor can have the old one."""
        del self._children[child.id]
        self._records.rename(child.id, name)
        child.id = name
        self._children[name] = child

    def signal(self, child: Child, number: int) -> bool:
        child.killed = child.killed or number == signal.SIGKILL
        return processes.send(child.pid, child.started, number)

    def wait(self, name: str, call: Callable[[Exit | None], None]) -> None:
        """Call with the exit once the child has ended; at once if it has, or was never known."""
        if name in self._children:
            self._waiting.setdefault(name, []).append(call)
        else:
            call(self._exits.of(name))

    def wait_no_more(self, name: str, call: Callable[[Exit | None], None]) -> None:
        with suppress(KeyError, ValueError):
            self._waiting[name].remove(call)

    def reap(self) -> None:
        for pid, status, usage in ended_children():
            child = next(
                (c for c in self._children.values() if c.pid == pid and not c.orphan), None
            )
            if child is None:
                continue  # an orphan of one of our children, come to us as subreaper
            processes.kill_group(pid)
            code, number = exits.of_status(status)
            self._ended(
                child,
                code=code,
                signal=number,
                peak_memory=exits.peak_memory(usage),
                out_of_memory=self._exits.memory_ran_out(number, child.killed),
            )

    def _notice_end(self, orphan: Child) -> None:
        """Nobody tells us of the end of a process that is not our child."""
        opened = open_pidfd(orphan)
        if opened is None:
            self._poll()
            return

        def ended(fd: int = opened) -> None:
            self._loop.forget(fd)
            os.close(fd)
            self._orphan_ended(orphan)

        self._loop.watch(opened, ended)

    def _poll(self) -> None:
        if not self._polling:
            self._polling = True
            self._loop.later(ORPHAN_POLL, self._look)

    def _look(self) -> None:
        self._polling = False
        for child in [child for child in self.of() if child.orphan]:
            if processes.is_alive(child.pid, child.started):
                self._poll()
            else:
                self._orphan_ended(child)

    def _orphan_ended(self, orphan: Child) -> None:
        if self._children.get(orphan.id) is not orphan:
            return
        processes.kill_group(orphan.pid)
        self._ended(orphan, **UNKNOWN)

    def _ended(self, child: Child, **how: Any) -> None:
        ended = Exit(
            id=child.id,
            what=child.what,
            pid=child.pid,
            started=child.started,
            time=exits.now(),
            **how,
        )
        self._children.pop(child.id, None)
        self._exits.add(ended)
        self._records.drop(child.id)
        for call in self._waiting.pop(child.id, ()):
            call(ended)
        for listener in list(self.on_exit):
            listener(child)


def ended_children() -> Iterator[tuple[int, int, Any]]:
    """(pid, status, usage) of every child that has ended, each reaped."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status, usage


def open_pidfd(child: Child) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has none."""
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        fd: int = opener(child.pid)
    except OSError:
        return None
    if processes.is_alive(child.pid, child.started):
        return fd
    os.close(fd)  # the pid belongs to somebody else by now
    return None
