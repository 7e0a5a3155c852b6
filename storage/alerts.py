"""Conditions (is something wrong, per account and rule) and alert episodes (one stay of a condition)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Field, Index, SQLModel

from rules.records import AlertKind, ConditionState, EpisodeState, Severity
from storage.fields import account, json_value, key, moment, workspace


class ConditionRow(SQLModel, table=True):
    """State of one rule for one account. `streak` counts distinct daily observations in the pending or clearing
    direction; `openings` are ISO days on which it began firing (for flapping).
    """

    __tablename__ = "conditions"

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    rule: AlertKind = Field(primary_key=True)
    state: ConditionState = ConditionState.OK
    streak: int = 0
    since: date
    observed_on: date
    openings: list[str] = json_value(default_factory=list)


class EpisodeRow(SQLModel, table=True):
    """One alert. At most one open per (workspace, account, kind, subject). `version` is for compare-and-set,
    `epoch` fences timers. `facts` hold why it fired, enough to redo the calculation. `channel_id` is where it was
    announced ("" until then: `announced_at` None), `is_summarised` when that was one line of a summary.
    """

    __tablename__ = "alert_episodes"
    __table_args__ = (
        Index(
            "uq_alert_episodes_open",
            "workspace_id",
            "account_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    kind: AlertKind
    subject: str = ""
    severity: Severity
    state: EpisodeState = EpisodeState.OPEN
    rule_version: str
    facts: dict[str, Any] = json_value(default_factory=dict)
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    taken_by: str | None = Field(default=None, foreign_key="members.id")
    taken_at: datetime | None = moment(default=None, nullable=True)
    snoozed_until: datetime | None = moment(default=None, nullable=True, index=True)
    closed_by: str | None = None
    close_reason: str = ""
    close_note: str = ""
    version: int = 1
    epoch: int = 1
    channel_id: str = ""
    announced_at: datetime | None = moment(default=None, nullable=True)
    summary_id: str = Field(default="", index=True)


class AlertEventRow(SQLModel, table=True):
    """History of an episode: who, when, what, before and after."""

    __tablename__ = "alert_events"

    id: str = key()
    workspace_id: str = workspace()
    episode_id: str = Field(foreign_key="alert_episodes.id", index=True, ondelete="CASCADE")
    at: datetime = moment()
    actor_kind: str
    actor_id: str
    verb: str
    before: dict[str, Any] = json_value(default_factory=dict)
    after: dict[str, Any] = json_value(default_factory=dict)
    note: str = ""
