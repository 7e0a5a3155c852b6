"""What happened: bands per day and alerts opened, for replays; all that was done to the alerts of an account. Owns
these reads; changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.records import Band
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx
from storage.health.health import HealthScoreRow


def count_bands(tx: Tx, days: Sequence[date]) -> dict[date, dict[Band, int]]:
    """How many accounts were in each band on each of the days."""
    statement = (
        select_columns(col(HealthScoreRow.day), col(HealthScoreRow.band), func.count())
        .where(col(HealthScoreRow.workspace_id) == tx.workspace_id, col(HealthScoreRow.day).in_(days))
        .group_by(col(HealthScoreRow.day), col(HealthScoreRow.band))
    )
    counted: dict[date, dict[Band, int]] = {}
    for day, band, count in tx.session.execute(statement):
        counted.setdefault(day, {})[band] = count
    return counted


def list_opened(tx: Tx, since: datetime, until: datetime) -> list[tuple[EpisodeRow, str]]:
    """Alerts opened in [since, until) with their account's name, in the order they were opened."""
    statement = (
        select(EpisodeRow, AccountRow.name)
        .join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
        .where(
            EpisodeRow.workspace_id == tx.workspace_id,
            AccountRow.workspace_id == tx.workspace_id,
            EpisodeRow.opened_at >= since,
            EpisodeRow.opened_at < until,
        )
        .order_by(col(EpisodeRow.opened_at), AccountRow.name, col(EpisodeRow.kind))
    )
    return list(tx.session.exec(statement).all())


def list_events(tx: Tx, account_id: str, *, limit: int, offset: int = 0) -> list[tuple[AlertEventRow, EpisodeRow]]:
    """What happened to the account's alerts, newest first, each with its alert."""
    found = select(AlertEventRow, EpisodeRow).join(EpisodeRow, col(EpisodeRow.id) == col(AlertEventRow.episode_id))
    ordered = found.where(*_is_about(tx, account_id)).order_by(
        col(AlertEventRow.at).desc(), col(AlertEventRow.version).desc(), col(AlertEventRow.id)
    )
    return list(tx.session.exec(ordered.limit(limit).offset(offset)).all())


def count_events(tx: Tx, account_id: str) -> int:
    """How many `list_events` would give without a limit."""
    counted = select(func.count()).select_from(AlertEventRow)
    counted = counted.join(EpisodeRow, col(EpisodeRow.id) == col(AlertEventRow.episode_id))
    return tx.session.exec(counted.where(*_is_about(tx, account_id))).one()


def _is_about(tx: Tx, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(AlertEventRow.workspace_id) == tx.workspace_id,
        col(EpisodeRow.workspace_id) == tx.workspace_id,
        col(EpisodeRow.account_id) == account_id,
    )
