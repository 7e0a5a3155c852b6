"""Renewals: what becomes of each contract at its end. Owns their table."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from rules.records import RenewalOutcome, RenewalVerdict
from storage.fields import account, choice, key, moment, workspace


class RenewalRow(SQLModel, table=True):
    """One coming (or past) end of a contract, keyed by the contract and the end. `decides_on` may move (notice, a new
    deadline): what was said for an earlier date is superseded. Money in minor units a year of the contract's currency;
    `new_yearly_minor` is what was agreed, 0 when lost. `thread_channel` is where its thread stands ("" none yet).
    """

    __tablename__ = "renewals"
    __table_args__ = (
        UniqueConstraint("workspace_id", "contract_id", "ends_on"),
        Index("ix_renewals_coming", "workspace_id", "outcome", "decides_on"),
    )

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    contract_id: str
    ends_on: date
    decides_on: date
    yearly_minor: int = 0
    currency: str = "EUR"
    outcome: RenewalOutcome = choice(RenewalOutcome, default=RenewalOutcome.OPEN)
    new_yearly_minor: int | None = None
    new_end_on: date | None = None
    reason: str = ""
    note: str = ""
    decided_on: date | None = None
    decided_by: str | None = Field(default=None, foreign_key="members.id")
    verdict: RenewalVerdict | None = choice(RenewalVerdict, default=None, nullable=True)
    verdict_note: str = ""
    verdict_by: str | None = Field(default=None, foreign_key="members.id")
    verdict_on: date | None = None
    thread_channel: str = ""
    version: int = 1
    created_at: datetime = moment()


class RenewalReminderRow(SQLModel, table=True):
    """A reminder that was given for a renewal: once per decision date and offset (days before it)."""

    __tablename__ = "renewal_reminders"

    workspace_id: str = workspace(has_index=False)
    renewal_id: str = Field(foreign_key="renewals.id", primary_key=True, ondelete="CASCADE")
    decides_on: date = Field(primary_key=True)
    days_before: int = Field(primary_key=True)
    given_at: datetime = moment()
