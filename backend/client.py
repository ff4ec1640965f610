"""Typed client of the HTTP API: each answer a frozen dataclass, each error a CellshipError."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cellship.backend.client_answers import (
    Answer,
    Committed,
    Counts,
    Deployment,
    Difference,
    Evaluated,
    Json,
    Lease,
    LogPage,
    Moved,
    Same,
    Status,
    Version,
    build,
)
from cellship.backend.client_wire import MOVED, SLOW, Wire
from cellship.backend.locate import Connection, connection, data_folder
from cellship.backend.protocol import PROTOCOL
from cellship.snapshot.errors import CellshipError, NoBackend, Refused


class Client:
    """One service. Two threads use it at once only to drop a lease after an interrupt."""

    def __init__(self, found: Connection) -> None:
        self.connection = found
        self._wire = Wire(found)

    @classmethod
    def find(cls, option: Path | None = None) -> Client:
        """The service that `option`, the environment or the configuration names, or NoBackend."""
        return cls(connection(option))

    # service

    def status(self) -> Status:
        return self._get(Status, "/status")

    def check_protocol(self) -> Status:
        """The service's status. Raises Refused where the two do not understand each other."""
        found = self.status()
        if found.protocol != PROTOCOL:
            raise Refused(
                f"This cellship speaks protocol {PROTOCOL}, the service ({found.version}) speaks "
                f"{found.protocol}.",
                code="client.protocol",
                hint="%pip install -U cellship here, or cellship down and up with the newer one",
            )
        return found

    # leases

    def open_lease(
        self, name: str, digest: str, settings: Json, blobs: Mapping[str, int], trees: Iterable[str]
    ) -> Same | Lease:
        """Where to put what the store lacks; Same if there is nothing to ship."""
        wanted = [{"digest": blob, "size": size} for blob, size in blobs.items()]
        body = {"name": name, "digest": digest, "settings": settings, "blobs": wanted}
        body |= {"trees": list(trees), "lease": uuid.uuid4().hex}
        answer = self._wire.ask("POST", "/leases", body, ships=True)
        if answer.get("same"):
            return build(Same, answer["same"])
        missing = answer["missing"]
        return Lease(
            answer["lease"],
            Path(answer["folder"]),
            frozenset(missing["blobs"]),
            frozenset(missing["trees"]),
        )

    def admit(self, lease: str, body: Json) -> Json:
        """Run the worker's verb `admit` on what the lease holds; its report and `bytes_moved`."""
        report: Json = self._wire.ask("POST", f"/leases/{lease}/admit", body, SLOW, ships=True)
        return report

    def commit(self, lease: str, body: Json) -> Committed:
        """Make the version. Raises CaptureRefused where its files may not enter git."""
        return build(
            Committed, self._wire.ask("POST", f"/leases/{lease}/versions", body, SLOW, ships=True)
        )

    def drop_lease(self, lease: str) -> None:
        self._wire.ask("DELETE", f"/leases/{lease}")

    # deployments

    def deployments(self) -> list[Deployment]:
        return self._list(Deployment, "/deployments")

    def deployment(self, name: str) -> Deployment:
        return self._get(Deployment, deployment_path(name))

    def versions(self, name: str) -> list[Version]:
        return self._list(Version, deployment_path(name, "versions"))

    def version(self, name: str, which: str, wait: float = 0) -> Version:
        """`which`: `7`, `live`, `previous`, `latest`. Waits up to `wait` seconds for its start."""
        path = deployment_path(name, "versions", which)
        return build(Version, self._wire.ask("GET", path, query={"wait": wait} if wait else {}))

    def delete(self, name: str, author: str) -> None:
        self._wire.ask("DELETE", deployment_path(name), limit=SLOW, query={"author": author})

    def delete_version(self, name: str, which: str, author: str) -> None:
        """Discard a candidate that waits."""
        path = deployment_path(name, "versions", which)
        self._wire.ask("DELETE", path, query={"author": author})

    def rollback(self, name: str, to: str | None, because: str, author: str) -> Moved:
        return self._move(name, "rollback", {"to": to, "because": because, "author": author})

    def promote(self, name: str, version: str, author: str) -> Moved:
        return self._move(name, "promote", {"version": version, "author": author})

    def traffic(self, name: str, shares: Mapping[str, int], author: str) -> Moved:
        return self._move(name, "traffic", {"traffic": dict(shares), "author": author})

    def pause(self, name: str, because: str, author: str) -> Moved:
        return self._move(name, "pause", {"because": because, "author": author})

    def scale(self, name: str, replicas: int, author: str) -> Moved:
        """How many replicas the deployment has: 0 or 1."""
        return self._move(name, "replicas", {"replicas": replicas, "author": author})

    def resume(self, name: str, author: str) -> Moved:
        return self._move(name, "resume", {"author": author})

    def evaluate(
        self, name: str, version: str | None, expression: str, author: str = ""
    ) -> Evaluated:
        """Python over all names of the snapshot, in a clean worker."""
        body = {"version": version, "expression": expression, "author": author}
        return build(Evaluated, self._wire.ask("POST", deployment_path(name, "exec"), body, SLOW))

    def diff(self, name: str, old: str, new: str) -> Difference:
        query = {"from": old, "to": new}
        return build(Difference, self._wire.ask("GET", deployment_path(name, "diff"), query=query))

    def logs(
        self, name: str, *, version: str | None = None, after: Any = None, limit: int = 200
    ) -> LogPage:
        """The newest `limit` lines, or those after the cursor `after`."""
        query = {"version": version, "after": after, "limit": limit}
        return build(LogPage, self._wire.ask("GET", deployment_path(name, "logs"), query=query))

    def counts(self, name: str) -> Counts:
        answer = self._wire.ask("GET", deployment_path(name, "counts"))
        rows = tuple((t, version, asked, wrong) for t, version, asked, wrong in answer["seconds"])
        return Counts(answer["now"], rows)

    def events(self, name: str, limit: int = 100) -> list[Json]:
        found: list[Json] = self._wire.ask(
            "GET", deployment_path(name, "events"), query={"limit": limit}
        )
        return found

    # the wire

    def _get(self, kind: type[Answer], path: str) -> Answer:
        return build(kind, self._wire.ask("GET", path))

    def _list(self, kind: type[Answer], path: str) -> list[Answer]:
        return [build(kind, row) for row in self._wire.ask("GET", path)]

    def _move(self, name: str, verb: str, body: Json) -> Moved:
        return build(Moved, self._wire.ask("POST", deployment_path(name, verb), body, MOVED))


def connect_or_start(option: Path | None, say: Callable[[str], None]) -> Client:
    """The service, started on this machine if it does not run and is ours to start."""
    return running(option) or start(option, say)


def start(option: Path | None, say: Callable[[str], None]) -> Client:
    """Start the service of the data folder that `option` or the configuration names."""
    from cellship.backend.launch import (
        up,  # only whoever starts a service needs what starting needs
    )

    found = Client(up(data_folder(option), say))
    found.check_protocol()
    return found


def stop(option: Path | None) -> bool:
    """Stop the service of that data folder with all its replicas; whether anything ran."""
    from cellship.backend.launch import down

    return down(data_folder(option))


def folder_problem(option: Path | None) -> CellshipError | None:
    """Why the data folder cannot be used, if it cannot; one that is not there yet is no problem."""
    from cellship.backend.data_folder import open_data_folder, refuse_network

    folder = data_folder(option)
    try:
        open_data_folder(folder) if (folder / "data.json").exists() else refuse_network(folder)
    except CellshipError as problem:
        return problem
    return None


def running(option: Path | None) -> Client | None:
    """The service if it answers; None where `start` would help. One named by URL must answer.

    A service whose supervisor was killed goes on answering, and cannot start anything.
    """
    try:
        found = Client.find(option)
        status = found.check_protocol()
    except NoBackend:
        if is_remote(option):
            raise
        return None
    return found if status.supervisor or is_remote(option) else None


def is_remote(option: Path | None) -> bool:
    """Whether CELLSHIP_URL names the service, so that it is not ours to start."""
    return option is None and bool(os.environ.get("CELLSHIP_URL"))


def deployment_path(*parts: str) -> str:
    return "/deployments/" + "/".join(quote(part, safe="@") for part in parts)
