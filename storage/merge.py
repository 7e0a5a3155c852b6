"""Bulk merge of imported rows into a table that has a natural key. Owns the reading and writing of a page;
what counts as a change is decided in `rules.accounts.imports`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Column, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import SQLModel

from rules.accounts.imports import Merge, Outcome, decide_merge
from rules.records import Actor, Change
from storage.audit import record
from storage.db import Tx
from storage.lookup import is_among
from storage.upsert import upsert


def merge_rows(
    tx: Tx, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, key: str, actor: Actor, now: datetime
) -> list[Outcome]:
    """Insert what is new and update what changed, matched by the column `key` in the workspace, with one audit
    line for each row written. All rows have the same columns, and each its own key.

    Returns the outcome of each row. One query and at most two writes, whatever the count.
    """
    stored = _stored(tx, table, key, rows)
    merges = [decide_merge(stored.get(row[key]), row) for row in rows]
    written = [(row, merge) for row, merge in zip(rows, merges, strict=True) if merge.outcome is not Outcome.SAME]
    if written:
        keys = [column.name for column in _columns(table) if column.primary_key]
        update = [name for name in written[0][0] if name not in keys]
        ordered = sorted((row for row, _ in written), key=lambda row: str(row[key]))
        upsert(tx, table, ordered, keys=keys, update=update)
    for row, merge in written:
        record(tx, _change(table, key, row, merge), actor, now)
    return [merge.outcome for merge in merges]


def _change(table: type[SQLModel], key: str, row: Mapping[str, Any], merge: Merge) -> Change:
    return Change(
        verb="import",
        object_kind=str(table.__tablename__),
        object_id=str(row[key]),
        account_id=row.get("account_id"),
        before=as_json(merge.before) if merge.before else None,
        after=as_json(merge.after),
    )


def _stored(tx: Tx, table: type[SQLModel], key: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    if not rows:
        return {}
    columns = _columns(table)
    found = tx.session.execute(
        select(*(columns[name] for name in {key, *rows[0]})).where(
            columns.workspace_id == tx.workspace_id, is_among(tx, columns[key], [row[key] for row in rows])
        )
    )
    return {row[key]: dict(row) for row in found.mappings()}


def _columns(table: type[SQLModel]) -> ReadOnlyColumnCollection[str, Column[Any]]:
    return table.__table__.columns  # type: ignore[attr-defined,no-any-return]  # SQLModel sets it; its type does not say so


def as_json(values: Mapping[str, Any]) -> dict[str, object]:
    """Column values as JSON can hold them: days and moments in ISO form, exact numbers as text."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
