"""Check-ins: what was learnt in one, and which are offered to whom. Owns their tables."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Field, Index, SQLModel

from rules.records import OfferState
from storage.fields import account, choice, key, moment, workspace


class CheckinRow(SQLModel, table=True):
    """One check-in. `pulse` is the CSM's own feeling of the account, 1 (bad) to 5 (good), shown beside the score and
    never in it.
    """

    __tablename__ = "checkins"
    __table_args__ = (Index("ix_checkins_latest", "workspace_id", "account_id", "happened_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    author_id: str | None = Field(default=None, foreign_key="members.id")
    happened_on: date
    pulse: int | None = None
    changed: str = ""
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


class CheckinOfferRow(SQLModel, table=True):
    """A check-in that is due, offered to the one who looks after the account. One open offer per account."""

    __tablename__ = "checkin_offers"
    __table_args__ = (
        Index(
            "uq_checkin_offers_open",
            "workspace_id",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'offered'"),
            postgresql_where=text("state = 'offered'"),
        ),
        Index("ix_checkin_offers_member", "workspace_id", "member_id", "state", "due_on"),
    )

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    member_id: str = Field(foreign_key="members.id")
    due_on: date
    state: OfferState = choice(OfferState, default=OfferState.OFFERED)
    batch_id: str = Field(default="", index=True)
    offered_on: date
    reminded_on: date | None = None
    checkin_id: str | None = Field(default=None, foreign_key="checkins.id")
    reason: str = ""
    created_at: datetime = moment()
