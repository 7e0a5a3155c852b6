"""Contracts: what was bought, for how much, until when, and whether it is paid."""

from __future__ import annotations

from datetime import date

from sqlmodel import Field, Index, SQLModel

from storage.fields import account, workspace


class ContractRow(SQLModel, table=True):
    """One contract. Money in minor units per year (`yearly_minor`) of an ISO currency.

    `is_payment_known` tells whether the source knows about invoices at all; `overdue_since` is the due date
    of the oldest unpaid invoice.
    """

    __tablename__ = "contracts"
    __table_args__ = (Index("ix_contracts_account", "workspace_id", "account_id", "end_on"),)

    workspace_id: str = workspace(is_key=True)
    external_id: str = Field(primary_key=True)
    account_id: str = account()
    kind: str = "subscription"
    start_on: date
    end_on: date | None = None
    notice_by: date | None = None
    notice_received_on: date | None = None
    yearly_minor: int = 0
    currency: str = "EUR"
    seats: int | None = None
    is_auto_renew: bool = False
    is_payment_known: bool = False
    overdue_since: date | None = None
