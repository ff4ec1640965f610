"""The control plane's own connection to a replica: who it is, when it is ready, when it is gone."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from cellship.backend.worker.frames import BadFrame, Kind, Parser, frame


class WrongReplica(Exception):
    """Something else answers on the socket."""


class ReplicaLink:
    """Open with `connect`. `ready` and `ended` are futures that others may wait for.

    `ended` is set when the connection closes, which for a worker means that its process is gone.
    """

    def __init__(
        self, hello: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.hello = hello
        self.failure: dict[str, Any] | None = None
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self._writer = writer
        self._parser = Parser()
        self._task = asyncio.create_task(self._listen(reader))
        if hello["state"] == "ready":
            self.ready.set()

    def shut_down(self) -> None:
        """Ask the replica to finish its calls and exit."""
        with suppress(ConnectionError, RuntimeError):
            self._writer.write(frame(Kind.SHUTDOWN, 0))

    async def close(self) -> None:
        """Leave the replica as it is, and forget it."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(65536):
                for kind, _, stream, payload in self._parser.feed(data):
                    self._hear(kind, stream, payload)
        except (OSError, BadFrame):
            pass
        finally:
            self.ended.set()

    def _hear(self, kind: int, stream: int, payload: bytes) -> None:
        if kind == Kind.READY:
            self.ready.set()
        elif kind == Kind.FAIL and stream == 0:
            self.failure = json.loads(payload)["error"]


async def connect(socket: Path, replica: str, digest: str) -> ReplicaLink:
    """Connect and check the HELLO. Raises OSError where nobody listens (yet), WrongReplica."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        hello = await asyncio.wait_for(first_frame(reader), 10)
    except (asyncio.IncompleteReadError, asyncio.TimeoutError, BadFrame) as error:
        writer.close()
        raise ConnectionError(f"no hello from {replica}") from error
    if hello["replica"] != replica or hello["snapshot"] != digest:
        writer.close()
        raise WrongReplica(f"{socket.name} is {hello['replica']}, not {replica}")
    return ReplicaLink(hello, reader, writer)


async def first_frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    length = await reader.readexactly(4)
    rest = await reader.readexactly(int.from_bytes(length, "big"))
    [(kind, _, _, payload)] = Parser().feed(length + rest)
    if kind != Kind.HELLO:
        raise BadFrame("the first frame is not HELLO")
    hello: dict[str, Any] = json.loads(payload)
    return hello
