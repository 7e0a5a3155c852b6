"""What happened over a span of days: bands per day, alerts opened. Owns these reads for replays; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.records import Band
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
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
