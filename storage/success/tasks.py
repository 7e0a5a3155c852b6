"""Tasks: next steps with a person and a date. Owns their table."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel

from storage.fields import account, key, moment, workspace


class TaskRow(SQLModel, table=True):
    """Something to be done for an account. `source_kind` and `source_id` say what it came from ("checkin", …)."""

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_open", "workspace_id", "owner_id", "done_at", "due_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    text: str
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    due_on: date | None = None
    source_kind: str = ""
    source_id: str = Field(default="", index=True)
    done_at: datetime | None = moment(default=None, nullable=True)
    done_by: str | None = Field(default=None, foreign_key="members.id")
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
