"""Requests that got no answer while something was moved, as the gateway counted them."""

from __future__ import annotations

from dataclasses import dataclass

from cellship.backend.control.routes import Routes
from cellship.backend.lines import NobodyAnswers


@dataclass(frozen=True)
class Losses:
    """`begin` before, `count` after."""

    routes: Routes
    name: str
    before: int | None

    @classmethod
    async def begin(cls, routes: Routes, name: str) -> Losses:
        return cls(routes, name, await lost(routes, name))

    async def count(self) -> int | None:
        """How many were lost since `begin`; None where the gateway cannot say."""
        after = await lost(self.routes, self.name)
        if self.before is None or after is None or after < self.before:
            return None
        return after - self.before


async def lost(routes: Routes, name: str) -> int | None:
    """Requests that the gateway could not bring to an answer since it started."""
    try:
        answer = await routes.counts()
    except NobodyAnswers:
        return None
    found: dict[str, int] | None = answer.get("lost")
    return None if found is None else found.get(name, 0)
