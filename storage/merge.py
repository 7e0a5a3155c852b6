"""Bulk merge of imported rows into a table that has a natural key. Owns the reading and writing of a page;
what counts as a change is decided in `rules.imports`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlmodel import SQLModel, select

from rules.imports import Outcome, decide_merge
from rules.records import Actor, Change
from storage.audit import record
from storage.db import Tx
from storage.upsert import upsert


def merge_rows(
    tx: Tx, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, key: str, actor: Actor, now: datetime
) -> Counter[Outcome]:
    """Insert what is new and update what changed, matched by the column `key` in the workspace, with one audit
    line for each row written. All rows have the same columns. Two queries and at most one write, whatever the count.
    """
    stored = _stored(tx, table, key, [row[key] for row in rows])
    merges = {row[key]: decide_merge(stored.get(row[key]), row) for row in rows}
    written = [row for row in rows if merges[row[key]].outcome is not Outcome.SAME]
    if written:
        keys = [column.name for column in table.__table__.primary_key]  # type: ignore[attr-defined]  # SQLModel's types do not tell
        upsert(tx, table, written, keys=keys, update=[name for name in written[0] if name not in keys])
    for row in written:
        merge = merges[row[key]]
        change = Change(
            verb="import",
            object_kind=str(table.__tablename__),
            object_id=str(row[key]),
            account_id=row.get("account_id"),
            before=as_json(merge.before) if merge.before else None,
            after=as_json(merge.after),
        )
        record(tx, change, actor, now)
    return Counter(merge.outcome for merge in merges.values())


def _stored(tx: Tx, table: type[SQLModel], key: str, values: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    columns = table.__table__.columns  # type: ignore[attr-defined]  # SQLModel's types do not tell
    found = tx.session.exec(
        select(table).where(columns.workspace_id == tx.workspace_id, columns[key].in_(values))
    ).all()
    return {getattr(row, key): row.model_dump() for row in found}


def as_json(values: Mapping[str, Any]) -> dict[str, object]:
    """Column values as JSON can hold them: days and moments in ISO form, exact numbers as text."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
