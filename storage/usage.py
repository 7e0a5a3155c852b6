"""Product usage: events as they came, the days they changed, and sums per account, team, metric and day."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, Index, SQLModel

from storage.fields import account, workspace


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
