"""Journeys: an account's walk through stages, made from a template, with its milestones. Owns their tables."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Field, Index, SQLModel

from rules.records import Lane, MilestoneState
from storage.fields import account, choice, key, moment, workspace


class JourneyRow(SQLModel, table=True):
    """One walk; at most one per account is under way (`closed_at` None). `stage_key` is where it stands since
    `stage_since`; `template_key` and `template_version` say what it was made from.
    """

    __tablename__ = "journeys"
    __table_args__ = (
        Index(
            "uq_journeys_open",
            "workspace_id",
            "account_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    template_key: str
    template_version: int = 1
    name: str
    started_on: date
    stage_key: str
    stage_since: date
    version: int = 1
    created_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)


class JourneyStageRow(SQLModel, table=True):
    """One stage of a journey, in its order. `planned_days`: how long it should take (None: no limit, never stuck)."""

    __tablename__ = "journey_stages"

    workspace_id: str = workspace(has_index=False)
    journey_id: str = Field(foreign_key="journeys.id", primary_key=True, ondelete="CASCADE")
    key: str = Field(primary_key=True)
    position: int
    name: str
    planned_days: int | None = None
    entered_on: date | None = None
    left_on: date | None = None


class MilestoneRow(SQLModel, table=True):
    """A dated thing of a journey that is done or not. `owner_id` is ours, `customer_owner` a name on their side;
    `template_key` "" for one that was added by hand; `moved_count` how often its date was changed.
    """

    __tablename__ = "milestones"
    __table_args__ = (Index("ix_milestones_due", "workspace_id", "state", "due_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    journey_id: str = Field(foreign_key="journeys.id", index=True, ondelete="CASCADE")
    stage_key: str
    template_key: str = ""
    position: int = 0
    name: str
    lane: Lane = choice(Lane, default=Lane.OURS)
    is_required: bool = True
    due_on: date
    planned_on: date
    moved_count: int = 0
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    customer_owner: str = ""
    state: MilestoneState = choice(MilestoneState, default=MilestoneState.OPEN)
    settled_on: date | None = None
    settled_by: str | None = Field(default=None, foreign_key="members.id")
    reason: str = ""
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
