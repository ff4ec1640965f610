"""gateway.sock: questions of the control plane and of the supervisor, one JSON object per line."""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cellship.backend.gateway.gateway import Gateway
from cellship.backend.gateway.table import BadTable

PROTOCOL = 1
LONGEST_LINE = 1 << 20
PATIENCE = 5.0  # for the idle connections of a gateway that has a successor
LOOK = 0.05
LOOK_FOR_SUCCESSOR = 0.25

Question = dict[str, Any]
Answer = dict[str, Any]


class ControlSocket:
    """Serves `path`, which it takes over from whoever had it, in one step."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        self._gateway = gateway
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._server: asyncio.AbstractServer | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._verbs: dict[str, Callable[[Question], Awaitable[Answer]]] = {
            "ping": self._ping,
            "reload": self._reload,
            "in_flight": self._in_flight,
            "counts": self._counts,
            "hung": self._hung,
            "drain": self._drain,
        }

    async def start(self) -> None:
        aside = self._path.with_name(f"{os.getpid()}.gateway.new")
        aside.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(aside))
        listener.setblocking(False)
        self._server = await asyncio.start_unix_server(
            self._talk, sock=listener, limit=LONGEST_LINE
        )
        self._identity = identity(aside)
        os.replace(aside, self._path)
        self._watcher = asyncio.create_task(self._watch())

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        if self._watcher is not None:
            self._watcher.cancel()
        if identity(self._path) == self._identity:
            self._path.unlink(missing_ok=True)

    async def _watch(self) -> None:
        """Drain once a successor has put its own socket in our place."""
        while identity(self._path) in (self._identity, None):
            await asyncio.sleep(LOOK_FOR_SUCCESSOR)
        self._gateway.drain(patience=PATIENCE)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, ValueError, asyncio.LimitOverrunError):
            while line := await reader.readline():
                await self._answer(line, writer)
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            question = json.loads(line)
            name = question["do"]
        except (ValueError, TypeError, KeyError):
            question, name = {}, ""
        if name == "hand_over":
            await self._hand_over(writer)
            return
        verb = self._verbs.get(name)
        known = ", ".join([*self._verbs, "hand_over"])
        answer = await verb(question) if verb else {"ok": False, "message": f"It knows {known}."}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()

    async def _ping(self, question: Question) -> Answer:
        return {
            "ok": True,
            "pid": os.getpid(),
            "protocol": PROTOCOL,
            "draining": self._gateway.draining,
        }

    async def _reload(self, question: Question) -> Answer:
        switch = self._gateway.switch
        try:
            unready = await switch.reload()
        except BadTable as error:
            return {"ok": False, "generation": switch.generation, "message": str(error)}
        return {"ok": True, "generation": switch.generation, "unready": unready}

    async def _in_flight(self, question: Question) -> Answer:
        return {"replicas": self._gateway.in_flight()}

    async def _counts(self, question: Question) -> Answer:
        return self._gateway.counts.report()

    async def _hung(self, question: Question) -> Answer:
        """Replicas that hang; with `wait`, the answer comes when there is one, or after so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + float(question.get("wait") or 0)
        while not (hung := self._gateway.hung()) and loop.time() < deadline:
            await asyncio.sleep(LOOK)
        return {"replicas": hung}

    async def _drain(self, question: Question) -> Answer:
        self._gateway.drain(patience=float(question.get("patience", PATIENCE)))
        return {"ok": True}

    async def _hand_over(self, writer: asyncio.StreamWriter) -> None:
        """Give the listening socket to a successor; ours stays open until `drain`."""
        await writer.drain()
        listener = self._gateway.listener
        rights = [] if listener is None else [listener.fileno()]
        answer = json.dumps({"ok": bool(rights)}).encode() + b"\n"
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", rights))]
        with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as wire:
            wire.sendmsg([answer], ancillary if rights else [])


def identity(path: Path) -> tuple[int, int] | None:
    """Tells a file from one that took its place, even if that got the same inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
