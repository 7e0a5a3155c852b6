"""Contacts: the people at the customer, and what each is to us. Owns their table."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import SQLModel

from rules.records import ContactRole
from storage.fields import account, choice, key, moment, workspace


class ContactRow(SQLModel, table=True):
    """One person at a customer. `left_on`: no longer there (a sponsor who left weighs on health); `removed_at`: taken
    off the list by us.
    """

    __tablename__ = "contacts"

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    name: str
    email: str = ""
    phone: str = ""
    title: str = ""
    team: str = ""
    role: ContactRole = choice(ContactRole, default=ContactRole.USER)
    is_primary: bool = False
    left_on: date | None = None
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)
