"""What a deploy is asked for, and what answered before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cellship.backend.client import Client
from cellship.backend.client_answers import Version
from cellship.magics.entry import Entry
from cellship.snapshot.errors import NotFound


@dataclass(frozen=True)
class Order:
    """What was asked for. `cell` is the body as typed, "" for `%deploy`."""

    name: str
    entry: Entry
    magic: str  # "%%deploy", "%deploy" or "deploy", for messages
    cell: str = ""
    packages: str = "closure"
    files: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()
    replicas: int | None = None
    candidate: bool = False
    message: str = ""
    tolerance: float | None = None
    example_run: bool = True
    plan: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the version (DESIGN.md 4)."""
        return {"entry": self.entry.expression}


@dataclass(frozen=True)
class Standing:
    """What answered under the name before this deploy."""

    live: str | None = None
    url: str = ""
    versions: tuple[Version, ...] = ()
    paused: bool = False

    @property
    def still(self) -> str:
        """` score@3 still answers.`, or "" where nothing answered."""
        return f" {self.live} still answers." if self.live and not self.paused else ""


def stand(client: Client, name: str) -> Standing:
    """What answers now under that name."""
    try:
        found = client.deployment(name)
    except NotFound:
        return Standing()
    return Standing(found.live, found.url, tuple(client.versions(name)), found.paused is not None)
