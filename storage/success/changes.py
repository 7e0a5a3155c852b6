"""Changes of one row that can be taken back: set with audit, guarded by the row's version, found again for an undo.
Owns this one way for next steps, risks and offered check-ins; refuses to know what a change means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlmodel import SQLModel, select

from rules.errors import StaleError
from rules.records import Actor, Change
from storage.audit import find_change, record
from storage.db import Tx
from storage.errors import NotFoundError

UNDONE = "undone"
_Row = TypeVar("_Row", bound=SQLModel)


@dataclass(frozen=True)
class Hand:
    """Who changes, and when."""

    actor: Actor
    at: datetime


@dataclass(frozen=True)
class Earlier:
    """A change made earlier: when and by whom, and the values that it replaced. `is_undone`: taken back already;
    `is_last`: the row was not changed since.
    """

    at: datetime
    actor_id: str
    values: Mapping[str, object]
    is_undone: bool = False
    is_last: bool = True


def lock_row(tx: Tx, table: type[_Row], row_id: str, version: int) -> _Row:
    """The row, kept from others until the transaction ends. Raises `StaleError` where its version is another."""
    columns: Any = table
    query = select(table).where(columns.workspace_id == tx.workspace_id, columns.id == row_id).with_for_update()
    row = tx.session.exec(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFoundError("This no longer exists. Ask for a fresh list.")
    stands: Any = row
    if stands.version != version:
        raise StaleError("Somebody changed this just now. Nothing was changed: look at it again.")
    return row


def set_values(tx: Tx, row: SQLModel, verb: str, values: Mapping[str, object], hand: Hand) -> None:
    """Set columns of a row and write the audit; `verb` is like "task.done". The row's version grows."""
    found: Any = row
    before = {name: _plain(getattr(found, name)) for name in values}
    for name, value in values.items():
        setattr(found, name, value)
    found.version += 1
    tx.session.add(row)
    tx.session.flush()
    after = {name: _plain(value) for name, value in values.items()} | {"version": found.version}
    kind = verb.partition(".")[0]
    record(tx, Change(verb, kind, found.id, found.account_id, before, after), hand.actor, hand.at)


def record_added(tx: Tx, row: SQLModel, kind: str, names: tuple[str, ...], hand: Hand) -> None:
    """The audit of a new row: the values of `names`."""
    found: Any = row
    tx.session.add(row)
    tx.session.flush()
    after = {name: _plain(getattr(found, name)) for name in names} | {"version": found.version}
    record(tx, Change(f"{kind}.added", kind, found.id, found.account_id, after=after), hand.actor, hand.at)


def find_earlier(tx: Tx, row: SQLModel, verb: str) -> Earlier | None:
    """The latest time `verb` was done to the row, with what undoing it would set."""
    found: Any = row
    line = find_change(tx, verb, found.id)
    if line is None:
        return None
    undone = find_change(tx, f"{verb.partition('.')[0]}.{UNDONE}", found.id)
    is_undone = undone is not None and undone.at >= line.at
    is_last = (line.after or {}).get("version") == found.version
    values = {name: _typed(type(row), name, value) for name, value in (line.before or {}).items()}
    return Earlier(line.at, line.actor_id, values, is_undone, is_last)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


def _typed(table: type[SQLModel], name: str, value: object) -> object:
    """What `_plain` made, as the column has it."""
    kind: Any = table.model_fields[name].annotation
    typed: object = TypeAdapter(kind).validate_python(value)
    return typed
