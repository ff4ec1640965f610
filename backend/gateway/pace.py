"""How fast a replica answers, and so how many calls may be sent to it before it is free."""

from __future__ import annotations

from cellship.backend.gateway.limits import Limits

QUICKER = 0.2  # weight of a call that was quicker than those before; a slower one counts at once
SHORTEST = 1e-6


class Pace:
    """Seconds per call, a moving mean that trusts slowness at once and speed slowly.

    A `def` entry runs its calls one after the other wherever they wait. As long as a replica serves
    them within a moment, the next ones may as well wait at the worker, so that no time is lost
    between two of them. Where calls are slow they wait here, and another replica can have them.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._mean = 1.0
        self._busy_since = 0.0

    def begin(self, now: float) -> None:
        """A replica that was idle got a call."""
        self._busy_since = now

    def answered(self, calls: int, now: float) -> None:
        """So many answers came together."""
        pace = (now - self._busy_since) / calls
        self._busy_since = now
        self._mean += (pace - self._mean) * (QUICKER if pace < self._mean else 1.0)

    @property
    def ahead(self) -> int:
        limits = self._limits
        return min(limits.most_ahead, int(limits.ahead / max(self._mean, SHORTEST)))
