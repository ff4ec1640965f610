"""From a lease to a version: accept the bytes, admit, commit."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cellship.backend.compute import snapshots
from cellship.backend.compute.jobs import JobEnd, run_job
from cellship.backend.control.events import Event, Events
from cellship.backend.control.reconciler import Reconciler
from cellship.backend.control.runnable import Runnables
from cellship.backend.control.starts import OK, Starts
from cellship.backend.control.views import Views
from cellship.backend.control.views import mark as as_dict
from cellship.backend.data_folder import DataFolder
from cellship.backend.store.errors import NoSuchLease
from cellship.backend.store.leases import Lease
from cellship.backend.store.plain import plain_files
from cellship.backend.store.store import Accepted, Store
from cellship.backend.workspace import traffic
from cellship.backend.workspace.names import version_name
from cellship.backend.workspace.repository import Workspace
from cellship.backend.workspace.settings import check
from cellship.snapshot.errors import Refused
from cellship.snapshot.identity import identity

ADMIT_LIMIT = 600.0
ADMITTED = "admitted.json"


class Deploys:
    """The only door in. A lease that is not committed leaves nothing that anybody sees."""

    def __init__(
        self,
        data: DataFolder,
        store: Store,
        workspace: Workspace,
        runnables: Runnables,
        reconciler: Reconciler,
        starts: Starts,
        events: Events,
        views: Views,
    ) -> None:
        self._data = data
        self._store = store
        self._workspace = workspace
        self._runnables = runnables
        self._reconciler = reconciler
        self._starts = starts
        self._events = events
        self._views = views
        self._checking: dict[str, asyncio.Task[JobEnd]] = {}
        self._committing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def open(
        self,
        name: str,
        digest: str,
        settings: Mapping[str, Any],
        blobs: Mapping[str, int],
        trees: list[str],
        lease: str | None = None,
    ) -> dict[str, Any]:
        """A lease and what the store lacks; or the version that holds just this already."""
        return await asyncio.to_thread(
            self._open, name, digest, check(settings), blobs, trees, lease
        )

    def _open(
        self,
        name: str,
        digest: str,
        settings: dict[str, Any],
        blobs: Mapping[str, int],
        trees: list[str],
        asked: str | None,
    ) -> dict[str, Any]:
        if (same := self._same(name, digest, settings)) is not None:
            return {"same": same, "lease": None}
        missing = self._store.missing(blobs, trees)
        announced = sum(blobs[digest] for digest in missing.blobs)
        lease = self._store.open_lease(announced, asked)
        return {
            "same": None,
            "lease": lease.id,
            "folder": str(lease.folder),
            "missing": {"blobs": list(missing.blobs), "trees": list(missing.trees)},
        }

    async def admit(
        self,
        lease: str,
        digest: str,
        settings: Mapping[str, Any],
        example_run: bool,
        tolerance: float | None,
    ) -> dict[str, Any]:
        """The worker's report on what the lease holds, and how many bytes were new."""
        settings = check(settings)
        found = await asyncio.to_thread(self._store.lease, lease)
        folder = found.folder / "snapshot"
        accepted = await asyncio.to_thread(self._accept, found, digest)
        worker = await asyncio.to_thread(self._runnables.worker, folder)
        job = {
            "snapshot": str(folder),
            "admit": str(found.folder / "admit"),
            "settings": settings,
            "env": settings.get("env") or {},
            "example_run": example_run,
            "tolerance": tolerance,
        }
        scratch = self._data.replicas / f"admit-{uuid.uuid4().hex[:12]}"
        end = await self._checked(lease, run_job(worker, "admit", job, scratch, ADMIT_LIMIT))
        report = end.result or died(end)
        if report["ok"]:
            noted = {"digest": digest, "settings": settings}
            await asyncio.to_thread(note_admitted, found, noted, report["schema"])
        return {**report, "bytes_moved": accepted.bytes_moved}

    async def commit(self, lease: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Make the version: it exists from the commit on. Repeating it makes no second one."""
        async with self._committing[asked["name"]]:
            answer = await asyncio.to_thread(self._commit, lease, asked)
        if answer["created"]:
            await self._reconciler.settle(answer["name"])
        return answer

    async def drop(self, lease: str) -> None:
        """End a lease, and the check that still runs for it."""
        if (checking := self._checking.get(lease)) is not None:
            checking.cancel()
        await asyncio.to_thread(self._drop, lease)

    async def _checked(self, lease: str, job: Coroutine[Any, Any, JobEnd]) -> JobEnd:
        """The end of a lease's check. Raises Refused where the lease is dropped meanwhile."""
        self._checking[lease] = checking = asyncio.create_task(job)
        try:
            await asyncio.wait({checking})
        finally:
            checking.cancel()
            self._checking.pop(lease, None)
        if checking.cancelled():
            raise Refused("The check was stopped: its lease was dropped.", code="store.no-lease")
        return checking.result()

    def _drop(self, lease: str) -> None:
        with suppress(NoSuchLease):
            self._store.drop(self._store.lease(lease))

    def _accept(self, lease: Lease, digest: str) -> Accepted:
        """Take the lease's bytes, and put its snapshot together."""
        folder = lease.folder / "snapshot"
        plain_files(folder)  # no link, no pipe: what follows reads what lies there
        snapshots.stage_large_graph(folder, lease.folder / "blobs")
        accepted = self._store.accept(lease)
        refuse_other_files(folder, digest)
        snapshots.complete(folder, self._store.blob)
        return accepted

    def _commit(self, lease: str, asked: dict[str, Any]) -> dict[str, Any]:
        name, digest, settings = asked["name"], asked["digest"], check(asked["settings"])
        if (made := self._made_of(name, lease)) is not None:  # the answer before was lost
            self._drop(lease)
            return self._made(name, made, digest, created=True)
        if (same := self._same(name, digest, settings)) is not None:
            self._drop(lease)
            return self._made(name, same["version"], digest, created=False)
        found = self._store.lease(lease)
        refuse_unadmitted(found, {"digest": digest, "settings": settings})
        folder = found.folder / "snapshot"
        refuse_other_files(folder, digest)  # user code has run beside it
        author = asked["author"] or "unknown"
        number = self._workspace.commit_version(
            name,
            folder,
            self._large_files(folder),
            settings,
            author,
            asked["message"],
            candidate=asked["candidate"],
            now=datetime.now(timezone.utc),
            replicas=asked["replicas"],
            how=asked["how"],
            notebook=asked["notebook"],
            cell=asked["cell"],
            bytes_moved=asked["bytes_moved"],
            digest=digest,
            lease=lease,
        )
        snapshots.keep(folder, self._data.snapshots, digest)
        if self._workspace.deployment(name).replicas_max == 0:
            self._starts.record(name, number, OK)
        self._events.record(
            Event("deployed", name, number, author, asked["message"], {"how": asked["how"]})
        )
        self._store.drop(found)
        return self._made(name, number, digest, created=True)

    def _made_of(self, name: str, lease: str) -> int | None:
        """The version that this lease became."""
        if name not in self._workspace.deployments():
            return None
        versions = self._workspace.versions(name)
        return next((version.number for version in versions if version.lease == lease), None)

    def _large_files(self, folder: Path) -> dict[str, tuple[str, int]]:
        """Path in the snapshot -> (SHA-256, size) of each file that git holds as a pointer."""
        return {
            path: (self._store.sha256(digest), self._store.blob(digest).stat().st_size)
            for path, digest in snapshots.large_files(folder)
        }

    def _same(self, name: str, digest: str, settings: dict[str, Any]) -> dict[str, Any] | None:
        """The version that a deploy of this would repeat, or that somebody rolled away from."""
        if name not in self._workspace.deployments():
            return None
        versions = tuple(self._workspace.versions(name))
        deployment = self._workspace.deployment(name)
        bad = traffic.equal_to_bad(deployment, versions, digest, settings)
        newest = traffic.equal_to_newest(
            deployment,
            versions,
            self._starts.results(name, [v.number for v in versions]),
            digest,
            settings,
        )
        if bad is None and newest is None:
            return None
        found = bad or newest
        assert found is not None
        mark = deployment.bad.get(found.number)
        return {
            "version": found.number,
            "url": self._views.url(name),
            "marked_bad": as_dict(mark),
        }

    def _made(self, name: str, number: int, digest: str, *, created: bool) -> dict[str, Any]:
        deployment = self._workspace.deployment(name)
        record = next(v for v in self._workspace.versions(name) if v.number == number)
        live = self._views.live_number(name)
        return {
            "name": name,
            "version": number,
            "digest": digest,
            "created": created,
            "candidate": record.candidate,
            "hold": as_dict(deployment.hold),
            "url": self._views.url(name),
            "previous": live if live != number else None,
            "label": version_name(name, number),
        }


def refuse_other_files(folder: Path, digest: str) -> None:
    if identity(folder) != digest:
        message = "The files in the lease are not those that were announced."
        raise Refused(message, code="snapshot.damaged", hint="Ship the cell again.")


def note_admitted(lease: Lease, noted: Mapping[str, Any], schema: dict[str, Any]) -> None:
    """The schema joins the snapshot; the note survives a restart of the control plane."""
    (lease.folder / "snapshot" / "schema.json").write_text(
        json.dumps(schema, indent=1, sort_keys=True) + "\n"
    )
    (lease.folder / ADMITTED).write_text(json.dumps(noted))


def refuse_unadmitted(lease: Lease, asked: Mapping[str, Any]) -> None:
    try:
        noted = json.loads((lease.folder / ADMITTED).read_text())
    except (OSError, ValueError):
        noted = None
    if noted != asked:
        raise Refused(
            "This snapshot was not admitted.",
            code="snapshot.not-admitted",
            hint="Ship the cell again.",
        )


def died(end: JobEnd) -> dict[str, Any]:
    """A report for a worker that ended without one."""
    if end.timed_out:
        message = f"The check took more than {ADMIT_LIMIT / 60:.0f} minutes and was stopped."
    elif end.code < 0:
        message = f"The check ended by signal {-end.code}: the code crashed its process."
    else:
        message = f"The check ended with code {end.code} and without a word."
    return {
        "ok": False,
        "problem": "raised",
        "message": message,
        "traceback": end.output,
        "where": "",
    }
