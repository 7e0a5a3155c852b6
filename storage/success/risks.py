"""Risks of accounts: what may go wrong, what we do about it, whose it is. Owns their table."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel

from storage.fields import account, key, moment, workspace


class RiskRow(SQLModel, table=True):
    """Something that may keep an account from its success, until it is closed. `checkin_id`: where it was named."""

    __tablename__ = "risks"
    __table_args__ = (Index("ix_risks_open", "workspace_id", "account_id", "closed_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    text: str
    plan: str = ""
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    checkin_id: str | None = Field(default=None, foreign_key="checkins.id", index=True)
    opened_on: date
    closed_on: date | None = None
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
