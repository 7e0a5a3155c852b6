"""Copies of a SQLite database made while others use it, and what a copy forgets before a replay."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlmodel import SQLModel, delete

from rules.errors import UserError
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.conditions import ConditionRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.health.health import HealthScoreRow

_JUDGEMENTS: tuple[type[SQLModel], ...] = (AlertEventRow, EpisodeRow, ConditionRow, HealthScoreRow, OutboxRow)


def copy_database(database: Database, path: Path) -> None:
    """Copy to a new file by SQLite's online backup, whole even while others write. Raises `UserError` on PostgreSQL."""
    source = make_url(database.url).database
    if not database.is_sqlite or source is None:
        raise UserError("This copies the database, which is done for SQLite only.")
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)


def forget_judgements(tx: Tx) -> None:
    """Delete the workspace's scores, conditions, alerts and messages: a replay over the past begins without them."""
    for table in _JUDGEMENTS:
        workspace = table.__table__.columns.workspace_id  # type: ignore[attr-defined]  # SQLModel's types do not tell
        tx.session.execute(delete(table).where(workspace == tx.workspace_id))
