"""The gateway's table: written by rename, in effect once the gateway says so."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellship.backend.data_folder import DataFolder
from cellship.backend.lines import NobodyAnswers, ask

FORMAT = 1
MAX_BODY = 100 * 1024 * 1024


@dataclass(frozen=True)
class VersionRoute:
    """One version as the gateway needs it."""

    folder: Path
    digest: str
    replicas: tuple[tuple[str, Path], ...]  # (id, socket)
    settings: Mapping[str, Any]
    state: str

    def entry(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "schema": str(self.folder / "schema.json"),
            "examples": str(self.folder / "examples.json"),
            "replicas": [{"id": name, "socket": str(socket)} for name, socket in self.replicas],
            "concurrency": self.settings.get("concurrency"),
            "timeout": self.settings.get("timeout") or 60,
            "state": self.state,
        }


@dataclass(frozen=True)
class DeploymentRoute:
    """One deployment: who answers with which share, and what is said where nobody does."""

    traffic: Mapping[int, int]
    versions: Mapping[int, VersionRoute]
    paused: dict[str, Any] | None = None
    no_answer: str = ""
    access: str = "open"

    def entry(self) -> dict[str, Any]:
        return {
            "access": self.access,
            "paused": self.paused,
            "traffic": {str(number): share for number, share in self.traffic.items()},
            "no_answer": self.no_answer,
            "versions": {str(number): route.entry() for number, route in self.versions.items()},
        }


@dataclass
class Routes:
    """The table of all deployments. One writer: the control plane."""

    data: DataFolder
    gateway: Path  # gateway.sock
    generation: int = 0
    taken: int = -1  # the generation that the gateway has confirmed
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def load(self) -> None:
        """Go on from what the gateway serves now."""
        try:
            table = json.loads(self.data.routes.read_text())
        except (FileNotFoundError, ValueError):
            return
        self.generation = table["generation"]
        self.deployments = table["deployments"]

    def traffic(self, name: str) -> dict[int, int]:
        """What answers now, as far as the gateway was told."""
        entry = self.deployments.get(name)
        return {int(number): share for number, share in entry["traffic"].items()} if entry else {}

    async def put(self, name: str, route: DeploymentRoute | None) -> bool:
        """Set (or with None remove) a deployment; whether the gateway has it in effect."""
        async with self._lock:
            entry = route.entry() if route else None
            if entry == self.deployments.get(name):
                return self.in_effect or await self.nudge()
            if entry is None:
                self.deployments.pop(name, None)
            else:
                self.deployments[name] = entry
            self.generation += 1
            self._write()
            return await self.nudge()

    async def nudge(self) -> bool:
        """Have the gateway read the table; False if it is away (it reads it when it starts)."""
        try:
            answer = await ask(self.gateway, {"do": "reload"})
        except NobodyAnswers:
            return False
        self.taken = answer.get("generation", -1)
        return self.in_effect

    @property
    def in_effect(self) -> bool:
        """Whether the gateway has confirmed the table as it was written last."""
        return self.taken == self.generation

    async def in_flight(self, replica: str) -> int:
        """Requests that a replica has not answered yet."""
        try:
            answer = await ask(self.gateway, {"do": "in_flight"})
        except NobodyAnswers:
            return 0
        return int(answer["replicas"].get(replica, 0))

    async def counts(self) -> dict[str, Any]:
        """Requests per second and version of the last two minutes. Raises NobodyAnswers."""
        return await ask(self.gateway, {"do": "counts"})

    async def hung(self, wait: float) -> dict[str, dict[str, Any]]:
        """Replicas with a call that outlived its limit; waits for one. Raises NobodyAnswers."""
        answer = await ask(self.gateway, {"do": "hung", "wait": wait}, wait + 10)
        found: dict[str, dict[str, Any]] = answer["replicas"]
        return found

    def _write(self) -> None:
        port = self.data.gateway_port
        table = {
            "format": FORMAT,
            "generation": self.generation,
            "written": time.time(),
            "hosts": [f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")],
            "max_body": MAX_BODY,
            "deployments": self.deployments,
        }
        aside = self.data.routes.with_suffix(".new")
        aside.write_text(json.dumps(table, indent=1))
        os.replace(aside, self.data.routes)
