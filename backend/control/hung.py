"""Replaces replicas that hang: a call outlived its time limit and goes on (DESIGN.md 7)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from cellship.backend.control.events import Event, Events
from cellship.backend.control.loops import forever
from cellship.backend.control.replicas import Replica, Replicas
from cellship.backend.control.routes import Routes
from cellship.backend.lines import NobodyAnswers

LOG = logging.getLogger("cellship.control")
WAIT = 30.0
GRACE = 1.0


@dataclass
class Hung:
    """Asks the gateway, which sees the calls; the reconciler starts the replacement."""

    routes: Routes
    replicas: Replicas
    events: Events

    async def run(self) -> None:
        """Until cancelled."""
        await forever(self._look, 0)

    async def _look(self) -> None:
        for replica, seconds in (await self._still_hung()).items():
            if (known := self.replicas.find(replica)) is not None:
                await self._replace(known, seconds)

    async def _still_hung(self) -> dict[str, float]:
        """Those that hang now and did a moment ago: the caller has had its 504 by then."""
        try:
            if not await self.routes.hung(WAIT):
                return {}
            await asyncio.sleep(GRACE)
            found = await self.routes.hung(0)
        except NobodyAnswers:
            await asyncio.sleep(GRACE)
            return {}
        return {replica: float(facts["seconds"]) for replica, facts in found.items()}

    async def _replace(self, replica: Replica, seconds: float) -> None:
        message = f"replica {replica.id} was ended: a call ran for {seconds:.0f} s and did not end"
        LOG.warning("%s@%d: %s", replica.name, replica.version, message)
        await self.replicas.kill(replica)
        event = Event("replaced", replica.name, replica.version, message=message)
        await asyncio.to_thread(self.events.record, event)
