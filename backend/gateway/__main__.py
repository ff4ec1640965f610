"""`python -m cellship.backend.gateway DATA`: answers until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from cellship.backend.gateway.control_socket import ControlSocket
from cellship.backend.gateway.gateway import Gateway
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.table import BadTable
from cellship.backend.supervise.sockets import sockets_folder

BACKLOG = 4096
PATIENCE = 0.3  # for the replicas, before the first request is read
OTHER_DESCRIPTORS = 512


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print("usage: python -m cellship.backend.gateway DATA", file=sys.stderr)
        return 2
    data = Path(os.path.abspath(argv[1]))
    uvloop.run(run(data, listener_of(data), allow_descriptors(Limits())))
    return 0


async def run(data: Path, listener: socket.socket, limits: Limits) -> None:
    """Serve until SIGTERM or `drain`, and until the last call has been answered."""
    gateway = Gateway(data, limits)
    control = ControlSocket(gateway, sockets_folder(data) / "gateway.sock")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: gateway.drain(patience=0.0))
    await begin(gateway)
    await gateway.serve(listener)
    await control.start()
    calm_collector()
    await gateway.drained.wait()
    control.close()
    gateway.close()


async def begin(gateway: Gateway) -> None:
    """The table as the control plane left it; connections wait until its replicas are there."""
    try:
        await gateway.switch.reload(patience=PATIENCE)
    except BadTable as error:
        print(f"The routes cannot be read: {error}", file=sys.stderr, flush=True)


def listener_of(data: Path) -> socket.socket:
    """The socket that the supervisor holds; our own where there is no supervisor."""
    inherited = os.environ.pop("CELLSHIP_LISTEN_FD", None)
    if inherited is not None:
        return socket.socket(fileno=int(inherited))
    port = json.loads((data / "data.json").read_text())["gateway_port"]
    return socket.create_server(("127.0.0.1", port), backlog=BACKLOG)


def allow_descriptors(limits: Limits) -> Limits:
    """As many connections as the system lets us have, less some for files and replicas."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + OTHER_DESCRIPTORS
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return replace(limits, connections=min(limits.connections, soft - OTHER_DESCRIPTORS))


def calm_collector() -> None:
    """What was loaded stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
