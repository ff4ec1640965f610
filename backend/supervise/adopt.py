"""What a supervisor that was killed left behind: a listening socket, replicas, a control plane."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from . import processes
from .family import Family
from .listening import PortTaken, open_listener, take_over
from .loop import Loop
from .records import Record

CONTROL_PATIENCE = 5.0
PORT_PATIENCE = 2.0
LOOK = 0.02


class OldGateway:
    """The gateway of the supervisor before us; it drains once its successor serves."""

    def __init__(self, wire: socket.socket, path: Path) -> None:
        self._wire = wire
        self._path = path
        self._inode = inode(path)

    def drain_when_replaced(self, loop: Loop) -> None:
        """A gateway puts its socket file in place when it accepts requests."""
        if inode(self._path) == self._inode:
            loop.later(LOOK, lambda: self.drain_when_replaced(loop))
            return
        with suppress(OSError):
            self._wire.sendall(json.dumps({"do": "drain"}).encode() + b"\n")
        self._wire.close()


def adopt(
    family: Family, behind: list[Record], gateway: Path, port: int
) -> tuple[socket.socket, OldGateway | None]:
    """Take over what lives; the listening socket, old or new. Raises PortTaken."""
    for record in behind:
        if not processes.is_alive(record.pid, record.started):
            family.bury(record)
        elif record.what == "control":
            end(record)
            family.bury(record)
        elif record.what == "replica":
            family.adopt(record)
    gateways = [one for one in behind if one.what == "gateway" and family.get(one.id) is None]
    gateways = [one for one in gateways if processes.is_alive(one.pid, one.started)]
    taken = take_over(gateway, port) if gateways else None
    if taken is None:
        for record in gateways:
            end(record, signal.SIGKILL)
            family.bury(record)
        return open_patiently(port), None
    for record in gateways:
        child = family.adopt(record)
        family.rename(child, f"gateway-{record.pid}")
    listener, wire = taken
    return listener, OldGateway(wire, gateway)


def end(record: Record, number: int = signal.SIGTERM) -> None:
    """End a process that is not our child, and wait until it is gone."""
    processes.send(record.pid, record.started, number)
    deadline = time.monotonic() + CONTROL_PATIENCE
    while processes.is_alive(record.pid, record.started):
        if time.monotonic() > deadline:
            processes.send(record.pid, record.started, signal.SIGKILL)
        select.select([], [], [], LOOK)


def open_patiently(port: int) -> socket.socket:
    """A socket that a dying gateway held is free a moment later."""
    deadline = time.monotonic() + PORT_PATIENCE
    while True:
        try:
            return open_listener(port)
        except PortTaken:
            if time.monotonic() > deadline:
                raise
        select.select([], [], [], LOOK)


def inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
