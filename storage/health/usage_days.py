"""Usage per account, team, metric and day: made from events, read in bulk. Owns the sums of `usage_days` and
when the product was used; refuses to take events in (`storage.health.usage`), the windows a score looks at
(`storage.health.usage_windows`) and to judge use (`rules.health.usage`).

A day's rows depend on the events alone, never on their order: features are summed per team, gauges (metrics of role
"active_users") are the largest value per team. Where events name persons and no weekly gauge was sent, the weekly
gauge is worked out, on each day with persons: how many different ones in the seven days up to it, with team "" for the
whole account. A gauge's row with team "" stands for the account, else its teams' rows are added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    values,
)
from sqlalchemy import column as named_column
from sqlalchemy.orm import aliased
from sqlmodel import col

from rules.health.usage import GAUGE_DAYS, WEEKLY
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.health.usage import UsageDayRow, UsageDirtyRow, UsageEventRow
from storage.success.metrics import MetricRow

_WEEK_DAYS = 7
_COLUMNS = ("workspace_id", "account_id", "day", "metric_key", "team", "value")

AccountDay = tuple[str, date]
_DayOfAccount = UsageEventRow | UsageDayRow | UsageDirtyRow


# ---------------------------------------------------------------- rolling up


def roll_up_dirty(tx: Tx, limit: int) -> int:
    """Work out again the rows of up to `limit` (account, day) pairs whose events changed; returns how many pairs."""
    pairs = _take_dirty(tx, limit)
    if pairs:
        gauges = list_gauge_keys(tx)
        _sum_days(tx, pairs, gauges)
        peopled = _list_peopled(tx, pairs)
        if peopled:
            _count_weeks(tx, _days_of_weeks(peopled))
    return len(pairs)


def list_gauge_keys(tx: Tx) -> list[str]:
    """Metric keys whose values are levels and not amounts: the known gauges and the catalogue's."""
    rows = tx.session.execute(
        select(col(MetricRow.key)).where(
            col(MetricRow.workspace_id) == tx.workspace_id, col(MetricRow.role) == "active_users"
        )
    )
    return sorted({*GAUGE_DAYS, *rows.scalars()})


def _take_dirty(tx: Tx, limit: int) -> list[AccountDay]:
    if tx.is_postgres:  # waits for imports in flight, whose marks an existing one would hide
        tx.session.execute(text("LOCK TABLE usage_dirty IN SHARE ROW EXCLUSIVE MODE"))
    chosen = (
        select(col(UsageDirtyRow.account_id), col(UsageDirtyRow.day))
        .where(col(UsageDirtyRow.workspace_id) == tx.workspace_id)
        .order_by(col(UsageDirtyRow.account_id), col(UsageDirtyRow.day))
        .limit(limit)
    )
    pairs = [(account_id, day) for account_id, day in tx.session.execute(chosen)]
    if pairs:
        _forget(tx, UsageDirtyRow, _of_days(tx, pairs, UsageDirtyRow))
    return pairs


def _sum_days(tx: Tx, pairs: Sequence[AccountDay], gauges: Sequence[str]) -> None:
    _forget(tx, UsageDayRow, _of_days(tx, pairs, UsageDayRow), col(UsageDayRow.metric_key) != WEEKLY)
    event = UsageEventRow
    value = case((col(event.metric_key).in_(gauges), func.max(event.value)), else_=func.sum(event.value))
    keys = [col(each) for each in (event.workspace_id, event.account_id, event.day, event.metric_key, event.team)]
    _insert(tx, select(*keys, value).where(_of_days(tx, pairs), col(event.metric_key) != WEEKLY).group_by(*keys))


def _list_peopled(tx: Tx, pairs: Sequence[AccountDay]) -> list[AccountDay]:
    """Those of the pairs whose events bear on a weekly gauge: they name persons, or are such a gauge."""
    event = UsageEventRow
    bears = or_(col(event.person) != "", col(event.metric_key) == WEEKLY)
    rows = tx.session.execute(
        select(col(event.account_id), col(event.day)).where(_of_days(tx, pairs), bears).distinct()
    )
    return [(account_id, day) for account_id, day in rows]


def _days_of_weeks(pairs: Iterable[AccountDay]) -> list[AccountDay]:
    """The days whose week holds one of `pairs`."""
    return sorted({(account_id, day + timedelta(later)) for account_id, day in pairs for later in range(_WEEK_DAYS)})


def _count_weeks(tx: Tx, pairs: Sequence[AccountDay]) -> None:
    _forget(tx, UsageDayRow, _of_days(tx, pairs, UsageDayRow), col(UsageDayRow.metric_key) == WEEKLY)
    event = UsageEventRow
    keys = [col(each) for each in (event.workspace_id, event.account_id, event.day, event.metric_key, event.team)]
    sent = select(*keys, func.max(event.value)).where(_of_days(tx, pairs), col(event.metric_key) == WEEKLY)
    _insert(tx, sent.group_by(*keys))
    for is_by_team in (False, True):
        _insert(tx, _persons_of_weeks(tx, pairs, is_by_team=is_by_team))


def _persons_of_weeks(tx: Tx, pairs: Sequence[AccountDay], *, is_by_team: bool) -> Any:
    """Distinct persons in the week up to each of `pairs` that has persons, unless a weekly gauge was sent."""
    event: Any = aliased(UsageEventRow)
    sent: Any = aliased(UsageEventRow)
    has_person = (col(UsageEventRow.person) != "", col(UsageEventRow.value) > 0)
    ends = select(col(UsageEventRow.account_id), col(UsageEventRow.day)).where(_of_days(tx, pairs), *has_person)
    end = ends.distinct().cte("ends")
    team = event.team if is_by_team else literal("")
    is_sent = exists().where(
        sent.workspace_id == tx.workspace_id,
        sent.account_id == end.c.account_id,
        sent.day == end.c.day,
        sent.metric_key == WEEKLY,
    )
    query = (
        select(event.workspace_id, end.c.account_id, end.c.day, literal(WEEKLY), team, _distinct(event.person))
        .join(end, (event.account_id == end.c.account_id) & (event.day <= end.c.day))
        .where(event.workspace_id == tx.workspace_id, event.day > _week_before(tx, end.c.day), ~is_sent)
        .where(event.person != "", event.value > 0)
    )
    grouped = query.group_by(event.workspace_id, end.c.account_id, end.c.day)
    return grouped.where(event.team != "").group_by(event.team) if is_by_team else grouped


def _distinct(column: Any) -> ColumnElement[int]:
    return func.count(column.distinct())


def _week_before(tx: Tx, day: ColumnElement[date]) -> ColumnElement[date]:
    """The dialects count days apart: SQLite stores ISO text."""
    if tx.is_postgres:
        return day - literal(_WEEK_DAYS, Integer)
    return func.date(day, f"-{_WEEK_DAYS} days", type_=Date)


def _of_days(tx: Tx, pairs: Sequence[AccountDay], row: type[_DayOfAccount] = UsageEventRow) -> ColumnElement[bool]:
    """Rows of exactly those pairs. The accounts and the span of days are named as well, because SQLite finds pairs by
    reading through the whole workspace.
    """
    days = [day for _, day in pairs]
    return and_(
        col(row.workspace_id) == tx.workspace_id,
        col(row.account_id).in_(sorted({account_id for account_id, _ in pairs})),
        col(row.day).between(min(days), max(days)),
        tuple_(col(row.account_id), col(row.day)).in_(pairs),
    )


def _forget(tx: Tx, row: type[UsageDayRow | UsageDirtyRow], *which: ColumnElement[bool]) -> None:
    tx.session.execute(delete(row).where(*which), execution_options={"synchronize_session": False})


def _insert(tx: Tx, rows: Any) -> None:
    tx.session.execute(insert(UsageDayRow).from_select(list(_COLUMNS), rows))


# ---------------------------------------------------------------- the feed and the span of use


def last_day(tx: Tx, on: date) -> date | None:
    """The workspace's last day with any usage event, not after `on`."""
    event = UsageEventRow
    found: date | None = tx.session.execute(
        select(func.max(col(event.day))).where(col(event.workspace_id) == tx.workspace_id, col(event.day) <= on)
    ).scalar()
    return found


def list_feed_days(tx: Tx, since: date, until: date) -> list[date]:
    """The days of [since, until] on which any account had a usage event. Each day is one seek in the index: reading
    the events between would take seconds.
    """
    days = [since + timedelta(offset) for offset in range((until - since).days + 1)]
    if not days:
        return []
    asked = values(named_column("day", Date), name="asked").data([(day,) for day in days]).cte("asked")
    has_event = exists().where(
        col(UsageEventRow.workspace_id) == tx.workspace_id, col(UsageEventRow.day) == asked.c.day
    )
    return list(tx.session.execute(select(asked.c.day).where(has_event).order_by(asked.c.day)).scalars())


def use_spans(tx: Tx, account_ids: Sequence[str], on: date) -> dict[str, tuple[date, date]]:
    """First and last day with an event above 0, not after `on`, of those accounts that have one."""
    event = UsageEventRow
    is_use = (col(event.day) <= on) & (col(event.value) > 0)
    rows = tx.session.execute(
        select(
            col(AccountRow.id),
            _edge_of_use(tx, is_use, col(event.day).asc()).label("first"),
            _edge_of_use(tx, is_use, col(event.day).desc()).label("last"),
        ).where(col(AccountRow.workspace_id) == tx.workspace_id, col(AccountRow.id).in_(account_ids))
    )
    return {account_id: (first, last) for account_id, first, last in rows if last is not None}


def last_use(tx: Tx, account_ids: Sequence[str], on: date) -> dict[str, date]:
    """The last day with an event above 0, not after `on`, of those accounts that have one."""
    return {account_id: last for account_id, (_, last) in use_spans(tx, account_ids, on).items()}


def _edge_of_use(tx: Tx, which: ColumnElement[bool], order: ColumnElement[Any]) -> Any:
    """One seek in the index per account, however many events it has."""
    return (
        select(col(UsageEventRow.day))
        .where(
            col(UsageEventRow.workspace_id) == tx.workspace_id,
            col(UsageEventRow.account_id) == col(AccountRow.id),
            which,
        )
        .order_by(order)
        .limit(1)
        .correlate(AccountRow)
        .scalar_subquery()
    )


def list_days(tx: Tx, account_ids: Sequence[str], since: date, until: date) -> dict[str, list[UsageDayRow]]:
    """Every row of [since, until], by day, metric and team."""
    row = UsageDayRow
    wanted = (col(row.workspace_id) == tx.workspace_id, col(row.account_id).in_(account_ids))
    order = (col(row.account_id), col(row.day), col(row.metric_key), col(row.team))
    found: dict[str, list[UsageDayRow]] = {}
    query = select(row).where(*wanted, col(row.day).between(since, until)).order_by(*order)
    for each in tx.session.execute(query).scalars():
        found.setdefault(each.account_id, []).append(each)
    return found
