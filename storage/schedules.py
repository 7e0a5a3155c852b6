"""Due work as rows, each occurrence run once, and the lease that lets one scheduler act."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.fields import key, moment, workspace


class ScheduleRow(SQLModel, table=True):
    """What runs when: `job` daily at `at_time` ("06:00") in `zone`, or every `every_minutes`. `next_at` is business
    time, `audience` is a channel or member id, "" for the workspace.
    """

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("workspace_id", "audience", "job"),)

    id: str = key()
    workspace_id: str = workspace()
    job: str
    audience: str = ""
    zone: str = "UTC"
    at_time: str = "06:00"
    every_minutes: int = 0
    next_at: datetime = moment(index=True)


class ScheduleRunRow(SQLModel, table=True):
    """One occurrence of a schedule: started, and finished when it was done."""

    __tablename__ = "schedule_runs"

    workspace_id: str = workspace()
    schedule_id: str = Field(foreign_key="schedules.id", primary_key=True, ondelete="CASCADE")
    occurrence: datetime = moment(primary_key=True)
    started_at: datetime = moment()
    finished_at: datetime | None = moment(default=None, nullable=True)
    error: str = ""


class LeaseRow(SQLModel, table=True):
    """A named right held by one process until `expires_at` (wall time); `epoch` grows with each holder."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    epoch: int = 1
    expires_at: datetime = moment()
