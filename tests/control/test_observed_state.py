"""Tables, migrations, events and first starts on a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from cellship.backend.control.events import Event, Events
from cellship.backend.control.starts import FAILED, OK, PENDING, Starts
from cellship.backend.state.database import Database, open_database
from cellship.backend.state.tables import Base
from cellship.snapshot.errors import Refused

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "state.db")
    yield database
    database.close()


def test_migrations_make_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    database.migrate()


def test_newer_or_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = open_database(path)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    database.close()
    with pytest.raises(Refused, match="newer Cellship"):
        open_database(path)
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(Refused, match="cannot be read as a database"):
        open_database(path)


def test_events_come_newest_first_and_by_name(database: Database) -> None:
    events = Events(database)
    for number in (1, 2, 3):
        events.record(Event("deployed", "digits", number, "ann", data={"how": "papermill"}))
    events.record(Event("deployed", "churn", 1, "bob"))
    assert [event["version"] for event in events.latest("digits", 2)] == [3, 2]
    assert events.latest(None, 10)[0]["name"] == "churn"
    newest = events.latest("digits", 1)[0]
    assert newest["how"] == "papermill"
    assert newest["time"].endswith("+00:00")


def test_first_starts_survive_a_restart(database: Database) -> None:
    starts = Starts(database)
    starts.record("digits", 1, OK)
    starts.record("digits", 2, FAILED, "It crashed.", "last line")
    starts.record_served("digits", 1, NOON)
    again = Starts(database)
    assert again.results("digits", [1, 2, 3]) == {1: OK, 2: FAILED, 3: PENDING}
    first, second = again.of("digits", 1), again.of("digits", 2)
    assert first is not None and first.served and first.left_traffic == NOON
    assert second is not None and second.last_lines == "last line" and not second.served


def test_forgotten_deployment_starts_anew(database: Database) -> None:
    starts = Starts(database)
    starts.record("digits", 1, OK)
    starts.record("churn", 1, OK)
    starts.forget("digits")
    assert Starts(database).result("digits", 1) == PENDING
    assert Starts(database).result("churn", 1) == OK
