"""The routing table as `run/routes.json` has it: what is to be answered, and by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
MAX_BODY = 100 * 1024 * 1024


class BadTable(ValueError):
    """The file is no table that this gateway understands."""


@dataclass(frozen=True)
class ReplicaEntry:
    id: str
    socket: str
    digest: str | None  # checked against the worker's HELLO where the table names it


@dataclass(frozen=True)
class VersionEntry:
    number: int
    schema: Path
    examples: Path
    replicas: tuple[ReplicaEntry, ...]
    concurrency: int | None  # None: one call at a time for `def`, 64 for `async def`
    timeout: float
    state: str

    @property
    def starting(self) -> bool:
        """Whether a replica is on its way, so that calls may wait for it."""
        return self.state == "starting"

    @property
    def takes_calls(self) -> bool:
        return bool(self.replicas) or self.starting


@dataclass(frozen=True)
class DeploymentEntry:
    name: str
    access: str
    paused: Mapping[str, Any] | None
    no_answer: str
    traffic: tuple[tuple[int, float], ...]  # (version, share), the largest share first
    versions: Mapping[int, VersionEntry]


@dataclass(frozen=True)
class RouteTable:
    generation: int
    hosts: frozenset[bytes]
    max_body: int
    deployments: Mapping[str, DeploymentEntry]


EMPTY = RouteTable(0, frozenset(), MAX_BODY, {})


def read_table(path: Path) -> RouteTable:
    """The table of the file, the empty one if there is no file. Raises BadTable."""
    try:
        return parse_table(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return EMPTY
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadTable(f"{path.name}: {error!r}") from error


def parse_table(facts: Mapping[str, Any]) -> RouteTable:
    if facts["format"] != FORMAT:
        raise BadTable(f"format {facts['format']}")
    return RouteTable(
        facts["generation"],
        frozenset(host.lower().encode() for host in facts["hosts"]),
        int(facts.get("max_body") or MAX_BODY),
        {name: deployment(name, entry) for name, entry in facts["deployments"].items()},
    )


def deployment(name: str, entry: Mapping[str, Any]) -> DeploymentEntry:
    shares = [(int(number), float(share)) for number, share in entry["traffic"].items()]
    return DeploymentEntry(
        name,
        entry.get("access") or "open",
        entry.get("paused"),
        entry.get("no_answer") or "",
        tuple(sorted((one for one in shares if one[1] > 0), key=lambda one: -one[1])),
        {int(number): version(int(number), one) for number, one in entry["versions"].items()},
    )


def version(number: int, entry: Mapping[str, Any]) -> VersionEntry:
    concurrency = entry.get("concurrency")
    return VersionEntry(
        number,
        Path(entry["schema"]),
        Path(entry["examples"]),
        tuple(replica(one, entry) for one in entry["replicas"]),
        int(concurrency) if concurrency else None,
        float(entry.get("timeout") or 60),
        entry.get("state") or "ready",
    )


def replica(entry: Mapping[str, Any], of_version: Mapping[str, Any]) -> ReplicaEntry:
    return ReplicaEntry(
        entry["id"], entry["socket"], entry.get("digest") or of_version.get("digest")
    )
