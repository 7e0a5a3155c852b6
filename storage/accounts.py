"""Accounts and the other names people use for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from rules.records import AccountState, Tier
from storage.fields import account, key, moment, workspace


class AccountRow(SQLModel, table=True):
    """A customer company. `external_id` is the id of the system it was imported from; `slug` is made of the name."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("workspace_id", "external_id"), UniqueConstraint("workspace_id", "slug"))

    id: str = key()
    workspace_id: str = workspace()
    external_id: str | None = None
    slug: str
    name: str
    state: AccountState = AccountState.CUSTOMER
    tier: Tier | None = None
    industry: str = ""
    country: str = ""
    seats: int | None = None
    owner_email: str = Field(default="", index=True)
    owner_id: str | None = Field(default=None, foreign_key="members.id", index=True)
    channel_id: str = ""
    started_on: date | None = None
    created_at: datetime = moment()
    archived_at: datetime | None = moment(default=None, nullable=True)


class AliasRow(SQLModel, table=True):
    """Another name of an account; `folded` is the name as `words.names.fold` writes it."""

    __tablename__ = "account_aliases"
    __table_args__ = (UniqueConstraint("workspace_id", "folded"),)

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    alias: str
    folded: str
