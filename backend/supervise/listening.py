"""The gateway's listening socket: opened once, held for as long as the service runs."""

from __future__ import annotations

import socket
from pathlib import Path

from . import processes
from .lines import ask

BACKLOG = 4096
HAND_OVER_LIMIT = 5.0


class PortTaken(Exception):
    """Somebody else listens on our port. `holder` is (pid, command) where the system tells."""

    def __init__(self, port: int, holder: tuple[int, str] | None) -> None:
        who = f"by {holder[1]} (process {holder[0]})" if holder else "by another program"
        super().__init__(
            f"Port {port}, which the endpoints of this data folder keep, is taken {who}."
        )
        self.port = port
        self.holder = holder


def open_listener(port: int) -> socket.socket:
    """Listen on the loopback address. Raises PortTaken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(port, processes.who_listens(port)) from error
    listener.setblocking(False)
    return listener


def take_over(gateway: Path, port: int) -> socket.socket | None:
    """The listener that a running gateway holds; None if it does not give it away."""
    try:
        fds = ask(gateway, {"do": "hand_over"}, HAND_OVER_LIMIT)
    except OSError:
        return None
    if len(fds) != 1:
        return None
    listener = socket.socket(fileno=fds[0])
    if listener.getsockname()[1] != port:
        listener.close()
        return None
    listener.set_inheritable(False)
    return listener
