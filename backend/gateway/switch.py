"""The table in effect and the links to its replicas: replaced in one step by `reload`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from cellship.backend.gateway.call import Call
from cellship.backend.gateway.counts import Counts
from cellship.backend.gateway.deployment import Deployment
from cellship.backend.gateway.limits import Limits
from cellship.backend.gateway.link import ReplicaLink
from cellship.backend.gateway.routing import Routing
from cellship.backend.gateway.schema import BadSchema, Method, load
from cellship.backend.gateway.table import (
    EMPTY,
    DeploymentEntry,
    ReplicaEntry,
    RouteTable,
    VersionEntry,
    read_table,
)
from cellship.backend.gateway.version import Version


class Switch:
    """`on_switch(routing)` is called when a table takes effect; `take` gets calls that waited."""

    def __init__(
        self,
        routes: Path,
        limits: Limits,
        counts: Counts,
        on_switch: Callable[[Routing], None],
        take: Callable[[Call], None],
    ) -> None:
        self._routes = routes
        self._limits = limits
        self._counts = counts
        self._on_switch = on_switch
        self._take = take
        self._lock = asyncio.Lock()
        self._links: dict[ReplicaEntry, ReplicaLink] = {}
        self._retired: set[ReplicaLink] = set()
        self._methods: dict[Path, Mapping[str, Method]] = {}
        self._routing = Routing(EMPTY, {})

    @property
    def generation(self) -> int:
        return self._routing.table.generation

    def links(self) -> Iterable[ReplicaLink]:
        """All that are connected or will be, and those that still have calls."""
        self._retired = {link for link in self._retired if link.running}
        return chain(self._links.values(), self._retired)

    def versions(self) -> Iterator[Version]:
        for deployment in self._routing.deployments.values():
            yield from deployment.versions.values()

    async def reload(self, patience: float | None = None) -> list[str]:
        """Put the table of the file into effect; ids of replicas that were not ready in time.

        The switch waits until each new replica is connected, was recognised and is ready, but no
        longer than `patience` (`limits.connect`). Raises BadTable, and then changes nothing.
        """
        async with self._lock:
            table = read_table(self._routes)
            routing = self._build(table)
            new = dict(self._wanted(routing))
            fresh = {
                entry: self._connect(entry, version)
                for entry, version in new.items()
                if entry not in self._links
            }
            limit = self._limits.connect if patience is None else patience
            unready = await self._wait_ready(fresh.values(), limit)
            self._put(routing, new, fresh)
            return unready

    def _build(self, table: RouteTable) -> Routing:
        known = self._methods
        self._methods = {}
        return Routing(
            table,
            {name: self._deployment(entry, known) for name, entry in table.deployments.items()},
        )

    def _deployment(self, entry: DeploymentEntry, known: Mapping[Path, Any]) -> Deployment:
        versions: dict[int, Version] = {}

        def queue_is_full() -> bool:
            return sum(len(one.waiting) for one in versions.values()) >= self._limits.queue

        for number, one in entry.versions.items():
            counter = self._counts.of(entry.name, number)
            methods = self._load(one, known)
            versions[number] = Version(entry.name, one, methods, counter, queue_is_full)
        return Deployment(entry, versions, self._counts.of(entry.name, None))

    def _load(self, entry: VersionEntry, known: Mapping[Path, Any]) -> Mapping[str, Method]:
        """The methods of a version; none if its schema cannot be read, which every call is told."""
        path = entry.schema
        if path not in self._methods:
            try:
                self._methods[path] = known.get(path) or load(path)
            except BadSchema as error:
                print(f"version {entry.number}: {error}", file=sys.stderr, flush=True)
                return {}
        return self._methods[path]

    def _wanted(self, routing: Routing) -> Iterator[tuple[ReplicaEntry, Version]]:
        for deployment in routing.deployments.values():
            for version in deployment.versions.values():
                for entry in version.entry.replicas:
                    yield entry, version

    def _connect(self, entry: ReplicaEntry, version: Version) -> ReplicaLink:
        link = ReplicaLink(entry, version, self._limits, self._take)
        link.start()
        return link

    async def _wait_ready(self, links: Iterable[ReplicaLink], limit: float) -> list[str]:
        waits = {asyncio.ensure_future(link.ready.wait()): link for link in links}
        if not waits:
            return []
        _, late = await asyncio.wait(waits, timeout=limit)
        for wait in late:
            wait.cancel()
        return [waits[wait].id for wait in late]

    def _put(
        self,
        routing: Routing,
        wanted: Mapping[ReplicaEntry, Version],
        fresh: Mapping[ReplicaEntry, ReplicaLink],
    ) -> None:
        """No request comes between the first line and the last."""
        waiting = sorted(
            chain.from_iterable(version.waiting for version in self.versions()),
            key=lambda call: call.taken,
        )
        before = self._links
        self._links = {entry: fresh.get(entry) or before[entry] for entry in wanted}
        for entry, version in wanted.items():
            self._links[entry].belongs_to(version)
            version.links.append(self._links[entry])
        self._routing = routing
        self._on_switch(routing)
        for entry in before.keys() - wanted.keys():
            self._retired.add(before[entry])
            before[entry].retire()
        for call in waiting:
            self._take(call)

    def close(self) -> None:
        for link in self.links():
            link.retire()
