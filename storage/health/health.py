"""Health scores, one per account and day, with the factors they were made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Index, SQLModel, col

from rules.health.health import DayScore, Health
from rules.records import Band
from storage.db import Tx
from storage.fields import account, choice, json_value, table_of, workspace


class HealthScoreRow(SQLModel, table=True):
    """`score` 0...100 or None (unknown, coverage under 50 %). `factors` maps each factor's name to
    {"x": 0...100 or None, "w": weight, "state": "present" | "missing" | "not_applicable", "facts": {...}}; `present` is
    the factors present once more, as JSON text {name: [x, weight]}, a quarter as long ("" in rows of earlier versions):
    a scan compares 26 days of every account, and decoding the factors was most of its time.
    """

    __tablename__ = "health_scores"
    __table_args__ = (Index("ix_health_scores_day", "workspace_id", "day", "band"),)

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    day: date = Field(primary_key=True)
    score: float | None = None
    band: Band = choice(Band, default=Band.UNKNOWN)
    coverage: float = 0.0
    capped_by: str = ""
    model: str = "default-1"
    factors: dict[str, Any] = json_value(default_factory=dict)
    present: str = ""


_KEYS = ("workspace_id", "account_id", "day")
_VALUES = ("score", "band", "coverage", "capped_by", "model", "factors", "present")


def to_day_score(row: HealthScoreRow) -> DayScore:
    """The record that comparisons take: the factors present, with x and weight."""
    return DayScore(row.day, row.score, row.band, row.coverage, row.capped_by, _list_present(row.factors))


def to_values(account_id: str, health: Health, model: str) -> dict[str, Any]:
    """The columns of a score, for `save_scores`."""
    return {
        "account_id": account_id,
        "day": health.score.day,
        "score": health.score.score,
        "band": health.score.band,
        "coverage": health.score.coverage,
        "capped_by": health.score.capped_by,
        "model": model,
        "factors": {
            name: {"x": each.x, "w": health.weights[name], "state": each.state.value, "facts": dict(each.facts)}
            for name, each in health.readings.items()
        },
        "present": json.dumps(health.score.factors, separators=(",", ":")),
    }


def find_latest(tx: Tx, account_id: str, on: date) -> HealthScoreRow | None:
    """The account's last score, not after `on`."""
    return list_latest(tx, [account_id], on).get(account_id)


def list_latest(tx: Tx, account_ids: Sequence[str], on: date) -> dict[str, HealthScoreRow]:
    """The last score of each account that has one, not after `on`."""
    last = _last_days(tx, account_ids, on)
    rows = tx.session.execute(select(HealthScoreRow).join(last, _is_of(last)).where(_is_here(tx)))
    return {row.account_id: row for row in rows.scalars()}


def list_bands(tx: Tx, account_ids: Sequence[str], on: date) -> dict[str, Band]:
    """The band of each account's last score, not after `on`."""
    last = _last_days(tx, account_ids, on)
    query = select(col(HealthScoreRow.account_id), col(HealthScoreRow.band)).join(last, _is_of(last))
    return dict(tx.session.execute(query.where(_is_here(tx))).all())


def list_day_scores(tx: Tx, account_ids: Sequence[str], days: Collection[date]) -> dict[str, dict[date, DayScore]]:
    """The scores of the accounts on exactly those days, as the records that comparisons take. A scan reads 26 days of
    every account: so plain columns, and the whole factors only of rows that have nothing shorter.
    """
    row = HealthScoreRow
    whole = case((col(row.present) == "", col(row.factors)))
    columns = (row.account_id, row.day, row.score, row.band, row.coverage, row.capped_by, row.present)
    wanted = (_is_here(tx), col(row.account_id).in_(account_ids), col(row.day).in_(list(days)))
    found: dict[str, dict[date, DayScore]] = {}
    rows: Iterable[Any] = tx.session.execute(select(*map(col, columns), whole).where(*wanted))
    for account_id, day, score, band, coverage, capped_by, present, factors in rows:
        read = _read_present(present) if present else _list_present(factors)
        found.setdefault(account_id, {})[day] = DayScore(day, score, band, coverage, capped_by, read)
    return found


def _read_present(text: str) -> dict[str, tuple[float, float]]:
    return {name: (x, weight) for name, (x, weight) in json.loads(text).items()}


def _list_present(factors: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {name: (each["x"], each["w"]) for name, each in factors.items() if each["x"] is not None}


def list_scores(tx: Tx, account_id: str, since: date, until: date) -> dict[date, float | None]:
    """Score by day of [since, until], for a curve; days without a row are left out."""
    row = HealthScoreRow
    wanted = (_is_here(tx), col(row.account_id) == account_id, col(row.day).between(since, until))
    query = select(col(row.day), col(row.score)).where(*wanted).order_by(col(row.day))
    return dict(tx.session.execute(query).all())


def save_scores(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write one row per account and day (see `to_values`), over what stood there; returns how many."""
    filled = [{"workspace_id": tx.workspace_id, **row} for row in rows]
    if not filled:
        return 0
    statement = (postgresql.insert if tx.is_postgres else sqlite.insert)(table_of(HealthScoreRow))
    excluded = {name: statement.excluded[name] for name in _VALUES}
    tx.session.connection().execute(statement.on_conflict_do_update(index_elements=list(_KEYS), set_=excluded), filled)
    return len(filled)


def _is_here(tx: Tx) -> ColumnElement[bool]:
    return col(HealthScoreRow.workspace_id) == tx.workspace_id


def _last_days(tx: Tx, account_ids: Sequence[str], on: date) -> Any:
    row = HealthScoreRow
    return (
        select(col(row.account_id), func.max(col(row.day)).label("day"))
        .where(_is_here(tx), col(row.account_id).in_(account_ids), col(row.day) <= on)
        .group_by(col(row.account_id))
        .subquery("last_days")
    )


def _is_of(last: Any) -> ColumnElement[bool]:
    return and_(col(HealthScoreRow.account_id) == last.c.account_id, col(HealthScoreRow.day) == last.c.day)
