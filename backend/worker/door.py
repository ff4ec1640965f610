"""The socket of a worker: greets who connects, answers PING, collects calls for the loop."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections import deque
from contextlib import suppress
from typing import Any, Deque, Dict, Iterable, List, Set, Tuple

from . import failures
from .connection import RECEIVE, Connection, Gone
from .frames import Frame, Kind, frame

MOST_CALLS = 4096  # that wait here; the rest waits in the sockets

Call = Tuple[Connection, int, bytes]  # whose, stream, payload
Events = List[Tuple[selectors.SelectorKey, int]]


class Door:
    """Listens at `path` from the start. `hello` is what everyone who connects hears first.

    Not safe for two threads at once: who shares it takes a lock.
    """

    def __init__(self, path: str, hello: Dict[str, Any]) -> None:
        self.calls: Deque[Call] = deque()
        self.cancelled: Set[Tuple[Connection, int]] = set()
        self.stopping = False  # told to stop
        self.closed = False  # and takes no more calls
        self.greeted = 0
        self._hello = dict(hello, state="starting")
        self._path = path
        self._buffer = memoryview(bytearray(RECEIVE))
        self._connections: Set[Connection] = set()
        self._listener = listen(path)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)
        self._wakened.setblocking(False)
        self.selector.register(self._wakened, selectors.EVENT_READ, self._drain)
        if hasattr(os, "register_at_fork"):
            # a child that outlives this process must not keep its callers waiting
            os.register_at_fork(after_in_child=self._close_sockets)

    def wake(self) -> None:
        """Make a `select` that waits return. Safe in signal handlers and other threads."""
        with suppress(OSError):  # full, so it is awake; or closed, so nobody waits
            self._waker.send(b"\0")

    def become(self, state: str) -> None:
        """What the next HELLO says."""
        self._hello["state"] = state

    def tell_all(self, data: bytes) -> None:
        """Send a frame to everyone who is connected."""
        for connection in list(self._connections):
            connection.send(data)
            self.flush(connection)

    def handle(self, events: Events) -> None:
        """Do what a `selector.select` found."""
        for key, mask in events:
            if isinstance(key.data, Connection):
                self._serve(key.data, mask)
            else:
                key.data()

    def deliver(self, answers: Iterable[Tuple[Connection, bytes]]) -> None:
        """Send each answer; all that one connection gets goes out in one write."""
        touched = set()
        for connection, data in answers:
            connection.send(data)
            touched.add(connection)
        for connection in touched:
            self.flush(connection)

    def flush(self, connection: Connection) -> None:
        if not connection.open:
            return
        waited = connection.waits
        try:
            connection.flush()
        except Gone:
            self._drop(connection)
            return
        if connection.waits != waited:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.waits else 0)
            self.selector.modify(connection.socket, wanted, connection)

    def close(self) -> None:
        """Take the calls that have arrived, then no more; who is connected stays connected."""
        if self.closed:
            return
        self.handle(self.selector.select(0))
        self.closed = True
        self.become("stopping")
        self.selector.unregister(self._listener)
        self._listener.close()
        remove(self._path)

    def unsent(self) -> bool:
        """Whether answers still wait for their readers."""
        return any(connection.waits for connection in self._connections)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return  # it left again, or this process has no descriptor left
        connection = Connection(sock, self._buffer)
        self._connections.add(connection)
        self.selector.register(sock, selectors.EVENT_READ, connection)
        connection.send(frame(Kind.HELLO, 0, json.dumps(self._hello).encode()))
        self.greeted += 1
        self.flush(connection)

    def _serve(self, connection: Connection, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self.flush(connection)
        if not connection.open or not mask & selectors.EVENT_READ or len(self.calls) > MOST_CALLS:
            return
        try:
            for each in connection.receive():
                self._take(connection, each)
        except Gone:
            self._drop(connection)

    def _take(self, connection: Connection, received: Frame) -> None:
        kind, _, stream, payload = received
        if kind == Kind.CALL and self.closed:
            connection.send(failures.stopping(stream))
            self.flush(connection)
        elif kind == Kind.CALL:
            self.calls.append((connection, stream, payload))
        elif kind == Kind.PING:
            connection.send(frame(Kind.PONG, stream, payload))
            self.flush(connection)
        elif kind == Kind.CANCEL:
            self.cancelled.add((connection, stream))
        elif kind == Kind.SHUTDOWN:
            self.stopping = True
        else:
            raise Gone("a frame of kind {} comes from no client".format(kind))

    def _drop(self, connection: Connection) -> None:
        if connection.open:
            self._connections.discard(connection)
            self.selector.unregister(connection.socket)
            connection.close()

    def _drain(self) -> None:
        with suppress(OSError):  # another thread was quicker
            self._wakened.recv(4096)

    def _close_sockets(self) -> None:
        for each in (self._listener, self._waker, self._wakened):
            each.close()
        for connection in self._connections:
            connection.close()


def listen(path: str) -> socket.socket:
    """A listening socket at `path`, which only this user may connect to."""
    remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen(128)
    listener.setblocking(False)
    return listener


def remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
