"""Product usage: events as they came, the days they changed, and sums per account, team, metric and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlmodel import Field, Index, SQLModel, col, select

from storage.db import Tx
from storage.fields import account, workspace
from storage.upsert import upsert


class UsageEventRow(SQLModel, table=True):
    """One usage fact, inserted once by (source, message_id). `person` is the customer's user, if known."""

    __tablename__ = "usage_events"
    __table_args__ = (Index("ix_usage_events_day", "workspace_id", "account_id", "day"),)

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


def find_events(tx: Tx, source: str, message_ids: Sequence[str]) -> dict[str, UsageEventRow]:
    """Events of a source that are known already, by message id."""
    rows = tx.session.exec(
        select(UsageEventRow).where(
            UsageEventRow.workspace_id == tx.workspace_id,
            UsageEventRow.source == source,
            col(UsageEventRow.message_id).in_(message_ids),
        )
    )
    return {row.message_id: row for row in rows}


def insert_events(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert events once by (source, message_id) and mark their days to be summed again; returns how many are new."""
    known = {
        (source, message_id)
        for source in {row["source"] for row in rows}
        for message_id in find_events(tx, source, [row["message_id"] for row in rows])
    }
    fresh = [row for row in rows if (row["source"], row["message_id"]) not in known]
    count = upsert(tx, UsageEventRow, fresh, keys=["workspace_id", "source", "message_id"])
    days = {(row["account_id"], row["day"]) for row in fresh}
    dirty = [{"account_id": account_id, "day": day} for account_id, day in sorted(days)]
    upsert(tx, UsageDirtyRow, dirty, keys=["workspace_id", "account_id", "day"])
    return count
