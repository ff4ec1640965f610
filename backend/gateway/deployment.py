"""One deployment as it answers: which version takes a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cellship.backend.gateway.counts import Counter
from cellship.backend.gateway.problem import Problem
from cellship.backend.gateway.table import DeploymentEntry
from cellship.backend.gateway.version import Version

RETRY = {"Retry-After": "1"}


class Deployment:
    """Knows whether calls are taken, and divides them by traffic."""

    def __init__(
        self, entry: DeploymentEntry, versions: Mapping[int, Version], counter: Counter
    ) -> None:
        self.name = entry.name
        self.entry = entry
        self.versions = versions
        self.counter = counter
        self.is_open = closed(entry) is None
        self._shares = [
            (versions[number], share)
            for number, share in entry.traffic
            if number in versions and versions[number].entry.takes_calls
        ]
        self._credit = [0.0] * len(self._shares)
        self._only = self._shares[0][0] if len(self._shares) == 1 else None

    def pick(self, pinned: Version | None) -> Version:
        """The version that takes the next call: the one named, else by traffic.

        Raises Problem (401, 503).
        """
        if not self.is_open:
            raise self.nobody()
        return pinned or self._only or self._split()

    def nobody(self) -> Problem:
        """Why no call is taken, counted as an answer of the deployment."""
        self.counter.requests += 1
        problem = closed(self.entry) or no_answer(self.entry)
        self.counter.errors += problem.status >= 500
        self.counter.lost += self.entry.paused is None and problem.status >= 500
        return problem

    def answering(self) -> list[Version]:
        """The versions with traffic that have replicas."""
        return [version for version, _ in self._shares]

    def main(self) -> Version | None:
        """What `live` names: the largest share; else the newest version there is."""
        if self.entry.traffic and self.entry.traffic[0][0] in self.versions:
            return self.versions[self.entry.traffic[0][0]]
        return self.versions[max(self.versions)] if self.versions else None

    def _split(self) -> Version:
        """Smooth weighted turns: at any time each version is within one call of its share."""
        if not self._shares:
            raise self.nobody()
        credit = self._credit
        for at, (_, share) in enumerate(self._shares):
            credit[at] += share
        chosen = credit.index(max(credit))
        credit[chosen] -= sum(share for _, share in self._shares)
        return self._shares[chosen][0]


def closed(entry: DeploymentEntry) -> Problem | None:
    if entry.access != "open":
        return Problem(
            401,
            "access.token",
            f"{entry.name} wants a token, and this Cellship cannot check caller keys yet.",
            f"Open it to this machine: access: open for {entry.name}.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return paused(entry.name, entry.paused) if entry.paused is not None else None


def paused(name: str, facts: Mapping[str, Any]) -> Problem:
    by = f" by {facts['by']}" if facts.get("by") else ""
    at = f" at {facts['at']}" if facts.get("at") else ""
    because = f": {facts['because']}" if facts.get("because") else ""
    message = f"{name} was paused{by}{at}{because}."
    return Problem(503, "deployment.paused", message, f"cellship resume {name}", headers=RETRY)


def no_answer(entry: DeploymentEntry) -> Problem:
    message = entry.no_answer or f"No version of {entry.name} answers at the moment."
    return Problem(503, "replica.none", message, headers=RETRY)
