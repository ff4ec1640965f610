"""Observed state: what was seen to happen. All but events can be made again from git."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Index, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# named constraints, so that later migrations can alter them on every database
NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also on databases that keep no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=timezone.utc)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {dict[str, Any]: JSON, datetime: Moment}  # noqa: RUF012


class EventRow(Base):
    """One thing that happened, for people and auditors."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_name_id", "name", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    time: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(63))
    version: Mapped[int | None]
    author: Mapped[str] = mapped_column(String(200), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StartRow(Base):
    """How the first start of a version went, and when it last had traffic."""

    __tablename__ = "starts"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    result: Mapped[str] = mapped_column(String(10))  # "ok" or "failed"
    message: Mapped[str] = mapped_column(Text, default="")
    last_lines: Mapped[str] = mapped_column(Text, default="")
    time: Mapped[datetime]
    served: Mapped[bool]
    left_traffic: Mapped[datetime | None]


class ReplicaRow(Base):
    """A worker process that was started and, until `ended`, is believed to run."""

    __tablename__ = "replicas"
    __table_args__ = (Index("ix_replicas_ended", "ended"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(63))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    socket: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    started: Mapped[datetime]
    ended: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
