"""Targets, their dated steps and the measurements of their metrics."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Field, Index, SQLModel

from rules.records import TargetKind
from storage.fields import account, exact, key, moment, workspace


class TargetRow(SQLModel, table=True):
    """Metric + kind + baseline + goal + dates + owners. `agreed_on` None means draft; `removed_at` means undone."""

    __tablename__ = "targets"

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    external_id: str | None = None
    metric_key: str
    kind: TargetKind = TargetKind.LEVEL
    unit: str = ""
    baseline: Decimal | None = exact(default=None, nullable=True)
    goal: Decimal = exact()
    start_on: date
    due_on: date
    cadence_days: int = 30
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    customer_owner: str = ""
    agreed_on: date | None = None
    paused_on: date | None = None
    replaced_by: str | None = None
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


class TargetStepRow(SQLModel, table=True):
    """One dated step of a target: the value expected on that day."""

    __tablename__ = "target_steps"

    workspace_id: str = workspace()
    target_id: str = Field(foreign_key="targets.id", primary_key=True, ondelete="CASCADE")
    day: date = Field(primary_key=True)
    value: Decimal = exact()


class MeasurementRow(SQLModel, table=True):
    """One value of an account's metric, dated when it was measured (never in the future)."""

    __tablename__ = "measurements"
    __table_args__ = (Index("ix_measurements_curve", "workspace_id", "account_id", "metric_key", "measured_on"),)

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    metric_key: str
    value: Decimal = exact()
    measured_on: date
    note: str = ""
    source: str = "slack"
    author_id: str | None = Field(default=None, foreign_key="members.id")
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
