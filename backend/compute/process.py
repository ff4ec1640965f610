"""The pool `process`: replicas are processes on this host, children of the supervisor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellship.backend.compute.jobs import Worker
from cellship.backend.lines import NobodyAnswers, ask


@dataclass(frozen=True)
class ReplicaPlan:
    """All that a provider needs to start a replica."""

    id: str
    worker: Worker
    job: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class Started:
    pid: int
    started: float


class ProcessProvider:
    """start, poll, stop: each idempotent, each returns at once."""

    def __init__(self, supervisor: Path) -> None:
        self._supervisor = supervisor

    async def start(self, plan: ReplicaPlan) -> Started:
        """Start the replica, or find that it runs already. Raises NobodyAnswers, OSError."""
        for name in ("work", "home", "tmp"):
            (plan.folder / name).mkdir(parents=True, exist_ok=True)
        answer = await ask(
            self._supervisor,
            {
                "do": "spawn",
                "id": plan.id,
                "argv": plan.worker.command("serve"),
                "env": dict(plan.worker.variables),
                "cwd": str(plan.folder / "work"),
                "stdin": json.dumps(plan.job) + "\n",
                "keep_stdin": False,
                "output": str(plan.folder / "output"),
            },
        )
        if answer.get("stopping"):
            raise NobodyAnswers("the service is stopping")
        if not answer.get("ok"):
            raise OSError(answer.get("message", "the supervisor could not start it"))
        return Started(answer["pid"], answer["started"])

    async def poll(self) -> set[str]:
        """Ids of the replicas that run."""
        answer = await ask(self._supervisor, {"do": "children"})
        return {child["id"] for child in answer["children"] if child["what"] == "replica"}

    async def stop(self, replica: str, signal: int = 15) -> None:
        await ask(self._supervisor, {"do": "kill", "id": replica, "signal": signal})

    async def exit_of(self, replica: str, limit: float) -> dict[str, Any] | None:
        """How a replica ended (a line of exits.jsonl); None if it runs after `limit` seconds."""
        answer = await ask(
            self._supervisor, {"do": "wait", "id": replica, "timeout": limit}, limit + 10
        )
        found: dict[str, Any] | None = answer["exit"]
        return found
