"""Check-ins: what was learnt in one, and which are offered to whom. Owns their tables and queries.

Who changes them goes through `storage.success.checkin_writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, text
from sqlalchemy import select as select_columns
from sqlmodel import Field, Index, SQLModel, col, or_, select

from rules.records import OfferState
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, json_value, key, moment, workspace
from storage.lookup import is_among


class CheckinRow(SQLModel, table=True):
    """One check-in. `pulse` is the CSM's own feeling of the account, 1 (bad) to 5 (good), shown beside the score and
    never in it. `contact_id` is who it was spoken with, `measurement_ids` are the values that were logged with it.
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
    contact_id: str | None = Field(default=None, foreign_key="contacts.id")
    measurement_ids: list[str] = json_value(default_factory=list)
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


class CheckinOfferRow(SQLModel, table=True):
    """A check-in that is due, offered to the one who looks after the account. One open offer per account.

    `batch_id` names the message it was offered in, `reminder_id` that of its one reminder; both are days of the member.
    `resumes_on`: put off until that day (SKIPPED; None: the account's rhythm goes on from `settled_on`).
    """

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
    reminder_id: str = Field(default="", index=True)
    settled_on: date | None = None
    settled_by: str | None = Field(default=None, foreign_key="members.id")
    resumes_on: date | None = None
    checkin_id: str | None = Field(default=None, foreign_key="checkins.id", index=True)
    reason: str = ""
    version: int = 1
    created_at: datetime = moment()


Offers = list[tuple[CheckinOfferRow, AccountRow]]
"""Offered check-ins with their accounts."""

# ---------------------------------------------------------------- check-ins


def find_checkin(tx: Tx, checkin_id: str) -> CheckinRow | None:
    """The check-in, also one that was taken back."""
    return tx.session.exec(
        select(CheckinRow).where(CheckinRow.workspace_id == tx.workspace_id, CheckinRow.id == checkin_id)
    ).first()


def get_checkin(tx: Tx, checkin_id: str) -> CheckinRow:
    """The check-in, also one that was taken back. Raises `NotFoundError`."""
    row = find_checkin(tx, checkin_id)
    if row is None:
        raise NotFoundError("This check-in no longer exists. See `/cs checkins` for those that are due.")
    return row


def last_checkins(tx: Tx, account_ids: Iterable[str]) -> dict[str, date]:
    """The day of each account's latest check-in; accounts without any are left out."""
    rows = tx.session.exec(
        select(CheckinRow.account_id, func.max(CheckinRow.happened_on))
        .where(_is_counted(tx, account_ids))
        .group_by(col(CheckinRow.account_id))
    )
    return dict(rows.all())


def latest_pulses(tx: Tx, account_ids: Iterable[str]) -> dict[str, tuple[int, date]]:
    """Each account's latest pulse, 1 (bad) to 5 (good), and the day it was felt; accounts without any are left out."""
    newest = (col(CheckinRow.happened_on).desc(), col(CheckinRow.created_at).desc(), col(CheckinRow.id))
    ranked = (
        select_columns(
            col(CheckinRow.account_id),
            col(CheckinRow.pulse),
            col(CheckinRow.happened_on),
            func.row_number().over(partition_by=col(CheckinRow.account_id), order_by=newest).label("place"),
        )
        .where(_is_counted(tx, account_ids), col(CheckinRow.pulse).is_not(None))
        .subquery()
    )
    rows = tx.session.execute(
        select_columns(ranked.c.account_id, ranked.c.pulse, ranked.c.happened_on).where(ranked.c.place == 1)
    )
    return {account_id: (pulse, day) for account_id, pulse, day in rows}


def _is_counted(tx: Tx, account_ids: Iterable[str]) -> ColumnElement[bool]:
    return and_(
        col(CheckinRow.workspace_id) == tx.workspace_id,
        is_among(tx, col(CheckinRow.account_id), account_ids),
        col(CheckinRow.removed_at).is_(None),
    )


# ---------------------------------------------------------------- offers


def get_offer(tx: Tx, offer_id: str) -> CheckinOfferRow:
    """The offer, also one that is settled. Raises `NotFoundError`."""
    row = tx.session.exec(
        select(CheckinOfferRow).where(CheckinOfferRow.workspace_id == tx.workspace_id, CheckinOfferRow.id == offer_id)
    ).first()
    if row is None:
        raise NotFoundError("This check-in is no longer offered. See `/cs checkins` for those that are due.")
    return row


def to_batch(member_id: str, day: date) -> str:
    """The id of the one message a member gets about check-ins on a day of theirs."""
    return f"{member_id}:{day.isoformat()}"


def list_settled_by(tx: Tx, checkin_id: str) -> list[CheckinOfferRow]:
    """The offers that a check-in settled."""
    return list(
        tx.session.exec(
            select(CheckinOfferRow).where(
                CheckinOfferRow.workspace_id == tx.workspace_id, CheckinOfferRow.checkin_id == checkin_id
            )
        )
    )


def find_open_offer(tx: Tx, account_id: str) -> CheckinOfferRow | None:
    """The open offer of an account."""
    return tx.session.exec(
        select(CheckinOfferRow).where(
            CheckinOfferRow.workspace_id == tx.workspace_id,
            CheckinOfferRow.account_id == account_id,
            CheckinOfferRow.state == OfferState.OFFERED,
        )
    ).first()


def list_open_offers(tx: Tx, member_id: str | None, account_ids: Iterable[str] | None = None) -> Offers:
    """Check-ins that wait for a member (None: for anybody) in accounts in use (in these, None: in all), the longest due
    first.
    """
    query = (
        select(CheckinOfferRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(CheckinOfferRow.account_id))
        .where(*_is_open(tx, member_id))
        .order_by(col(CheckinOfferRow.due_on), col(AccountRow.name), col(CheckinOfferRow.id))
    )
    if account_ids is not None:
        query = query.where(is_among(tx, col(CheckinOfferRow.account_id), account_ids))
    return list(tx.session.exec(query).all())


def list_offered_days(tx: Tx, member_id: str | None) -> list[tuple[str, date]]:
    """Of all that `list_open_offers` would give, in no order: the account, and since when it is due."""
    query = (
        select_columns(col(CheckinOfferRow.account_id), col(CheckinOfferRow.due_on))
        .join(AccountRow, col(AccountRow.id) == col(CheckinOfferRow.account_id))
        .where(*_is_open(tx, member_id))
    )
    return [(account_id, due_on) for account_id, due_on in tx.session.execute(query)]


def list_offered_rows(tx: Tx) -> list[CheckinOfferRow]:
    """All open offers, also those of accounts that are no longer in use."""
    return list(
        tx.session.exec(
            select(CheckinOfferRow)
            .where(CheckinOfferRow.workspace_id == tx.workspace_id, CheckinOfferRow.state == OfferState.OFFERED)
            .order_by(col(CheckinOfferRow.id))
        )
    )


def list_of_batch(tx: Tx, batch_id: str) -> Offers:
    """What one message offers or reminds of, with accounts, the longest due first; nothing for an empty id."""
    if not batch_id:
        return []
    query = (
        select(CheckinOfferRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(CheckinOfferRow.account_id))
        .where(
            CheckinOfferRow.workspace_id == tx.workspace_id,
            AccountRow.workspace_id == tx.workspace_id,
            or_(col(CheckinOfferRow.batch_id) == batch_id, col(CheckinOfferRow.reminder_id) == batch_id),
        )
        .order_by(col(CheckinOfferRow.due_on), col(AccountRow.name), col(CheckinOfferRow.id))
    )
    return list(tx.session.exec(query).all())


def list_told_members(tx: Tx, days: Sequence[date]) -> set[tuple[str, date]]:
    """(member, day): who was offered or reminded of a check-in on which of these days."""
    told: set[tuple[str, date]] = set()
    for day in (col(CheckinOfferRow.offered_on), col(CheckinOfferRow.reminded_on)):
        rows = tx.session.execute(
            select_columns(col(CheckinOfferRow.member_id), day)
            .where(col(CheckinOfferRow.workspace_id) == tx.workspace_id, day.in_(days))
            .distinct()
        )
        told |= {(member_id, on) for member_id, on in rows if on is not None}
    return told


def _is_open(tx: Tx, member_id: str | None) -> tuple[ColumnElement[bool], ...]:
    own = () if member_id is None else (col(CheckinOfferRow.member_id) == member_id,)
    is_offered = col(CheckinOfferRow.state) == OfferState.OFFERED
    return (col(CheckinOfferRow.workspace_id) == tx.workspace_id, is_in_use(tx), is_offered, *own)
