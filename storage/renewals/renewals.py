"""Renewals: what becomes of each contract at its end. Owns their tables and how they are found; who changes them goes
through `storage.renewals.renewal_writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.records import AccountState, RenewalOutcome, RenewalVerdict
from rules.renewals.renewals import ContractFacts, RenewalFacts, list_questions
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, json_value, key, moment, workspace
from storage.renewals.contracts import list_contract_facts

ROOT, REPLY, SUMMARY = "renewal", "renewal_reminder", "renewal_outcome"
"""The kinds of message of a renewal: the head of its thread, a reminder in it, how it ended."""

_End = tuple[str, date]
"""A contract's id and the day it ends."""
_Kept = tuple[str, RenewalOutcome, RenewalVerdict | None]
"""A renewal's id, its outcome, and the verdict of its owner."""


class RenewalRow(SQLModel, table=True):
    """One coming (or past) end of a contract, keyed by the contract and the end. `decides_on` may move (notice, a new
    deadline): what was said for an earlier date is superseded. Money in minor units a year of the contract's currency;
    `new_yearly_minor` is what was agreed, 0 when lost; then `ends_on` is the day they leave, and `left_on` when what
    follows for the account was settled (see `storage.renewals.leaving`). `thread_channel` is where its thread stands
    ("" none yet). `seen` is what the message at its head tells of: {"day", "missing": {check: count}, "computed",
    "band", "score"}; `figures` is what was known of the account when it was decided (see
    `rules.renewals.outcomes.Figures`).
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
    figures: dict[str, Any] = json_value(default_factory=dict)
    decided_on: date | None = None
    decided_by: str | None = Field(default=None, foreign_key="members.id")
    left_on: date | None = None
    verdict: RenewalVerdict | None = choice(RenewalVerdict, default=None, nullable=True)
    verdict_note: str = ""
    verdict_by: str | None = Field(default=None, foreign_key="members.id")
    verdict_on: date | None = None
    thread_channel: str = ""
    seen: dict[str, Any] = json_value(default_factory=dict)
    version: int = 1
    created_at: datetime = moment()


class RenewalReminderRow(SQLModel, table=True):
    """A reminder that was looked at for a renewal, and given where it had something to say: once per decision date and
    offset (days before it).
    """

    __tablename__ = "renewal_reminders"

    workspace_id: str = workspace(has_index=False)
    renewal_id: str = Field(foreign_key="renewals.id", primary_key=True, ondelete="CASCADE")
    decides_on: date = Field(primary_key=True)
    days_before: int = Field(primary_key=True)
    given_at: datetime = moment()


def get_renewal(tx: Tx, renewal_id: str) -> RenewalRow:
    """The renewal, open or decided. Raises `NotFoundError`."""
    found = find_renewal_row(tx, renewal_id)
    if found is None:
        raise NotFoundError("This renewal no longer exists. See `/cs renewals` for those that do.")
    return found


def find_renewal_row(tx: Tx, renewal_id: str) -> RenewalRow | None:
    """The renewal, open or decided."""
    return tx.session.exec(_of(tx).where(RenewalRow.id == renewal_id)).first()


def find_of_contract(tx: Tx, contract_id: str, ends_on: date) -> RenewalRow | None:
    """The renewal of one end of a contract, open or decided."""
    wanted = (RenewalRow.contract_id == contract_id, RenewalRow.ends_on == ends_on)
    return tx.session.exec(_of(tx).where(*wanted)).first()


def get_of_contract(tx: Tx, contract_id: str, ends_on: date) -> RenewalRow:
    """As `find_of_contract`. Raises `NotFoundError`."""
    found = find_of_contract(tx, contract_id, ends_on)
    if found is None:
        raise NotFoundError("This contract no longer ends on that day. See `/cs renewal` with the account's name.")
    return found


def list_of_accounts(tx: Tx, account_ids: Sequence[str], *, is_locking: bool = False) -> dict[str, list[RenewalRow]]:
    """Every renewal of a page of accounts, the latest end first. `is_locking` keeps others from changing them."""
    query = _of(tx).where(col(RenewalRow.account_id).in_(account_ids)).order_by(col(RenewalRow.id))
    if is_locking:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: dict[str, list[RenewalRow]] = {}
    for row in sorted(tx.session.exec(query), key=lambda row: row.ends_on, reverse=True):
        found.setdefault(row.account_id, []).append(row)
    return found


def list_coming(
    tx: Tx, until: date, owner_id: str | None = None, *, limit: int | None = None, offset: int = 0
) -> list[tuple[RenewalRow, AccountRow]]:
    """The open renewals decided until `until`, overdue ones too, with their accounts (in use, not lost; of one owner or
    all), the first decision first; all of them, or a page.
    """
    query = (
        select(RenewalRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(RenewalRow.account_id))
        .where(*_is_coming(tx, until, owner_id))
        .order_by(col(RenewalRow.decides_on), col(AccountRow.name), col(RenewalRow.id))
    )
    return list(tx.session.exec(query.limit(limit).offset(offset)).all())


def sum_coming(tx: Tx, until: date, owner_id: str | None = None) -> dict[str, tuple[int, int]]:
    """Of all that `list_coming` would give: by currency how many, and their money a year in minor units."""
    rows = tx.session.exec(
        select(RenewalRow.currency, func.count(), func.sum(RenewalRow.yearly_minor))
        .join(AccountRow, col(AccountRow.id) == col(RenewalRow.account_id))
        .where(*_is_coming(tx, until, owner_id))
        .group_by(col(RenewalRow.currency))
        .order_by(col(RenewalRow.currency))
    )
    return {currency: (count, int(total)) for currency, count, total in rows}


def list_renewal_facts(tx: Tx, account_ids: Sequence[str], today: date) -> dict[str, list[RenewalFacts]]:
    """What is not decided yet about the ends of a page of accounts' contracts, in two queries. The contracts are asked
    and not only the renewals kept of them, so that a notice imported a minute ago is there.
    """
    contracts, kept = list_contract_facts(tx, account_ids), _list_kept(tx, account_ids)
    found: dict[str, list[RenewalFacts]] = {}
    for account_id, of_account in contracts.items():
        facts = _list_open(of_account, kept, today)
        if facts:
            found[account_id] = facts
    return found


def _list_kept(tx: Tx, account_ids: Sequence[str]) -> dict[_End, _Kept]:
    """What is kept of each end of these accounts' contracts, as plain columns."""
    row = RenewalRow
    columns = (row.contract_id, row.ends_on, row.id, row.outcome, row.verdict)
    wanted = (col(row.workspace_id) == tx.workspace_id, col(row.account_id).in_(account_ids))
    rows = tx.session.execute(select_columns(*map(col, columns)).where(*wanted))
    return {(contract_id, ends_on): (id_, outcome, verdict) for contract_id, ends_on, id_, outcome, verdict in rows}


def _list_open(contracts: Iterable[ContractFacts], kept: Mapping[_End, _Kept], today: date) -> list[RenewalFacts]:
    found = []
    for contract, end in list_questions(contracts, today):
        id_, outcome, verdict = kept.get((contract.id, end.ends_on), ("", RenewalOutcome.OPEN, None))
        if outcome is RenewalOutcome.OPEN:
            notice = contract.term.notice_received_on
            found.append(RenewalFacts(id_, contract.id, end.ends_on, end.decides_on, notice, verdict))
    return found


def _is_coming(tx: Tx, until: date, owner_id: str | None) -> list[ColumnElement[bool]]:
    wanted = [
        col(RenewalRow.workspace_id) == tx.workspace_id,
        is_in_use(tx),
        col(AccountRow.state) != AccountState.LOST,
        col(RenewalRow.outcome) == RenewalOutcome.OPEN,
        col(RenewalRow.decides_on) <= until,
    ]
    return wanted if owner_id is None else [*wanted, col(AccountRow.owner_id) == owner_id]


def _of(tx: Tx) -> SelectOfScalar[RenewalRow]:
    return select(RenewalRow).where(RenewalRow.workspace_id == tx.workspace_id)
