"""Notes on accounts, and when we were last in touch. Owns their table."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel

from rules.records import TouchKind
from storage.fields import account, choice, key, moment, workspace


class NoteRow(SQLModel, table=True):
    """What somebody wrote down of an account, and how they were in touch (`kind`; a plain note is no touch)."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_touch", "workspace_id", "account_id", "happened_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    kind: TouchKind = choice(TouchKind, default=TouchKind.NOTE)
    text: str
    happened_on: date
    author_id: str | None = Field(default=None, foreign_key="members.id")
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
