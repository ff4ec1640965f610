"""Results of first starts, and when a version last had traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import delete, select

from cellship.backend.state.database import Database
from cellship.backend.state.tables import StartRow

OK, FAILED, PENDING = "ok", "failed", "pending"


@dataclass(frozen=True)
class Start:
    """How the first start of a version went."""

    result: str
    message: str
    last_lines: str
    served: bool
    left_traffic: datetime | None


class Starts:
    """The table `starts`, kept in memory too: one process writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, int], Start] = {}
        with database.session() as session:
            for row in session.scalars(select(StartRow)):
                self._known[row.name, row.version] = as_start(row)

    def of(self, name: str, version: int) -> Start | None:
        return self._known.get((name, version))

    def results(self, name: str, versions: list[int]) -> dict[int, str]:
        """ "ok", "failed" or "pending" for each of the versions."""
        return {number: self.result(name, number) for number in versions}

    def result(self, name: str, version: int) -> str:
        start = self.of(name, version)
        return start.result if start else PENDING

    def record(
        self, name: str, version: int, result: str, message: str = "", lines: str = ""
    ) -> None:
        row = StartRow(
            name=name,
            version=version,
            result=result,
            message=message,
            last_lines=lines,
            time=datetime.now(timezone.utc),
            served=False,
            left_traffic=None,
        )
        self._known[name, version] = as_start(row)
        with self._database.session() as session:
            session.merge(row)

    def record_served(self, name: str, version: int, left: datetime | None) -> None:
        """The version has traffic (None), or lost it at `left`."""
        with self._database.session() as session:
            row = session.get(StartRow, (name, version))
            if row is None:
                return
            row.served, row.left_traffic = True, left
            self._known[name, version] = as_start(row)

    def forget(self, name: str) -> None:
        for key in [key for key in list(self._known) if key[0] == name]:
            self._known.pop(key, None)
        with self._database.session() as session:
            session.execute(delete(StartRow).where(StartRow.name == name))


def as_start(row: StartRow) -> Start:
    return Start(row.result, row.message, row.last_lines, row.served, row.left_traffic)
