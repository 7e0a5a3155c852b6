"""Risks of accounts: what may go wrong, what we do about it, whose it is, how it ended. Owns their table and queries.

Who changes them goes through `storage.success.risk_writes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Field, Index, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.success.risks import RiskOutcome, RiskState
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, key, moment, workspace


class RiskRow(SQLModel, table=True):
    """Something that may keep an account from its success, until it is closed. `checkin_id`: where it was named;
    `version` is for compare-and-set.
    """

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
    closed_by: str | None = Field(default=None, foreign_key="members.id")
    outcome: RiskOutcome | None = choice(RiskOutcome, default=None, nullable=True)
    outcome_note: str = ""
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


def to_risk(row: RiskRow) -> RiskState:
    """The record decisions are made on."""
    return RiskState(row.id, row.version, row.text, row.plan, row.owner_id, row.closed_on)


def get_risk(tx: Tx, risk_id: str) -> RiskRow:
    """The risk, also a closed one or one that was taken back. Raises `NotFoundError`."""
    row = tx.session.exec(select(RiskRow).where(RiskRow.workspace_id == tx.workspace_id, RiskRow.id == risk_id)).first()
    if row is None:
        raise NotFoundError("This risk no longer exists. See `/cs risks` for those that do.")
    return row


def list_risks(
    tx: Tx,
    *,
    account_id: str | None = None,
    owner_id: str | None = None,
    is_open: bool = True,
    limit: int = 200,
    offset: int = 0,
) -> list[tuple[RiskRow, AccountRow]]:
    """Risks of accounts in use, with their accounts: open ones from the oldest, closed ones from the latest closed."""
    order = col(RiskRow.opened_on) if is_open else col(RiskRow.closed_on).desc()
    query = (
        select(RiskRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(RiskRow.account_id))
        .where(*_wanted(tx, account_id, owner_id, is_open=is_open))
    )
    found = tx.session.exec(query.order_by(order, col(RiskRow.created_at), col(RiskRow.id)).limit(limit).offset(offset))
    return list(found.all())


def count_risks(tx: Tx, *, account_id: str | None = None, owner_id: str | None = None, is_open: bool = True) -> int:
    """How many `list_risks` would give without a limit."""
    query: SelectOfScalar[int] = (
        select(func.count())
        .select_from(RiskRow)
        .join(AccountRow, col(AccountRow.id) == col(RiskRow.account_id))
        .where(*_wanted(tx, account_id, owner_id, is_open=is_open))
    )
    return tx.session.exec(query).one()


def count_open_risks(tx: Tx, account_ids: Sequence[str]) -> dict[str, int]:
    """How many open risks each account has; accounts without any are left out."""
    rows = tx.session.exec(
        select(RiskRow.account_id, func.count())
        .where(
            RiskRow.workspace_id == tx.workspace_id,
            col(RiskRow.account_id).in_(account_ids),
            col(RiskRow.closed_on).is_(None),
            col(RiskRow.removed_at).is_(None),
        )
        .group_by(col(RiskRow.account_id))
    )
    return dict(rows.all())


def list_risks_of_checkin(tx: Tx, checkin_id: str) -> list[RiskRow]:
    """The risks a check-in named that were not taken back."""
    return list(
        tx.session.exec(
            select(RiskRow).where(
                RiskRow.workspace_id == tx.workspace_id,
                RiskRow.checkin_id == checkin_id,
                col(RiskRow.removed_at).is_(None),
            )
        )
    )


def _wanted(tx: Tx, account_id: str | None, owner_id: str | None, *, is_open: bool) -> list[ColumnElement[bool]]:
    """The conditions of a list. A risk nobody owns is its account's owner's."""
    closed = col(RiskRow.closed_on)
    wanted: list[ColumnElement[bool]] = [
        col(RiskRow.workspace_id) == tx.workspace_id,
        is_in_use(tx),
        col(RiskRow.removed_at).is_(None),
        closed.is_(None) if is_open else closed.is_not(None),
    ]
    if account_id is not None:
        wanted.append(col(RiskRow.account_id) == account_id)
    if owner_id is not None:
        wanted.append(func.coalesce(col(RiskRow.owner_id), col(AccountRow.owner_id)) == owner_id)
    return wanted
