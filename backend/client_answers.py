"""What the service answers, as frozen dataclasses; `build` makes one of a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from cellship.snapshot.errors import CellshipError

Answer = TypeVar("Answer")
Json = dict[str, Any]


def build(kind: type[Answer], row: Any) -> Answer:
    """The dataclass of a JSON object; a field unknown here comes from a newer service."""
    if not isinstance(row, dict):
        raise unreadable(f"not an object: {row!r}")
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    given = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    try:
        return kind(**{name: value for name, value in given.items() if name in known})
    except TypeError as error:
        raise unreadable(str(error)) from error


def unreadable(why: str) -> CellshipError:
    return CellshipError(
        "The service gave an answer that this cellship cannot read.",
        code="client.answer",
        log_text=why,
    )


@dataclass(frozen=True)
class Status:
    version: str = ""
    protocol: int = 0
    data: str = ""
    gateway: str = ""
    address: str = ""
    started: str = ""
    deployments: int = 0
    isolation: str = ""
    supervisor: bool = True
    disk_free: int = 0


@dataclass(frozen=True)
class Deployment:
    """A named endpoint. `live` is `digits@2`: the version with the largest share, if any."""

    name: str
    url: str = ""
    state: str = ""
    traffic: Mapping[str, int] = field(default_factory=dict)
    latest: int | None = None
    live: str | None = None
    updated: str = ""
    paused: Json | None = None
    hold: Json | None = None


@dataclass(frozen=True)
class Version:
    """One numbered snapshot with its settings. `share` is its part of the traffic in percent."""

    name: str
    version: int
    digest: str = ""
    state: str = ""
    share: int = 0
    created: str = ""
    author: str = ""
    message: str = ""
    bytes_moved: int = 0
    notebook: str | None = None
    cell: int | str | None = None
    candidate: bool = False
    bad: Json | None = None
    failure: Json | None = None
    entry: str = ""

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Same:
    """The newest version holds this snapshot and these settings already, and answers alone."""

    version: int
    url: str = ""
    marked_bad: Json | None = None


@dataclass(frozen=True)
class Lease:
    """A place for bytes on their way in, and the digests that the store lacks."""

    id: str
    folder: Path
    missing_blobs: frozenset[str]
    missing_trees: frozenset[str]


@dataclass(frozen=True)
class Committed:
    """A version that exists from now on."""

    name: str
    version: int
    digest: str = ""
    created: bool = True
    candidate: bool = False
    hold: Json | None = None
    url: str = ""
    previous: int | None = None


@dataclass(frozen=True)
class Moved:
    """What answers after a pointer moved, and the line that takes it back."""

    deployment: Json = field(default_factory=dict)
    live: str | None = None
    left: tuple[str, ...] = ()
    seconds: float = 0.0
    lost: int | None = None
    message: str = ""
    undo: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """What an expression gave in a clean worker: `repr`, or `error` with its traceback."""

    ok: bool
    repr: str = ""
    error: str = ""
    traceback: str = ""
    output: str = ""


@dataclass(frozen=True)
class Difference:
    text: str = ""
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogPage:
    """Log lines in order, as objects of DESIGN.md 12, and the cursor of the line after them."""

    lines: tuple[Json, ...] = ()
    next: Any = None


@dataclass(frozen=True)
class Counts:
    """Answers of the last two minutes: (second, version, requests, errors); the service's clock."""

    now: float
    seconds: tuple[tuple[float, int, int, int], ...] = ()
