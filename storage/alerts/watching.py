"""Alerts as the clock asks for them: what a new look is about, what wakes, what nobody watches any more.
Owns these reads; changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import and_, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.conditions import Topic
from rules.records import AccountState, EpisodeState
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow, is_unclosed
from storage.db import Tx


def list_latest_episodes(
    tx: Tx, account_ids: Sequence[str], closed_since: datetime, *, is_locking: bool = False
) -> dict[str, dict[Topic, EpisodeRow]]:
    """Per account and topic the alert a new observation is about: the open one, else the latest that is latched or
    was closed after `closed_since`. `is_locking` keeps others from changing them until the transaction ends.
    """
    matters = or_(
        col(EpisodeRow.closed_at).is_(None), col(EpisodeRow.closed_at) > closed_since, col(EpisodeRow.is_latched)
    )
    query = _of(tx).where(col(EpisodeRow.account_id).in_(account_ids), matters).order_by(col(EpisodeRow.id))
    rows = tx.session.exec(query.with_for_update() if is_locking else query)
    found: dict[str, dict[Topic, EpisodeRow]] = {}
    for row in sorted(rows, key=_open_last):
        found.setdefault(row.account_id, {})[row.kind, row.subject] = row
    return found


def _open_last(row: EpisodeRow) -> tuple[bool, datetime, str]:
    """For sorting: what was closed, the latest closed behind the others, and the open ones after that."""
    return row.closed_at is None, row.closed_at or row.opened_at, row.id


def list_due_snoozes(tx: Tx, now: datetime, limit: int = 200) -> list[EpisodeRow]:
    """Snoozed alerts whose time has come, the longest due first. Nobody else changes them in this transaction."""
    is_due = and_(EpisodeRow.state == EpisodeState.SNOOZED, col(EpisodeRow.snoozed_until) <= now)
    first = select(EpisodeRow.id).where(EpisodeRow.workspace_id == tx.workspace_id, is_due)
    first = first.order_by(col(EpisodeRow.snoozed_until), col(EpisodeRow.id)).limit(limit)
    query = _of(tx).where(is_due, col(EpisodeRow.id).in_(first)).order_by(col(EpisodeRow.id)).with_for_update()
    return sorted(tx.session.exec(query), key=lambda row: (row.snoozed_until or now, row.id))


def list_open_of_gone(tx: Tx, limit: int = 200) -> list[EpisodeRow]:
    """Open alerts of accounts that are no longer watched: archived or lost. Nobody else changes them in this
    transaction.
    """
    is_gone = or_(col(AccountRow.archived_at).is_not(None), AccountRow.state == AccountState.LOST)
    query = _of(tx).join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
    query = query.where(AccountRow.workspace_id == tx.workspace_id, is_gone, is_unclosed())
    return list(tx.session.exec(query.order_by(col(EpisodeRow.id)).limit(limit).with_for_update(of=EpisodeRow)))


def _of(tx: Tx) -> SelectOfScalar[EpisodeRow]:
    return select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id)
