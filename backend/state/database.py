"""Sessions on the observed state. No network or process work inside one (DESIGN.md 3.13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, sessionmaker

from cellship.snapshot.errors import Refused

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """SQLite by default; any URL that SQLAlchemy takes."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", set_pragmas)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls back on an error."""
        with self._sessions.begin() as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to this release's shape."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self.engine.dispose()


def open_database(path: Path) -> Database:
    """The SQLite database of a data folder, migrated."""
    database = Database(f"sqlite:///{path}")
    try:
        database.migrate()
    except CommandError as error:  # it names a migration that this release does not have
        database.close()
        raise Refused(
            f"{path.name} was written by a newer Cellship.",
            code="data.newer",
            hint='Update: pip install -U "cellship[server]"',
        ) from error
    except DatabaseError as error:
        database.close()
        raise Refused(
            f"{path} cannot be read as a database: {error.orig}.",
            code="data.damaged",
            hint="Move it away: all but events is made again from git and the store.",
        ) from error
    return database


def set_pragmas(connection: Any, _: object) -> None:
    """Readers never wait for the writer, and a reference to nothing is an error."""
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=5000",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


__all__ = ["Database", "Engine", "open_database"]
