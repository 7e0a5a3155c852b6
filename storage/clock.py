"""The clock that leases go by: the database's on PostgreSQL, where several machines share it, else the one given."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import Session


def read_clock(session: Session, wall: datetime) -> datetime:
    """Wall time that all processes on this database agree on; `wall` is this process's own."""
    if session.get_bind().dialect.name != "postgresql":
        return wall
    moment: datetime = session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
