"""Questions and answers: one JSON object per line each way, over a Unix socket."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from .loop import Loop

Question = dict[str, Any]
Reply = Callable[[dict[str, Any]], None]
Answerer = Callable[[Question, Reply], None]

LONGEST_LINE = 64 * 1024 * 1024


class LineServer:
    """Listens on `path`. `answer(question, reply)` is called per line; it calls `reply` once."""

    def __init__(self, loop: Loop, path: Path, answer: Answerer) -> None:
        self._loop = loop
        self._path = path
        self._answer = answer
        self._connections: set[Connection] = set()
        self._socket = listen_at(path)
        self._inode = path.stat().st_ino
        loop.watch(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Send what is still to be sent, close everything, remove our own socket file."""
        for connection in list(self._connections):
            connection.finish()
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _accept(self) -> None:
        with suppress(OSError):
            wire, _ = self._socket.accept()
            wire.setblocking(False)
            self._connections.add(
                Connection(self._loop, wire, self._answer, self._connections.discard)
            )


class Connection:
    """One client. Its questions are answered one after the other."""

    def __init__(
        self,
        loop: Loop,
        wire: socket.socket,
        answer: Answerer,
        on_close: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._wire = wire
        self._answer = answer
        self._on_close = on_close
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._busy = False  # an answer is due
        self._taking = False  # the loop of _next runs
        loop.watch(wire.fileno(), self._ready)

    def finish(self) -> None:
        with suppress(OSError):
            self._wire.setblocking(True)
            self._wire.settimeout(1.0)
            self._wire.sendall(self._outgoing)
        self._close()

    def _ready(self) -> None:
        try:
            self._send()
            self._receive()
        except OSError:
            self._close()

    def _receive(self) -> None:
        try:
            data = self._wire.recv(1 << 20)
        except BlockingIOError:
            return
        self._incoming += data
        if not data or len(self._incoming) > LONGEST_LINE:
            self._close()
        else:
            self._next()

    def _next(self) -> None:
        """Take whole lines, one after the other, until an answer is due later."""
        if self._taking:
            return
        self._taking = True
        while not self._busy and (end := self._incoming.find(b"\n")) >= 0:
            line = bytes(self._incoming[:end])
            del self._incoming[: end + 1]
            self._busy = True
            self._answer(parse(line), self._reply)
        self._taking = False

    def _reply(self, answer: dict[str, Any]) -> None:
        if self._wire.fileno() < 0:
            return  # who asked has gone
        self._outgoing += json.dumps(answer).encode() + b"\n"
        self._busy = False
        try:
            self._send()
        except OSError:
            self._close()
            return
        self._next()

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._outgoing:
                del self._outgoing[: self._wire.send(self._outgoing)]
        writing = selectors.EVENT_WRITE if self._outgoing else 0
        self._loop.watch(self._wire.fileno(), self._ready, selectors.EVENT_READ | writing)

    def _close(self) -> None:
        if self._wire.fileno() >= 0:
            self._loop.forget(self._wire.fileno())
            self._wire.close()
        self._on_close(self)


def parse(line: bytes) -> Question:
    """The question of a line; an empty one if it is none."""
    try:
        question = json.loads(line)
    except ValueError:
        return {}
    return question if isinstance(question, dict) else {}


def listen_at(path: Path) -> socket.socket:
    """A listening Unix socket that takes the place of whatever had this path, in one step."""
    aside = path.with_name(f"{os.getpid()}.new")
    aside.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(aside))
    listener.listen(128)
    listener.setblocking(False)
    os.replace(aside, path)
    return listener


def ask(path: Path, question: Question, limit: float) -> list[int]:
    """The descriptors that come with the answer to one question; waits for it.

    Raises OSError where nobody answers in time.
    """
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(limit)
        wire.connect(str(path))
        wire.sendall(json.dumps(question).encode() + b"\n")
        _, fds, _, _ = socket.recv_fds(wire, 1 << 16, 4)
        return list(fds)
