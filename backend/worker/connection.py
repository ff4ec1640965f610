"""One connection to a worker: frames in, frames out, never waiting for the peer."""

from __future__ import annotations

import socket
from typing import List

from .frames import BadFrame, Frame, Parser

BACKLOG = 64 * 1024 * 1024  # bytes that wait for a peer before its connection is given up
RECEIVE = 256 * 1024


class Gone(Exception):
    """The peer left, broke the protocol, or does not read its answers."""


class Connection:
    """Owns a non-blocking socket. Raises Gone; the owner then closes it."""

    def __init__(self, sock: socket.socket, buffer: memoryview) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.open = True
        self.waits = False  # for room in the socket
        self._parser = Parser()
        self._buffer = buffer
        self._outgoing: List[bytes] = []
        self._unsent = memoryview(b"")

    def receive(self) -> List[Frame]:
        """The frames that have arrived whole."""
        try:
            size = self.socket.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            raise Gone(str(error)) from error
        if not size:
            raise Gone("closed by the peer")
        try:
            return self._parser.feed(self._buffer[:size])
        except BadFrame as error:
            raise Gone(str(error)) from error

    def send(self, data: bytes) -> None:
        """Keep `data` for the next flush."""
        self._outgoing.append(data)

    def flush(self) -> None:
        """Write what the socket takes now; `waits` says whether something is left."""
        try:
            while self._unsent or self._outgoing:
                if not self._unsent:
                    self._unsent = memoryview(b"".join(self._outgoing))
                    self._outgoing.clear()
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            self._refuse_backlog()
        except OSError as error:
            raise Gone(str(error)) from error
        self.waits = bool(self._unsent or self._outgoing)

    def close(self) -> None:
        self.open = False
        self.socket.close()

    def _refuse_backlog(self) -> None:
        """One answer may be of any size; behind it only so much may pile up."""
        if sum(map(len, self._outgoing)) > BACKLOG:
            raise Gone("its answers are not read")
