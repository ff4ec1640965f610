"""The control plane put together: one object that the API's routers speak to."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import uuid
from datetime import datetime, timezone
from importlib.metadata import version as installed
from typing import Any

from cellship.backend.compute.jobs import run_job
from cellship.backend.compute.process import ProcessProvider
from cellship.backend.control.deploys import Deploys
from cellship.backend.control.events import Event, Events
from cellship.backend.control.hung import Hung
from cellship.backend.control.loops import forever
from cellship.backend.control.operations import Operations
from cellship.backend.control.reconciler import Reconciler
from cellship.backend.control.replicas import Replicas
from cellship.backend.control.routes import Routes
from cellship.backend.control.runnable import Runnables
from cellship.backend.control.starts import Starts
from cellship.backend.control.views import Views
from cellship.backend.data_folder import DataFolder
from cellship.backend.launch import ask_supervisor
from cellship.backend.protocol import PROTOCOL
from cellship.backend.state.database import Database, open_database
from cellship.backend.store.store import Store
from cellship.backend.supervise.sockets import sockets_folder
from cellship.backend.workspace.repository import Workspace

LOG = logging.getLogger("cellship.control")
EXEC_LIMIT = 600.0
HOUSE_PAUSE = 600.0
KEPT_REPLICAS = 20  # with their logs, of each version, beside those that run
ISOLATION = "isolated packages; not a security boundary"


class Service:
    """Built once per process; `start` adopts what runs, `close` leaves it running."""

    def __init__(self, data: DataFolder) -> None:
        self.data = data
        self.started = datetime.now(timezone.utc)
        sockets = sockets_folder(data.root)
        self._database: Database = open_database(data.database)
        self.store = Store(data.root)
        self.workspace = Workspace(data.workspace)
        self.events = Events(self._database)
        starts = Starts(self._database)
        self._replicas = Replicas(
            data, sockets, self._database, ProcessProvider(sockets / "supervisor.sock")
        )
        self.routes = Routes(data, sockets / "gateway.sock")
        self._runnables = Runnables(data, self.workspace, self.store)
        self._reconciler = Reconciler(
            self.workspace, starts, self._replicas, self.routes, self._runnables, self.events
        )
        self.views = Views(
            data, self.workspace, starts, self._replicas, self.routes, self._reconciler
        )
        self.deploys = Deploys(
            data,
            self.store,
            self.workspace,
            self._runnables,
            self._reconciler,
            starts,
            self.events,
            self.views,
        )
        self.operations = Operations(
            self.workspace, starts, self.routes, self._reconciler, self.events, self.views
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Mend what a crash left, adopt what runs, and begin to look after it."""
        await asyncio.to_thread(self._recover)
        self.routes.load()
        await self._replicas.adopt()
        self._tasks = [
            asyncio.create_task(self._reconciler.run()),
            asyncio.create_task(Hung(self.routes, self._replicas, self.events).run()),
            asyncio.create_task(forever(self._keep_house, HOUSE_PAUSE)),
        ]

    async def close(self) -> None:
        """End the control plane; replicas and gateway go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reconciler.close()
        await self._replicas.leave()
        await asyncio.to_thread(self._database.close)

    def status(self) -> dict[str, Any]:
        return {
            "version": installed("cellship"),
            "protocol": PROTOCOL,
            "data": str(self.data.root),
            "gateway": f"http://127.0.0.1:{self.data.gateway_port}",
            "address": f"http://127.0.0.1:{self.data.api_port}",
            "started": self.started.isoformat(),
            "deployments": len(self.workspace.deployments()),
            "isolation": ISOLATION,
            "supervisor": ask_supervisor(self.data, {"do": "ping"}, 2.0) is not None,
            "disk_free": shutil.disk_usage(self.data.root).free,
        }

    async def wait_version(self, name: str, which: str, wait: float) -> dict[str, Any]:
        """A version, once it no longer starts or `wait` seconds are over."""
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            changed = self._reconciler.changed(name)
            found = await asyncio.to_thread(self.views.version, name, which)
            left = deadline - asyncio.get_running_loop().time()
            if found["state"] != "starting" or left <= 0:
                return found
            try:
                await asyncio.wait_for(changed.wait(), left)
            except asyncio.TimeoutError:
                return await asyncio.to_thread(self.views.version, name, which)

    async def execute(
        self, name: str, which: str | None, expression: str, author: str
    ) -> dict[str, Any]:
        """Python over all names of a snapshot, in a clean worker that sees no traffic."""
        record = await asyncio.to_thread(self.views.record_or_default, name, which)
        what = await asyncio.to_thread(self._runnables.of, name, record)
        event = Event("executed", name, record.number, author)
        await asyncio.to_thread(self.events.record, event)
        job = {
            "snapshot": str(what.snapshot),
            "expression": expression,
            "env": what.settings.get("env") or {},
            "settings": what.settings,
        }
        scratch = self.data.replicas / f"exec-{uuid.uuid4().hex[:12]}"
        end = await run_job(what.worker, "exec", job, scratch, EXEC_LIMIT)
        if end.result is None:
            why = "it took too long" if end.timed_out else f"exit code {end.code}"
            return {
                "ok": False,
                "error": f"The worker ended without an answer: {why}.",
                "traceback": "",
                "output": end.output,
            }
        return {**end.result, "output": end.output}

    async def counts(self, name: str) -> dict[str, Any]:
        """Requests per second and version of the last two minutes."""
        await asyncio.to_thread(self.views.require, name)
        answer = await self.routes.counts()
        rows = [
            [second, version, asked, wrong]
            for second, of, version, asked, wrong in answer["seconds"]
            if of == name
        ]
        return {"now": answer["now"], "seconds": rows}

    def _recover(self) -> None:
        """What a kill between two steps can leave: half-written folders that nobody will finish."""
        self.store.recover()
        if not self.data.workspace.exists():
            LOG.info("making the workspace")
        self.workspace.create()
        for leftover in [
            *self.data.snapshots.glob(".*"),
            *self.data.replicas.glob("admit-*"),
            *self.data.replicas.glob("exec-*"),
        ]:
            shutil.rmtree(leftover, ignore_errors=True)

    async def _keep_house(self) -> None:
        """Drop leases that nobody came back for, and what crash loops pile up."""
        await asyncio.to_thread(self.store.expire, time.time())
        await asyncio.to_thread(self._replicas.prune, KEPT_REPLICAS)
