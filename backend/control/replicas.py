"""The replicas of this host: started, adopted, drained; each watched until its process is gone."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update

from cellship.backend.compute.jobs import Worker
from cellship.backend.compute.process import ProcessProvider, ReplicaPlan
from cellship.backend.control.log_folders import note_owner, prune
from cellship.backend.control.replica_link import ReplicaLink, WrongReplica, connect
from cellship.backend.data_folder import DataFolder
from cellship.backend.lines import NobodyAnswers
from cellship.backend.state.database import Database
from cellship.backend.state.tables import ReplicaRow

START_LIMIT = 300.0
DRAIN_LIMIT = 90.0
CONNECT_PAUSE = 0.005
STARTING, READY, DRAINING, ENDED = "starting", "ready", "draining", "ended"


class StartFailed(Exception):
    """A replica ended, or gave up, before it was ready. `str()` is a sentence for the user."""


class PoolAway(Exception):
    """Nobody is there who could start a replica; says nothing about the version."""


@dataclass(frozen=True)
class VersionToRun:
    """What a replica of one version is made of."""

    name: str
    version: int
    digest: str
    snapshot: Path
    worker: Worker
    settings: dict[str, Any]


@dataclass
class Replica:
    """One worker process as the control plane sees it."""

    id: str
    name: str
    version: int
    digest: str
    socket: Path
    state: str = STARTING
    link: ReplicaLink | None = None
    watcher: asyncio.Task[None] | None = field(default=None, repr=False)


class Replicas:
    """All replicas that are believed to run.

    `on_end(replica, crashed)` is called when one is gone; `crashed` is false for those asked to.
    """

    def __init__(
        self, data: DataFolder, sockets: Path, database: Database, provider: ProcessProvider
    ) -> None:
        self._data = data
        self._sockets = sockets
        self._database = database
        self._provider = provider
        self._replicas: dict[str, Replica] = {}
        self.on_end: Callable[[Replica, bool], None] = lambda replica, crashed: None
        self.on_ready: Callable[[Replica], None] = lambda replica: None

    def of(self, name: str, version: int | None = None) -> Iterator[Replica]:
        """The replicas of a deployment, or of one of its versions."""
        for replica in list(self._replicas.values()):
            if replica.name == name and version in (None, replica.version):
                yield replica

    def prune(self, keep: int) -> None:
        """Forget all but the newest replicas of each version that have ended, logs included."""
        gone = prune(self._data.logs, self._replicas.keys(), keep)
        with self._database.session() as session:
            session.execute(delete(ReplicaRow).where(ReplicaRow.id.in_(gone)))

    def find(self, replica: str) -> Replica | None:
        return self._replicas.get(replica)

    def ready(self, name: str, version: int) -> list[Replica]:
        return [replica for replica in self.of(name, version) if replica.state == READY]

    async def start(self, what: VersionToRun) -> Replica:
        """Start a replica and wait until it is ready. Raises StartFailed, PoolAway."""
        replica = self._new(what)
        try:
            await self._spawn(replica, what)
            replica.link = await self._connect(replica)
            await self._wait_ready(replica, replica.link)
        except BaseException:
            await self._give_up(replica)
            raise
        self._now_ready(replica)
        return replica

    async def adopt(self) -> None:
        """Find again what ran before this control plane started; end what nobody knows."""
        for row in await asyncio.to_thread(self._unended):
            replica = Replica(row.id, row.name, row.version, row.digest, Path(row.socket))
            try:
                replica.link = await connect(replica.socket, replica.id, replica.digest)
            except (OSError, WrongReplica):
                await self._give_up(replica)
                continue
            self._replicas[replica.id] = replica
            if replica.link.ready.is_set():
                self._now_ready(replica)
            else:  # it may load for minutes, and the service must not wait for it
                replica.watcher = asyncio.create_task(self._go_on_starting(replica, replica.link))
        with suppress(NobodyAnswers):
            for unknown in await self._provider.poll() - set(self._replicas):
                await self._provider.stop(unknown, signal.SIGKILL)

    async def _go_on_starting(self, replica: Replica, link: ReplicaLink) -> None:
        try:
            await self._wait_ready(replica, link)
        except StartFailed:
            await self._give_up(replica)
            self.on_end(replica, True)  # a new start will say why
            return
        self._now_ready(replica)
        self.on_ready(replica)

    def _now_ready(self, replica: Replica) -> None:
        replica.state = READY
        replica.watcher = asyncio.create_task(self._watch(replica))

    async def drain(self, replica: Replica, in_flight: Callable[[str], Any]) -> None:
        """Let a replica that has left the routes finish its calls, then end it."""
        if replica.state == DRAINING:
            return
        replica.state = DRAINING
        deadline = asyncio.get_running_loop().time() + DRAIN_LIMIT
        while await in_flight(replica.id) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        await self.stop(replica)

    async def stop(self, replica: Replica) -> None:
        """End a replica: by its own means first, by SIGKILL if it does not listen."""
        replica.state = DRAINING
        if replica.link is None:
            await self._give_up(replica)
            return
        replica.link.shut_down()
        try:
            await asyncio.wait_for(replica.link.ended.wait(), 10)
        except asyncio.TimeoutError:
            await self._kill(replica.id)

    async def kill(self, replica: Replica) -> None:
        """End a replica at once: it hangs."""
        await self._kill(replica.id)

    async def leave(self) -> None:
        """Forget everything and let it run: the control plane ends, the replicas do not."""
        for replica in self._replicas.values():
            if replica.watcher is not None:
                replica.watcher.cancel()
            if replica.link is not None:
                await replica.link.close()

    def _new(self, what: VersionToRun) -> Replica:
        name = f"r{secrets.token_hex(6)}"
        replica = Replica(
            name, what.name, what.version, what.digest, self._sockets / f"{name}.sock"
        )
        self._replicas[name] = replica
        return replica

    async def _spawn(self, replica: Replica, what: VersionToRun) -> None:
        folder = self._data.replicas / replica.id
        job = {
            "snapshot": str(what.snapshot),
            "work": str(folder / "work"),
            "home": str(folder / "home"),
            "tmp": str(folder / "tmp"),
            "env": {**(what.settings.get("env") or {}), **identity_of(replica)},
            "replica": replica.id,
            "deployment": what.name,
            "version": what.version,
            "digest": what.digest,
            "socket": str(replica.socket),
            "logs": str(self._data.logs / replica.id),
            "settings": what.settings,
        }
        # the row comes first: whatever is started afterwards can be found again
        await asyncio.to_thread(self._insert, replica)
        plan = ReplicaPlan(replica.id, what.worker, job, folder)
        try:
            started = await self._provider.start(plan)
        except NobodyAnswers as error:
            raise PoolAway(str(error)) from error
        except OSError as error:
            raise StartFailed(f"The worker could not be started: {error}.") from error
        await asyncio.to_thread(self._change, replica.id, pid=started.pid)

    async def _connect(self, replica: Replica) -> ReplicaLink:
        attempts = 0
        deadline = asyncio.get_running_loop().time() + START_LIMIT
        while asyncio.get_running_loop().time() < deadline:
            try:
                return await connect(replica.socket, replica.id, replica.digest)
            except OSError:
                attempts += 1
            if attempts % 50 == 0 and not await self._runs(replica):
                raise StartFailed(await self._why_ended(replica))
            await asyncio.sleep(CONNECT_PAUSE)
        raise StartFailed(f"It opened no socket within {START_LIMIT:.0f} s.")

    async def _runs(self, replica: Replica) -> bool:
        try:
            return replica.id in await self._provider.poll()
        except NobodyAnswers as error:
            raise PoolAway(str(error)) from error

    async def _wait_ready(self, replica: Replica, link: ReplicaLink) -> None:
        ready = asyncio.create_task(link.ready.wait())
        ended = asyncio.create_task(link.ended.wait())
        done, _ = await asyncio.wait(
            {ready, ended}, timeout=START_LIMIT, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        ended.cancel()
        if ready in done:
            return
        if link.failure is not None:
            raise StartFailed(str(link.failure["message"]))
        if not done:
            raise StartFailed(f"It was not ready after {START_LIMIT:.0f} s.")
        raise StartFailed(await self._why_ended(replica))

    async def _why_ended(self, replica: Replica) -> str:
        try:
            end = await self._provider.exit_of(replica.id, 5.0)
        except NobodyAnswers:
            end = None
        return describe_exit(end)

    async def _watch(self, replica: Replica) -> None:
        assert replica.link is not None
        await replica.link.ended.wait()
        crashed = replica.state != DRAINING
        replica.state = ENDED
        reason = await self._why_ended(replica)
        await self._kill(replica.id)  # its code may have closed the socket and gone on
        await self._forget(replica, reason)
        self.on_end(replica, crashed)

    async def _give_up(self, replica: Replica) -> None:
        if replica.link is not None:
            await replica.link.close()
        await self._kill(replica.id)
        await self._forget(replica, "did not become ready")

    async def _kill(self, replica: str) -> None:
        with suppress(NobodyAnswers):
            await self._provider.stop(replica, signal.SIGKILL)

    async def _forget(self, replica: Replica, reason: str) -> None:
        replica.state = ENDED
        self._replicas.pop(replica.id, None)
        replica.socket.unlink(missing_ok=True)
        now = datetime.now(timezone.utc)
        await asyncio.to_thread(self._change, replica.id, ended=now, reason=reason)
        folder = self._data.replicas / replica.id
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _insert(self, replica: Replica) -> None:
        note_owner(self._data.logs / replica.id, replica.id, replica.name, replica.version)
        with self._database.session() as session:
            session.add(
                ReplicaRow(
                    id=replica.id,
                    name=replica.name,
                    version=replica.version,
                    digest=replica.digest,
                    socket=str(replica.socket),
                    pid=0,
                    started=datetime.now(timezone.utc),
                )
            )

    def _change(self, replica: str, **values: Any) -> None:
        with self._database.session() as session:
            session.execute(update(ReplicaRow).where(ReplicaRow.id == replica).values(**values))

    def _unended(self) -> list[ReplicaRow]:
        with self._database.session() as session:
            return list(session.scalars(select(ReplicaRow).where(ReplicaRow.ended.is_(None))))


def describe_exit(end: dict[str, Any] | None) -> str:
    """A sentence about a line of exits.jsonl."""
    if end is None:
        return "The worker ended; why is not known."
    if end.get("out_of_memory"):
        return "The worker was killed because memory ran out."
    if end.get("signal"):
        return f"The worker was killed by {signal.Signals(end['signal']).name}."
    if end.get("code") is None:
        return "The worker ended while the service was away."
    return f"The worker exited with code {end['code']}."


def identity_of(replica: Replica) -> dict[str, str]:
    """What a worker's own code can read about itself (DESIGN.md 12)."""
    return {
        "CELLSHIP_DEPLOYMENT": replica.name,
        "CELLSHIP_VERSION": str(replica.version),
        "CELLSHIP_REPLICA": replica.id,
    }
