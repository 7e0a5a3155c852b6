"""Product usage: events as they came, the days they changed, and sums per account, team, metric and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy import select as select_columns
from sqlmodel import Field, Index, SQLModel, col

from storage.db import Tx
from storage.fields import account, workspace
from storage.lookup import is_among
from storage.upsert import upsert


class UsageEventRow(SQLModel, table=True):
    """One usage fact, inserted once by (source, message_id). `person` is the customer's user, if known."""

    __tablename__ = "usage_events"
    __table_args__ = (
        Index("ix_usage_events_day", "workspace_id", "account_id", "day"),
        Index("ix_usage_events_feed", "workspace_id", "day"),
        Index("ix_usage_events_source", "workspace_id", "source", "day"),
    )

    workspace_id: str = workspace(is_key=True)
    source: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    account_id: str = account()
    team: str = ""
    metric_key: str
    person: str = ""
    day: date
    value: float = 1.0


class UsageDirtyRow(SQLModel, table=True):
    """A day of an account whose sums must be worked out again."""

    __tablename__ = "usage_dirty"

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    day: date = Field(primary_key=True)


class UsageDayRow(SQLModel, table=True):
    """The sum (for features) or latest gauge (for active users) of one account, team, metric and day."""

    __tablename__ = "usage_days"

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    day: date = Field(primary_key=True)
    metric_key: str = Field(primary_key=True)
    team: str = Field(default="", primary_key=True)
    value: float


EventContent = tuple[Any, ...]


def find_events(tx: Tx, source: str, message_ids: Iterable[str]) -> dict[str, EventContent]:
    """What is known of a source's events, by message id: account, team, metric, person, day and value."""
    event = UsageEventRow
    columns = (event.message_id, event.account_id, event.team, event.metric_key, event.person, event.day, event.value)
    rows = tx.session.execute(select_columns(*map(col, columns)).where(_are(tx, source, message_ids)))
    return {row[0]: tuple(row[1:]) for row in rows}


def insert_events(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert events once by (source, message_id) and mark their days to be summed again; returns how many are new."""
    known: set[tuple[str, str]] = set()
    for source in {row["source"] for row in rows}:
        message_ids = [row["message_id"] for row in rows if row["source"] == source]
        found = tx.session.execute(select_columns(col(UsageEventRow.message_id)).where(_are(tx, source, message_ids)))
        known |= {(source, message_id) for message_id in found.scalars()}
    fresh = [row for row in rows if (row["source"], row["message_id"]) not in known]
    count = upsert(tx, UsageEventRow, fresh, keys=["workspace_id", "source", "message_id"])
    days = {(row["account_id"], row["day"]) for row in fresh}
    dirty = [{"account_id": account_id, "day": day} for account_id, day in sorted(days)]
    upsert(tx, UsageDirtyRow, dirty, keys=["workspace_id", "account_id", "day"])
    return count


def _are(tx: Tx, source: str, message_ids: Iterable[str]) -> ColumnElement[bool]:
    return and_(
        col(UsageEventRow.workspace_id) == tx.workspace_id,
        col(UsageEventRow.source) == source,
        is_among(tx, col(UsageEventRow.message_id), message_ids),
    )
