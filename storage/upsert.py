"""Insert-or-update in bulk, the same on both databases. Owns the dialect difference, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from storage.db import Tx


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
    filled = [{"workspace_id": tx.workspace_id, **row} for row in rows]
    if not filled:
        return 0
    target = table.__table__  # type: ignore[attr-defined]  # SQLModel sets it; its type does not say so
    statement = (postgresql.insert if tx.is_postgres else sqlite.insert)(target)
    if update:
        excluded = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_=excluded)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys))
    tx.session.flush()  # rows the upsert refers to may still be waiting in the session
    counted = tx.session.connection().execute(statement, filled, execution_options={"preserve_rowcount": True})
    return max(0, counted.rowcount)
