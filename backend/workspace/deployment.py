"""The settings of a deployment that move without making a version (DESIGN.md 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cellship.backend.workspace.names import clean


@dataclass(frozen=True)
class Mark:
    """Who did it, when (ISO 8601, UTC) and why ("" when nobody said)."""

    by: str
    at: str
    why: str = ""

    def __str__(self) -> str:
        because = f": {self.why}" if self.why else ""
        return f"by {self.by}, {self.at[:16].replace('T', ' ')} UTC{because}"


def mark(by: str, now: datetime, why: str = "") -> Mark:
    """A mark of this moment. `now` has a time zone."""
    at = now.astimezone(timezone.utc).replace(microsecond=0)
    return Mark(clean(by), at.isoformat().replace("+00:00", "Z"), clean(why))


@dataclass(frozen=True)
class Deployment:
    """One deployment.yaml. `traffic` is None for `latest: 100`, else shares by version number."""

    traffic: Mapping[int, int] | None = None
    hold: Mark | None = None
    bad: Mapping[int, Mark] = field(default_factory=dict)
    paused: Mark | None = None
    deleted: Mapping[int, Mark] = field(default_factory=dict)
    protect: bool = False
    replicas_min: int = 1
    replicas_max: int = 1
    access: str | None = None
    keep: Mapping[str, int | str] = field(default_factory=dict)
    description: str = ""
