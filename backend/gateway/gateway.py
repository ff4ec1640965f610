"""The gateway: takes the calls of all connections, and watches over what takes too long."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import sys
import time
import traceback
from itertools import count
from pathlib import Path
from typing import Protocol

from cellship.backend.gateway import pages
from cellship.backend.gateway.access_log import AccessLog
from cellship.backend.gateway.answers import refusal
from cellship.backend.gateway.call import Call
from cellship.backend.gateway.counts import Counts
from cellship.backend.gateway.http import HttpConnection
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.routing import Routing
from cellship.backend.gateway.switch import Switch
from cellship.backend.gateway.table import EMPTY

SWEEP = 0.1
SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


class Connection(Protocol):
    """A caller's connection, to the watch over time."""

    def check(self, now: float) -> None: ...

    def drain(self, at_once: bool) -> None: ...


class Gateway:
    """One per process; everything happens in one event loop."""

    def __init__(self, data: Path, limits: Limits) -> None:
        self.limits = limits
        self.log = AccessLog(data / "logs" / "gateway", limits)
        self.counts = Counts()
        self.draining = False
        self.drained = asyncio.Event()
        self.hosts: frozenset[bytes] = frozenset()
        self._own_hosts = self.hosts  # as long as no table names any
        self.max_body = EMPTY.max_body
        self.held = 0
        self.listener: socket.socket | None = None
        self._routing = Routing(EMPTY, {})
        self._targets = self._routing.targets
        self.switch = Switch(
            data / "run" / "routes.json", limits, self.counts, self._switched, self.take
        )
        self._connections: set[Connection] = set()
        self._server: asyncio.AbstractServer | None = None
        self._id_prefix = secrets.token_hex(4).encode()
        self._id_count = count(1)
        self._loop = asyncio.get_running_loop()
        self._sweeping = False

    # ------------------------------------------------------------------ calls

    def take(self, call: Call) -> None:
        """Answer the call, or have it answered by a replica."""
        try:
            target = self._targets.get(call.path) or self._routing.find(call.path)
            if target.page or call.verb != b"POST":
                pages.answer_page(call, target)
                return
            call.version = version = target.deployment.pick(target.version)
            call.method = method = target.method_of(version)
            call.body = method.check(call.body, target.hint)
            version.submit(call)
        except Problem as problem:
            self._refuse(call, problem)
        except Exception:  # a defect of ours must not leave a caller without an answer
            traceback.print_exc(file=sys.stderr)
            self._refuse(call, fault())

    def abandon(self, call: Call) -> None:
        """Who asked has gone. (The log calls that 499, as nginx does; nobody is sent it.)"""
        call.caller = None
        self.log.add(call, 499, 0)
        if call.link is not None:
            call.link.cancel(call)
        elif call.version is not None and call in call.version.waiting:
            call.version.waiting.remove(call)

    def request_id(self, given: bytes | None) -> bytes:
        """The one that came with the request, if it is sane; a new one otherwise."""
        if given is not None and SANE_ID.fullmatch(given):
            return given
        return b"%b-%x" % (self._id_prefix, next(self._id_count))

    def _refuse(self, call: Call, problem: Problem) -> None:
        if call.version is not None:
            call.version.refuse(call, problem)
        elif call.caller is not None:
            call.caller.answered(call, problem.status, refusal(call, problem))

    def _switched(self, routing: Routing) -> None:
        self._routing = routing
        self._targets = routing.targets
        self.hosts = routing.table.hosts or self._own_hosts
        self.max_body = routing.table.max_body

    # ------------------------------------------------------------ connections

    async def serve(self, listener: socket.socket) -> None:
        """Accept requests from now on."""
        listener.setblocking(False)
        self.listener = listener
        port = listener.getsockname()[1]
        self._own_hosts = frozenset((b"127.0.0.1:%d" % port, b"localhost:%d" % port))
        self.hosts = self.hosts or self._own_hosts
        self._server = await self._loop.create_server(
            lambda: HttpConnection(self), sock=listener.dup()
        )

    def connected(self, connection: Connection) -> bool:
        """Whether there is room for one more connection."""
        if len(self._connections) >= self.limits.connections:
            return False
        self._connections.add(connection)
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP, self._sweep)
        return True

    def disconnected(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self.draining and not self._connections:
            self.drained.set()

    def drain(self, *, patience: float) -> None:
        """Accept nothing more; connections end with their next answer, idle ones after a while."""
        if not self.draining:
            self.draining = True
            if self._server is not None:
                self._server.close()
            self._loop.call_later(self.limits.drain, self.drained.set)
        self._loop.call_later(patience, self._end_idle)
        for connection in list(self._connections):
            connection.drain(at_once=False)
        if not self._connections:
            self.drained.set()

    def _end_idle(self) -> None:
        for connection in list(self._connections):
            connection.drain(at_once=True)

    # ------------------------------------------------------------------- time

    def _sweep(self) -> None:
        now = time.monotonic()
        busy = False
        for link in self.switch.links():
            busy = busy or bool(link.running)
            for call in link.overdue(now):
                if call.caller is not None:
                    link.version.too_late(call)
                    link.cancel(call)
        for version in self.switch.versions():
            version.give_up_waiting(now - self.limits.unready)
        for connection in list(self._connections):
            connection.check(now)
        self.counts.turn(time.time())
        self._sweeping = busy or bool(self._connections)
        if self._sweeping:
            self._loop.call_later(SWEEP, self._sweep)

    def hung(self) -> dict[str, dict[str, object]]:
        """Replicas with calls that have outlived their timeout and not ended."""
        now = time.monotonic()
        found = {}
        for link in self.switch.links():
            late = link.overdue(now)
            if late:
                calls = [call.request_id.decode() for call in late]
                found[link.id] = {"seconds": round(now - late[0].sent, 3), "calls": calls}
        return found

    def in_flight(self) -> dict[str, int]:
        """Calls that each replica has not answered yet, those that nobody waits for included."""
        return {link.id: len(link.running) for link in self.switch.links()}

    def close(self) -> None:
        self.switch.close()
        self.log.close()


def fault() -> Problem:
    return Problem(500, "gateway.fault", "The gateway failed on this request.", "A defect of ours.")
