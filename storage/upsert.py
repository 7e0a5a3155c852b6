"""Insert-or-update in bulk, the same on both databases. Owns the dialect difference, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from storage.db import Tx
from storage.fields import table_of


def upsert(
    tx: Tx,
    table: type[SQLModel],
    rows: Iterable[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    update: Sequence[str] = (),
) -> int:
    """Insert `rows` (all with the same columns); where `keys` exist already, set the columns of `update`.

    With no `update`, existing rows stay as they are. `workspace_id` is filled in from `tx`.
    Returns the number of rows inserted or updated.
    """
    filled = _fill(tx, rows)
    if not filled:
        return 0
    statement = _build(table, tx.is_postgres, tuple(keys), tuple(update))
    tx.session.flush()  # rows the upsert refers to may still be waiting in the session
    counted = tx.session.connection().execute(statement, filled, execution_options={"preserve_rowcount": True})
    return max(0, counted.rowcount)


def upsert_where(
    tx: Tx,
    table: type[SQLModel],
    rows: Iterable[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    update: Sequence[str],
    where: ColumnElement[bool],
    tell: str,
) -> set[Any]:
    """`upsert` in one statement, in the order given, that leaves existing rows alone unless `where` holds for them,
    even while others change them. Returns the column `tell` of the rows inserted or updated.
    """
    filled = _fill(tx, rows)
    if not filled:
        return set()
    statement = _insert(table, is_postgres=tx.is_postgres)
    excluded = {name: statement.excluded[name] for name in update}
    statement = statement.on_conflict_do_update(index_elements=list(keys), set_=excluded, where=where)
    return set(tx.session.connection().execute(statement.returning(statement.table.c[tell]), filled).scalars())


def _fill(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"workspace_id": tx.workspace_id, **row} for row in rows]


@cache
def _build(table: type[SQLModel], is_postgres: bool, keys: tuple[str, ...], update: tuple[str, ...]) -> Any:  # noqa: FBT001  # a key of the cache
    """The statement of `upsert`: there are as many as places that call it."""
    statement = _insert(table, is_postgres=is_postgres)
    if not update:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    excluded = {name: statement.excluded[name] for name in update}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=excluded)


def _insert(table: type[SQLModel], *, is_postgres: bool) -> Any:
    return (postgresql.insert if is_postgres else sqlite.insert)(table_of(table))
