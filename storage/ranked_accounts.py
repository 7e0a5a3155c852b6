"""Accounts in the order somebody looks through them: the ones in danger first, or those decided first. Owns these two
orders, by the page; refuses filters (`storage.health.portfolio`).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import col

from rules.records import RenewalOutcome
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.health.health import HealthScoreRow
from storage.health.portfolio import find_score_day
from storage.renewals.renewals import RenewalRow


class Order(StrEnum):
    """What comes first."""

    RISK = "risk"
    RENEWAL = "renewal"


def page_ranked(
    tx: Tx, order: Order, day: date, owner_id: str | None = None, *, limit: int = 10, offset: int = 0
) -> list[AccountRow]:
    """Accounts in use, of one owner or all: by the score of the last score day until `day`, the lowest first; or by the
    decision date of the open renewal. Those without one come last, by name.
    """
    query: Any = select(AccountRow).where(is_in_use(tx))
    if owner_id is not None:
        query = query.where(col(AccountRow.owner_id) == owner_id)
    ranked, value = _by_risk(tx, query, day) if order is Order.RISK else _by_renewal(tx, query)
    ordered = ranked.order_by(value.is_(None), value, func.lower(AccountRow.name), col(AccountRow.id))
    return list(tx.session.execute(ordered.limit(limit).offset(offset)).scalars())


def _by_risk(tx: Tx, query: Any, day: date) -> tuple[Any, Any]:
    row, scored = HealthScoreRow, find_score_day(tx, day)
    is_its = and_(col(row.workspace_id) == tx.workspace_id, col(row.account_id) == col(AccountRow.id))
    return query.outerjoin(row, and_(is_its, col(row.day) == scored)), col(row.score)


def _by_renewal(tx: Tx, query: Any) -> tuple[Any, Any]:
    row = RenewalRow
    first = (
        select(col(row.account_id), func.min(col(row.decides_on)).label("decides_on"))
        .where(col(row.workspace_id) == tx.workspace_id, col(row.outcome) == RenewalOutcome.OPEN)
        .group_by(col(row.account_id))
        .subquery("first")
    )
    return query.outerjoin(first, first.c.account_id == col(AccountRow.id)), first.c.decides_on
