"""The use a health score looks at, for a page of accounts in a handful of queries. Owns those sums over windows;
refuses to judge them (`rules.health.usage`) and to make the rows they sum (`storage.health.usage_days`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Subquery, case, func, select
from sqlmodel import col

from rules.health.usage import WINDOW_DAYS, Gauge, Usage
from storage.db import Tx
from storage.health.usage import UsageDayRow
from storage.health.usage_days import use_spans

_WEEK_DAYS = 7

FeatureSums = tuple[dict[str, float], dict[str, float]]


def list_usage(tx: Tx, account_ids: Sequence[str], until: date, gauge_keys: Sequence[str]) -> dict[str, Usage]:
    """The use up to `until` (the feed's last day) of every account of the page, also of those without any.

    `gauge_keys` are the metrics that hold levels (`usage_days.list_gauge_keys`). At most five queries.
    """
    spans = use_spans(tx, account_ids, until)
    sums = _sum_features(tx, account_ids, until, gauge_keys)
    days = _count_active_days(tx, account_ids, until)
    gauges = _read_gauges(tx, account_ids, until, gauge_keys)
    gauged = _list_gauged(tx, [each for each in account_ids if each not in gauges], until, gauge_keys) | set(gauges)
    nothing: FeatureSums = ({}, {})
    found = {}
    for each in account_ids:
        first, last = spans.get(each, (None, None))
        current, previous = sums.get(each, nothing)
        found[each] = Usage(first, last, current, previous, days.get(each, 0), gauges.get(each, {}), each in gauged)
    return found


def _sum_features(tx: Tx, account_ids: Sequence[str], until: date, gauge_keys: Sequence[str]) -> dict[str, FeatureSums]:
    row = UsageDayRow
    is_current = col(row.day) > until - timedelta(WINDOW_DAYS)
    rows = tx.session.execute(
        select(
            col(row.account_id),
            col(row.metric_key),
            func.sum(case((is_current, col(row.value)), else_=0.0)),
            func.sum(case((is_current, 0.0), else_=col(row.value))),
        )
        .where(*_in_windows(tx, account_ids, until), col(row.metric_key).not_in(gauge_keys))
        .group_by(col(row.account_id), col(row.metric_key))
    )
    found: dict[str, FeatureSums] = {}
    for account_id, key, now, before in rows:
        current, previous = found.setdefault(account_id, ({}, {}))
        current[key], previous[key] = now, before
    return found


def _count_active_days(tx: Tx, account_ids: Sequence[str], until: date) -> dict[str, int]:
    row = UsageDayRow
    query = select(col(row.account_id), func.count(col(row.day).distinct())).where(
        *_in_windows(tx, account_ids, until), col(row.value) > 0
    )
    return dict(tx.session.execute(query.group_by(col(row.account_id))).all())


def _read_gauges(
    tx: Tx, account_ids: Sequence[str], until: date, gauge_keys: Sequence[str]
) -> dict[str, dict[str, Gauge]]:
    day = _gauge_days(tx, account_ids, until, gauge_keys)
    is_current, is_week = (day.c.day > until - timedelta(length) for length in (WINDOW_DAYS, _WEEK_DAYS))
    rows = tx.session.execute(
        select(
            day.c.account_id,
            day.c.metric_key,
            func.max(day.c.day),
            func.max(case((day.c.day == day.c.latest, day.c.value))),
            func.max(case((is_week, day.c.value))),
            func.avg(case((is_current, day.c.value))),
            func.avg(case((~is_current, day.c.value))),
        ).group_by(day.c.account_id, day.c.metric_key)
    )
    found: dict[str, dict[str, Gauge]] = {}
    for account_id, key, *rest in rows:
        found.setdefault(account_id, {})[key] = Gauge(*rest)
    return found


def _gauge_days(tx: Tx, account_ids: Sequence[str], until: date, gauge_keys: Sequence[str]) -> Subquery:
    """One value per account, gauge and day: of the whole account if it has its own row, else the sum of its teams."""
    row = UsageDayRow
    keys = (col(row.account_id), col(row.metric_key), col(row.day))
    whole = func.max(case((col(row.team) == "", col(row.value))))
    return (
        select(
            *keys,
            func.coalesce(whole, func.sum(col(row.value))).label("value"),
            func.max(col(row.day)).over(partition_by=keys[:2]).label("latest"),
        )
        .where(*_in_windows(tx, account_ids, until), col(row.metric_key).in_(gauge_keys))
        .group_by(*keys)
        .subquery("gauge_days")
    )


def _list_gauged(tx: Tx, account_ids: Sequence[str], until: date, gauge_keys: Sequence[str]) -> set[str]:
    """Which of the accounts had a gauge at any time."""
    row = UsageDayRow
    wanted = (col(row.workspace_id) == tx.workspace_id, col(row.account_id).in_(account_ids), col(row.day) <= until)
    query = select(col(row.account_id)).where(*wanted, col(row.metric_key).in_(gauge_keys)).distinct()
    return set(tx.session.execute(query).scalars())


def _in_windows(tx: Tx, account_ids: Sequence[str], until: date) -> tuple[ColumnElement[bool], ...]:
    return (
        col(UsageDayRow.workspace_id) == tx.workspace_id,
        col(UsageDayRow.account_id).in_(account_ids),
        col(UsageDayRow.day) > until - timedelta(2 * WINDOW_DAYS),
        col(UsageDayRow.day) <= until,
    )
