"""What happened, kept for people and auditors, newest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select

from cellship.backend.state.database import Database
from cellship.backend.state.tables import EventRow


@dataclass(frozen=True)
class Event:
    """`kind` is a verb in the past: deployed, started, failed, rolled-back, promoted, paused."""

    kind: str
    name: str
    version: int | None = None
    author: str = ""
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Events:
    """Appends and reads events. Blocking: call from a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: Event) -> None:
        with self._database.session() as session:
            session.add(EventRow(time=datetime.now(timezone.utc), **vars(event)))

    def latest(self, name: str | None, limit: int) -> list[dict[str, Any]]:
        query = select(EventRow).order_by(EventRow.id.desc()).limit(limit)
        if name is not None:
            query = query.where(EventRow.name == name)
        with self._database.session() as session:
            return [as_dict(row) for row in session.scalars(query)]


def as_dict(row: EventRow) -> dict[str, Any]:
    return {
        "time": row.time.isoformat(),
        "kind": row.kind,
        "name": row.name,
        "version": row.version,
        "author": row.author,
        "message": row.message,
        **row.data,
    }
