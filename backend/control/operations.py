"""What a person does to a deployment: each one commit, in effect when it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from cellship.backend.control.events import Event, Events
from cellship.backend.control.losses import Losses
from cellship.backend.control.moved import (
    Moved,
    Seen,
    told_pause,
    told_promotion,
    told_resume,
    told_rollback,
    told_scale,
    told_split,
)
from cellship.backend.control.reconciler import Reconciler
from cellship.backend.control.routes import Routes
from cellship.backend.control.starts import Starts
from cellship.backend.control.views import Views
from cellship.backend.workspace.names import version_name
from cellship.backend.workspace.repository import Workspace

EFFECT_LIMIT = 120.0


@dataclass(frozen=True)
class By:
    """Who does it, when, and why ("" where nobody said)."""

    name: str
    now: datetime
    why: str

    @classmethod
    def of(cls, author: str, why: str = "") -> By:
        return cls(author or "unknown", datetime.now(timezone.utc), why)


class Operations:
    """Commits, settles, and waits until the gateway has it in effect."""

    def __init__(
        self,
        workspace: Workspace,
        starts: Starts,
        routes: Routes,
        reconciler: Reconciler,
        events: Events,
        views: Views,
    ) -> None:
        self._workspace = workspace
        self._starts = starts
        self._routes = routes
        self._reconciler = reconciler
        self._events = events
        self._views = views

    async def rollback(
        self, name: str, to: str | None, because: str, author: str
    ) -> dict[str, Any]:
        """Traffic to an older version, at once."""
        by = By.of(author, because)

        def commit() -> None:
            number = self._views.record(name, to).number if to else None
            self._workspace.rollback(
                name, number, self._results(name), author=by.name, now=by.now, because=because
            )

        return await self._move(name, "rolled-back", by, commit, told_rollback)

    async def promote(self, name: str, version: str, author: str) -> dict[str, Any]:
        """All traffic to one version."""
        by = By.of(author)

        def commit() -> None:
            number = self._views.record(name, version).number
            self._workspace.promote(name, number, self._results(name), author=by.name, now=by.now)

        return await self._move(name, "promoted", by, commit, told_promotion)

    async def set_traffic(self, name: str, shares: dict[str, int], author: str) -> dict[str, Any]:
        """A split by version."""
        by = By.of(author)

        def commit() -> None:
            numbers = {self._views.record(name, word).number: part for word, part in shares.items()}
            self._workspace.set_traffic(
                name, numbers, self._results(name), author=by.name, now=by.now
            )

        return await self._move(name, "split", by, commit, told_split)

    async def scale(self, name: str, replicas: int, author: str) -> dict[str, Any]:
        """How many replicas each version with traffic has."""
        by = By.of(author)
        moving = {"replicas": replicas}
        work = partial(self._workspace.configure, name, moving, author=by.name, now=by.now)
        return await self._move(name, "scaled", by, work, told_scale)

    async def pause(self, name: str, because: str, author: str) -> dict[str, Any]:
        """Nobody is answered until it is resumed."""
        by = By.of(author, because)
        pause = self._workspace.pause
        work = partial(pause, name, author=by.name, now=by.now, because=because)
        return await self._move(name, "paused", by, work, told_pause)

    async def resume(self, name: str, author: str) -> dict[str, Any]:
        """A pause and a hold end; no traffic moves."""
        by = By.of(author)
        work = partial(self._workspace.resume, name, author=by.name, now=by.now)
        return await self._move(name, "resumed", by, work, told_resume)

    async def delete(self, name: str, author: str) -> dict[str, Any]:
        """The deployment and all its versions. Git keeps the history."""
        by = By.of(author)
        await asyncio.to_thread(self._views.require, name)
        await asyncio.to_thread(partial(self._workspace.delete, name, author=by.name, now=by.now))
        await self._reconciler.settle(name)
        await self._record("deleted", name, by)
        return {"name": name}

    async def discard(self, name: str, which: str, author: str) -> dict[str, Any]:
        """A candidate that waits for promotion."""
        by = By.of(author)
        record = await asyncio.to_thread(self._views.record, name, which)
        await asyncio.to_thread(
            partial(
                self._workspace.delete_candidate,
                name,
                record.number,
                self._results(name),
                author=by.name,
                now=by.now,
            )
        )
        await self._reconciler.settle(name)
        await self._record("discarded", name, by, record.number)
        return {"name": name, "version": record.number}

    async def _move(
        self,
        name: str,
        kind: str,
        by: By,
        commit: Callable[[], object],
        tell: Callable[[Moved], tuple[str, str]],
    ) -> dict[str, Any]:
        began = asyncio.get_running_loop().time()
        losses = await Losses.begin(self._routes, name)
        await asyncio.to_thread(self._views.require, name)
        before = await asyncio.to_thread(self._seen, name)
        await asyncio.to_thread(commit)
        await self._reconciler.settle(name)
        in_effect = await self._wait_effect(name, began + EFFECT_LIMIT)
        seconds = asyncio.get_running_loop().time() - began
        after = await asyncio.to_thread(self._seen, name)
        moved = Moved(name, before, after, seconds, await losses.count(), in_effect)
        message, undo = tell(moved)
        await self._record(kind, name, by, moved.live_after, message)
        return {
            "deployment": await asyncio.to_thread(self._views.deployment, name),
            "live": version_name(name, moved.live_after) if moved.live_after else None,
            "left": [version_name(name, number) for number in moved.left],
            "seconds": round(seconds, 3),
            "lost": moved.lost,
            "message": message,
            "undo": undo,
            "notes": [] if in_effect else [f"Not in effect yet: cellship versions {name}"],
        }

    async def _wait_effect(self, name: str, deadline: float) -> bool:
        """Whether the gateway serves what git wants. A version that was stopped starts first."""
        while True:
            changed = self._reconciler.changed(name)
            if await asyncio.to_thread(self._reconciler.in_effect, name):
                return True
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(changed.wait(), left)
            except asyncio.TimeoutError:
                return False

    def _seen(self, name: str) -> Seen:
        return Seen(self._workspace.deployment(name), self._routes.traffic(name))

    def _results(self, name: str) -> dict[int, str]:
        numbers = [version.number for version in self._workspace.versions(name)]
        return self._starts.results(name, numbers)

    async def _record(
        self, kind: str, name: str, by: By, version: int | None = None, message: str = ""
    ) -> None:
        event = Event(kind, name, version, by.name, message, {"why": by.why} if by.why else {})
        await asyncio.to_thread(self._events.record, event)
