"""The health of many accounts at a glance: how many in each band, who fell most. Owns those two questions over
accounts and their scores, and lists of accounts by what is known of them; refuses single accounts and scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col, or_
from sqlmodel import select as select_rows

from rules.records import AccountState, Band, Tier
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.health.health import HealthScoreRow


@dataclass(frozen=True)
class AccountFilter:
    """Which accounts a list shows; None leaves a property open. `band` is the latest on `on` (none: unknown)."""

    owner_id: str | None = None
    tier: Tier | None = None
    state: AccountState | None = None
    band: Band | None = None
    on: date = date.max


@dataclass(frozen=True)
class Standing:
    """An account's score on the later of two days, and what it was on the earlier (None: unknown)."""

    account: AccountRow
    band: Band
    score: float
    before: float | None = None


def find_score_day(tx: Tx, on: date) -> date | None:
    """The last day, not after `on`, that accounts were scored for."""
    found: date | None = tx.session.execute(
        select(func.max(col(HealthScoreRow.day))).where(
            col(HealthScoreRow.workspace_id) == tx.workspace_id, col(HealthScoreRow.day) <= on
        )
    ).scalar()
    return found


def count_bands(tx: Tx, day: date, owner_id: str | None = None) -> dict[Band, int]:
    """Accounts in use and not lost by their band on `day`, of one owner or all; those without a score are unknown."""
    rows = tx.session.execute(
        select(col(HealthScoreRow.band), func.count())
        .select_from(AccountRow)
        .outerjoin(HealthScoreRow, _is_of(tx, HealthScoreRow, day))
        .where(*_watched(tx, owner_id))
        .group_by(col(HealthScoreRow.band))
    )
    counts = dict.fromkeys(Band, 0)
    for band, count in rows:
        counts[band or Band.UNKNOWN] += count
    return counts


def list_falls(tx: Tx, day: date, since: date, owner_id: str | None = None, limit: int = 5) -> list[Standing]:
    """The accounts whose score fell most from `since` to `day`, by at least one point, the biggest fall first."""
    before: Any = aliased(HealthScoreRow)
    fall = before.score - col(HealthScoreRow.score)
    rows = tx.session.execute(
        select(AccountRow, col(HealthScoreRow.band), col(HealthScoreRow.score), before.score)
        .join(HealthScoreRow, _is_of(tx, HealthScoreRow, day))
        .join(before, _is_of(tx, before, since))
        .where(*_watched(tx, owner_id), fall >= 1)
        .order_by(fall.desc(), col(AccountRow.name), col(AccountRow.id))
        .limit(limit)
    )
    return [Standing(*row) for row in rows]


def list_lowest(tx: Tx, day: date, owner_id: str | None = None, limit: int = 5) -> list[Standing]:
    """The accounts in the red band on `day`, the lowest score first."""
    rows = tx.session.execute(
        select(AccountRow, col(HealthScoreRow.band), col(HealthScoreRow.score))
        .join(HealthScoreRow, _is_of(tx, HealthScoreRow, day))
        .where(*_watched(tx, owner_id), col(HealthScoreRow.band) == Band.RED)
        .order_by(col(HealthScoreRow.score), col(AccountRow.name), col(AccountRow.id))
        .limit(limit)
    )
    return [Standing(*row) for row in rows]


def find_score_day_before(tx: Tx, day: date, days: int) -> date | None:
    """The score day closest to `days` before `day` on the early side, at most as many days earlier again."""
    found = find_score_day(tx, day - timedelta(days))
    return found if found is not None and found >= day - timedelta(2 * days) else None


def _is_of(tx: Tx, scores: Any, day: date) -> ColumnElement[bool]:
    return and_(scores.workspace_id == tx.workspace_id, scores.account_id == col(AccountRow.id), scores.day == day)


def _watched(tx: Tx, owner_id: str | None) -> tuple[ColumnElement[bool], ...]:
    watched = (
        col(AccountRow.workspace_id) == tx.workspace_id,
        col(AccountRow.archived_at).is_(None),
        col(AccountRow.state) != AccountState.LOST,
    )
    return watched if owner_id is None else (*watched, col(AccountRow.owner_id) == owner_id)


def list_accounts(
    tx: Tx, owner_id: str | None = None, limit: int = 200, offset: int = 0, *, chosen: AccountFilter | None = None
) -> list[AccountRow]:
    """Accounts in use by name; of one owner, or those that `chosen` describes."""
    wanted = chosen or AccountFilter(owner_id=owner_id)
    query = (
        select_rows(AccountRow).where(_is_wanted(tx, wanted)).order_by(func.lower(AccountRow.name), col(AccountRow.id))
    )
    return list(tx.session.exec(query.limit(limit).offset(offset)))


def count_accounts(tx: Tx, owner_id: str | None = None, *, chosen: AccountFilter | None = None) -> int:
    """How many `list_accounts` would give without a limit."""
    wanted = chosen or AccountFilter(owner_id=owner_id)
    return tx.session.exec(select_rows(func.count()).select_from(AccountRow).where(_is_wanted(tx, wanted))).one()


def _is_wanted(tx: Tx, wanted: AccountFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [is_in_use(tx)]
    if wanted.owner_id is not None:
        conditions.append(col(AccountRow.owner_id) == wanted.owner_id)
    if wanted.tier is not None:
        conditions.append(col(AccountRow.tier) == wanted.tier)
    if wanted.state is not None:
        conditions.append(col(AccountRow.state) == wanted.state)
    if wanted.band is not None:
        conditions.append(_has_band(tx, wanted.band, wanted.on))
    return and_(*conditions)


def _has_band(tx: Tx, band: Band, on: date) -> ColumnElement[bool]:
    """By the scores of the last day anybody was scored for, which nearly all accounts have: one look into an index.
    Only for accounts that have none of that day their own last score is asked for.
    """
    row = HealthScoreRow
    here = col(row.workspace_id) == tx.workspace_id
    last_day = select(func.max(col(row.day))).where(here, col(row.day) <= on).scalar_subquery()
    scored = select(col(row.account_id)).where(here, col(row.day) == last_day)
    is_left_out = col(AccountRow.id).not_in(scored)
    return or_(col(AccountRow.id).in_(scored.where(col(row.band) == band)), and_(is_left_out, _had_band(tx, band, on)))


def _had_band(tx: Tx, band: Band, on: date) -> ColumnElement[bool]:
    latest = (
        select(col(HealthScoreRow.band))
        .where(
            col(HealthScoreRow.workspace_id) == tx.workspace_id,
            col(HealthScoreRow.account_id) == col(AccountRow.id),
            col(HealthScoreRow.day) <= on,
        )
        .order_by(col(HealthScoreRow.day).desc())
        .limit(1)
        .scalar_subquery()
    )
    is_it: ColumnElement[bool] = latest == band
    return or_(is_it, latest.is_(None)) if band is Band.UNKNOWN else is_it


def list_channels(tx: Tx, limit: int) -> list[str]:
    """Channels of accounts in use, each once, in order of their ids."""
    query = select_rows(AccountRow.channel_id).where(is_in_use(tx), AccountRow.channel_id != "").distinct()
    return list(tx.session.exec(query.order_by(AccountRow.channel_id).limit(limit)))
