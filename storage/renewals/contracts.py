"""Contracts: what was bought, for how much, until when, and whether it is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Field, Index, SQLModel, col, select

from rules.accounts.imports import Outcome
from rules.records import Actor
from rules.renewals.renewals import ContractFacts, Term, is_followed
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, workspace
from storage.lookup import is_among
from storage.merge import merge_rows


class ContractRow(SQLModel, table=True):
    """One contract. Money in minor units per year (`yearly_minor`) of an ISO currency.

    `end_on` None means open-ended: it runs on by `term_months` from its start. `is_payment_known` tells whether
    the source knows about invoices at all; `overdue_since` is the due date of the oldest unpaid invoice.
    """

    __tablename__ = "contracts"
    __table_args__ = (Index("ix_contracts_account", "workspace_id", "account_id", "end_on"),)

    workspace_id: str = workspace(is_key=True)
    external_id: str = Field(primary_key=True)
    account_id: str = account()
    kind: str = "subscription"
    start_on: date
    end_on: date | None = None
    term_months: int = 12
    notice_by: date | None = None
    notice_received_on: date | None = None
    yearly_minor: int = 0
    currency: str = "EUR"
    seats: int | None = None
    is_auto_renew: bool = False
    is_payment_known: bool = False
    overdue_since: date | None = None


# Put together once, because all that shows accounts asks it.
_OF_ACCOUNTS = (
    select(ContractRow)
    .where(
        ContractRow.workspace_id == bindparam("workspace_id"),
        col(ContractRow.account_id).in_(bindparam("account_ids", expanding=True)),
    )
    .order_by(col(ContractRow.end_on).is_(None), col(ContractRow.end_on), col(ContractRow.external_id))
)


def list_contracts(tx: Tx, account_ids: Sequence[str]) -> dict[str, list[ContractRow]]:
    """The contracts of a page of accounts, the one that ends last at the end of each list; open-ended ones last."""
    rows = tx.session.exec(_OF_ACCOUNTS, params={"workspace_id": tx.workspace_id, "account_ids": account_ids})
    found: dict[str, list[ContractRow]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row)
    return found


def list_contract_facts(tx: Tx, account_ids: Sequence[str]) -> dict[str, list[ContractFacts]]:
    """As `list_contracts`, as the rules see them: plain columns, because jobs and lists read them of every account."""
    row = ContractRow
    term = (row.start_on, row.end_on, row.term_months, row.notice_by, row.notice_received_on, row.is_auto_renew)
    rest = (row.external_id, row.account_id, row.yearly_minor, row.currency, row.kind)
    query = (
        select_columns(*map(col, (*term, *rest)))
        .where(col(row.workspace_id) == tx.workspace_id, col(row.account_id).in_(account_ids))
        .order_by(col(row.end_on).is_(None), col(row.end_on), col(row.external_id))
    )
    found: dict[str, list[ContractFacts]] = {}
    for start, end, months, notice_by, noticed, is_auto, id_, account_id, *price in tx.session.execute(query):
        known = Term(start, end, months, notice_by, noticed, is_auto)
        found.setdefault(account_id, []).append(ContractFacts(id_, account_id, known, *price))
    return found


def to_facts(row: ContractRow) -> ContractFacts:
    """The contract as the rules see it."""
    term = Term(
        start_on=row.start_on,
        end_on=row.end_on,
        term_months=row.term_months,
        notice_by=row.notice_by,
        notice_received_on=row.notice_received_on,
        is_auto_renew=row.is_auto_renew,
    )
    return ContractFacts(row.external_id, row.account_id, term, row.yearly_minor, row.currency, row.kind)


def find_contract(tx: Tx, contract_id: str) -> ContractRow | None:
    """The contract by its id in its own system."""
    wanted = (ContractRow.workspace_id == tx.workspace_id, ContractRow.external_id == contract_id)
    return tx.session.exec(select(ContractRow).where(*wanted)).first()


def lock_contract(tx: Tx, contract_id: str) -> None:
    """Keep others from changing the contract until the transaction ends, and read it afresh."""
    wanted = (ContractRow.workspace_id == tx.workspace_id, ContractRow.external_id == contract_id)
    query = select(ContractRow).where(*wanted).with_for_update()
    tx.session.exec(query.execution_options(populate_existing=True)).first()


def get_contract(tx: Tx, contract_id: str) -> ContractRow:
    """The contract. Raises `NotFoundError`."""
    found = find_contract(tx, contract_id)
    if found is None:
        raise NotFoundError("This contract no longer exists. See `/cs contract` with the account's name.")
    return found


def has_next_contract(tx: Tx, contract_id: str) -> bool:
    """Whether a contract of the account is known that follows this one. Raises `NotFoundError`."""
    row = get_contract(tx, contract_id)
    return is_followed(to_facts(row), map(to_facts, list_contracts(tx, [row.account_id])[row.account_id]))


def find_accounts_of_contracts(tx: Tx, external_ids: Sequence[str]) -> dict[str, str]:
    """Account id by contract id, for those contracts that exist."""
    statement = select(ContractRow.external_id, ContractRow.account_id).where(
        ContractRow.workspace_id == tx.workspace_id, is_among(tx, col(ContractRow.external_id), external_ids)
    )
    return dict(tx.session.exec(statement).all())


def import_contracts(tx: Tx, rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    """Merge contracts by `external_id`; the outcome of each row."""
    return merge_rows(tx, ContractRow, rows, key="external_id", actor=actor, now=now)
