"""Members: the people of the workspace as Slack knows them, with their role here."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from rules.records import Role
from storage.fields import key, moment, workspace


class MemberRow(SQLModel, table=True):
    """One person. `refreshed_at` is when Slack last told us about them (None: never, only the id is known)."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("workspace_id", "slack_id"),)

    id: str = key()
    workspace_id: str = workspace()
    slack_id: str
    name: str = ""
    email: str = Field(default="", index=True)
    zone: str = "UTC"
    locale: str = "en-US"
    role: Role = Role.CSM
    is_bot: bool = False
    is_active: bool = True
    refreshed_at: datetime | None = moment(default=None, nullable=True)
