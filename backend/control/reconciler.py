"""Compares wanted with observed, deployment by deployment, and mends the difference.

Every step can be repeated: whatever was interrupted is found again by the next look. Starting a
replica takes a second, so it runs beside the reconciler, which stays quick enough for a rollback.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from cellship.backend.control.events import Event, Events
from cellship.backend.control.loops import forever
from cellship.backend.control.replicas import (
    READY,
    PoolAway,
    Replica,
    Replicas,
    StartFailed,
)
from cellship.backend.control.routes import DeploymentRoute, Routes, VersionRoute
from cellship.backend.control.runnable import Runnables
from cellship.backend.control.starts import FAILED, OK, PENDING, Starts
from cellship.backend.control.wanted import Wanted, wanted
from cellship.backend.workspace.repository import Workspace

LOG = logging.getLogger("cellship.control")
SWEEP = 10.0
RETRY = 0.2
POOL_PAUSE = 0.5
RESTART_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY = 60.0  # seconds after which an earlier crash no longer counts


@dataclass
class Restarts:
    """How often a version's replica ended lately, and so how long the next start waits."""

    count: int = 0
    last: float = -STEADY

    def pause(self, now: float) -> float:
        if now - self.last > STEADY:
            self.count = 0
        return RESTART_PAUSES[min(self.count, len(RESTART_PAUSES) - 1)]

    def note(self, now: float) -> None:
        self.count += 1
        self.last = now


@dataclass
class Reconciler:
    """One per control plane. `poke` is for those who changed something; `settle` also waits."""

    workspace: Workspace
    starts: Starts
    replicas: Replicas
    routes: Routes
    runnables: Runnables
    events: Events
    _locks: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    _starting: dict[tuple[str, int], asyncio.Task[None]] = field(default_factory=dict)
    _restarts: defaultdict[tuple[str, int], Restarts] = field(
        default_factory=lambda: defaultdict(Restarts)
    )
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _changed: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )

    async def run(self) -> None:
        """Look at everything now and then, until cancelled."""
        self.replicas.on_end = self._ended
        self.replicas.on_ready = lambda replica: self.poke(replica.name)
        await forever(self._look, SWEEP)

    async def _look(self) -> None:
        known = await asyncio.to_thread(self.workspace.deployments)
        for name in {*known, *self.routes.deployments}:
            await self._settle_safely(name)

    def poke(self, name: str) -> None:
        """Something changed: look at this deployment soon."""
        self._spawn(self._settle_safely(name))

    async def settle(self, name: str) -> None:
        """Mend what differs. Returns when the routes are in effect; starts go on beside."""
        async with self._locks[name]:
            await asyncio.to_thread(self._note_first_starts, name)
            found = await asyncio.to_thread(self._wanted, name)
            if found is None:
                await self._remove(name)
            else:
                await self._mend(name, found)
        changed = self._changed[name]
        self._changed[name] = asyncio.Event()
        changed.set()

    def changed(self, name: str) -> asyncio.Event:
        """Set when the deployment was looked at the next time."""
        return self._changed[name]

    def is_starting(self, name: str, version: int) -> bool:
        return (name, version) in self._starting

    def in_effect(self, name: str) -> bool:
        """Whether the gateway serves what git wants, by replicas that can answer. Blocking."""
        found = self._wanted(name)
        if not self.routes.in_effect:
            return False
        if found is None or dict(found.traffic) != self.routes.traffic(name):
            return found is None
        return all(self.replicas.ready(name, n) for n in set(found.traffic) & found.run)

    async def close(self) -> None:
        for task in [*self._tasks, *self._starting.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._starting.values(), return_exceptions=True)

    def _note_first_starts(self, name: str) -> None:
        """A replica that is ready proves its version, also one that was adopted."""
        for number in {replica.version for replica in self.replicas.of(name)}:
            pending = self.starts.result(name, number) == PENDING
            if pending and self.replicas.ready(name, number):
                self.starts.record(name, number, OK)

    def _wanted(self, name: str) -> Wanted | None:
        if name not in self.workspace.deployments():
            return None
        versions = tuple(self.workspace.versions(name))
        return wanted(
            self.workspace.deployment(name),
            versions,
            {version.number: self.starts.of(name, version.number) for version in versions},
            self.routes.traffic(name),
            datetime.now(timezone.utc),
        )

    async def _mend(self, name: str, found: Wanted) -> None:
        for number in found.run:
            if not any(self.replicas.of(name, number)) or self._only_draining(name, number):
                self._start(name, number, found)
        traffic = self._possible(name, found)
        if not await self.routes.put(
            name, await asyncio.to_thread(self._route, name, found, traffic)
        ):
            self._later(name, RETRY)
            return  # nobody is drained on the word of a table that is not in effect
        await asyncio.to_thread(self._note_traffic, name, found, traffic)
        for replica in self.replicas.of(name):
            if replica.version not in found.keep and replica.state == READY:
                self._spawn(self.replicas.drain(replica, self.routes.in_flight))

    async def _remove(self, name: str) -> None:
        if not await self.routes.put(name, None):
            self._later(name, RETRY)
            return
        for key, task in list(self._starting.items()):
            if key[0] == name:
                task.cancel()
        for replica in self.replicas.of(name):
            if replica.state == READY:
                self._spawn(self.replicas.drain(replica, self.routes.in_flight))
        await asyncio.to_thread(self.starts.forget, name)

    def _possible(self, name: str, found: Wanted) -> Mapping[int, int]:
        """The wanted traffic if all who should answer can, else what answered until now."""
        if found.deployment.paused or all(self.replicas.ready(name, n) for n in found.traffic):
            return found.traffic
        before = self.routes.traffic(name)
        known = {version.number for version in found.versions}
        if before and set(before) <= known and any(self.replicas.ready(name, n) for n in before):
            return before
        return found.traffic

    def _route(self, name: str, found: Wanted, traffic: Mapping[int, int]) -> DeploymentRoute:
        routes = {}
        for version in found.versions:
            stays = version.number in found.keep
            ready = self.replicas.ready(name, version.number) if stays else []
            if not ready and version.number not in traffic:
                continue
            routes[version.number] = VersionRoute(
                self.runnables.folder(version),
                version.digest,
                tuple((replica.id, replica.socket) for replica in ready),
                version.settings,
                "ready" if ready else "starting" if version.number in found.run else "stopped",
            )
        paused = found.deployment.paused
        return DeploymentRoute(
            traffic,
            routes,
            paused={"by": paused.by, "at": paused.at} if paused else None,
            no_answer=no_answer(name, found),
        )

    def _note_traffic(self, name: str, found: Wanted, traffic: Mapping[int, int]) -> None:
        now = datetime.now(timezone.utc)
        for version in found.versions:
            start = self.starts.of(name, version.number)
            if start is None:
                if found.deployment.replicas_max == 0:
                    self.starts.record(name, version.number, OK)  # admitted, which is all it needs
                continue
            answers = version.number in traffic
            if answers and (start.left_traffic is not None or not start.served):
                self.starts.record_served(name, version.number, None)
            elif not answers and start.served and start.left_traffic is None:
                self.starts.record_served(name, version.number, now)

    def _start(self, name: str, number: int, found: Wanted) -> None:
        key = (name, number)
        if key in self._starting:
            return
        task = asyncio.create_task(self._start_one(name, number, found))
        self._starting[key] = task
        task.add_done_callback(lambda _: self._start_done(key))

    def _start_done(self, key: tuple[str, int]) -> None:
        self._starting.pop(key, None)
        self.poke(key[0])

    async def _start_one(self, name: str, number: int, found: Wanted) -> None:
        restarts, clock = self._restarts[name, number], asyncio.get_running_loop().time
        await asyncio.sleep(restarts.pause(clock()))
        first = self.starts.result(name, number) == PENDING
        try:
            what = await asyncio.to_thread(self.runnables.of, name, found.record(number))
            replica = await self.replicas.start(what)
        except PoolAway as error:
            LOG.warning("%s@%d waits for the supervisor: %s", name, number, error)
            await asyncio.sleep(POOL_PAUSE)
            return
        except Exception as error:
            restarts.note(clock())
            if not isinstance(error, StartFailed):
                LOG.exception("%s@%d could not be started", name, number)
            await asyncio.to_thread(self._start_failed, name, number, str(error), first)
            return
        LOG.info("%s@%d is ready in replica %s", name, number, replica.id)
        await asyncio.to_thread(self.events.record, Event("started", name, number))

    def _start_failed(self, name: str, number: int, message: str, first: bool) -> None:
        lines = self.runnables.last_lines(name, number)
        self.events.record(Event("failed", name, number, message=message))
        if first:
            self.starts.record(name, number, FAILED, message, lines)

    def _ended(self, replica: Replica, crashed: bool) -> None:
        if crashed:
            self._restarts[replica.name, replica.version].note(asyncio.get_running_loop().time())
        self.poke(replica.name)

    def _only_draining(self, name: str, number: int) -> bool:
        return not any(
            replica.state in (READY, "starting") for replica in self.replicas.of(name, number)
        )

    async def _settle_safely(self, name: str) -> None:
        """A mistake in one deployment must not stop the others; it is tried again."""
        try:
            await self.settle(name)
        except Exception:
            LOG.exception("looking after %s failed", name)
            self._later(name, 1.0)

    def _later(self, name: str, pause: float) -> None:
        asyncio.get_running_loop().call_later(pause, self.poke, name)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def no_answer(name: str, found: Wanted) -> str:
    """What a caller reads where no replica can answer."""
    if found.deployment.replicas_max == 0:
        return (
            f"{name} has no replicas (it was shipped with --replicas 0); exec works, calls do not."
        )
    if found.traffic:
        return f"{name} has no replica that is ready; one is being started. Try again in a moment."
    if found.first:
        return f"{name} is starting for the first time; try again in a few seconds."
    return f"{name} has no version that started; its author sees why with: cellship versions {name}"
