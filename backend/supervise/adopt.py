"""What a supervisor that was killed left behind: a listening socket, replicas, a control plane."""

from __future__ import annotations

import select
import signal
import socket
import time
from pathlib import Path

from . import processes
from .family import Family
from .listening import PortTaken, open_listener, take_over
from .records import Record

CONTROL_PATIENCE = 5.0
PORT_PATIENCE = 2.0
LOOK = 0.02


def adopt(family: Family, behind: list[Record], gateway: Path, port: int) -> socket.socket:
    """Take over what lives; the listening socket, old or new. Raises PortTaken.

    A gateway that gave its socket away goes on answering. It drains by itself once its successor's
    socket file stands in the place of its own.
    """
    for record in behind:
        if not processes.is_alive(record.pid, record.started):
            family.bury(record)
        elif record.what == "control":
            end(record)
            family.bury(record)
        elif record.what == "replica":
            family.adopt(record)
    gateways = [one for one in behind if one.what == "gateway"]
    gateways = [one for one in gateways if processes.is_alive(one.pid, one.started)]
    taken = take_over(gateway, port) if gateways else None
    if taken is None:
        for record in gateways:
            end(record, signal.SIGKILL)
            family.bury(record)
        return open_patiently(port)
    for record in gateways:
        family.rename(family.adopt(record), f"gateway-{record.pid}")
    return taken


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
