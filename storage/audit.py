"""The audit: append-only, in the same transaction as the change it tells of; refusals too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Field, Index, SQLModel, col, func, select

from rules.records import Actor, Change
from storage.db import Tx
from storage.fields import json_value, key, moment, workspace


class AuditRow(SQLModel, table=True):
    """Who did what to which object, when, with the values before and after."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_object", "workspace_id", "object_kind", "object_id"),)

    id: str = key()
    workspace_id: str = workspace()
    at: datetime = moment()
    actor_kind: str
    actor_id: str
    verb: str
    object_kind: str
    object_id: str
    account_id: str | None = Field(default=None, index=True)
    before: dict[str, Any] | None = json_value(default=None, nullable=True)
    after: dict[str, Any] | None = json_value(default=None, nullable=True)
    is_refused: bool = False


def record(tx: Tx, change: Change, actor: Actor, now: datetime, *, is_refused: bool = False) -> str:
    """Append one line to the audit; returns its id."""
    row = AuditRow(
        workspace_id=tx.workspace_id,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        verb=change.verb,
        object_kind=change.object_kind,
        object_id=change.object_id,
        account_id=change.account_id,
        before=change.before,
        after=change.after,
        is_refused=is_refused,
    )
    tx.session.add(row)
    return row.id


def find_line(tx: Tx, line_id: str) -> AuditRow | None:
    """The line with this id."""
    return tx.session.exec(
        select(AuditRow).where(AuditRow.workspace_id == tx.workspace_id, AuditRow.id == line_id)
    ).first()


def find_change(tx: Tx, verb: str, object_id: str) -> AuditRow | None:
    """The latest time `verb` was done to the object; refusals aside."""
    return tx.session.exec(
        select(AuditRow)
        .where(
            AuditRow.workspace_id == tx.workspace_id,
            AuditRow.object_kind == verb.partition(".")[0],
            AuditRow.object_id == object_id,
            AuditRow.verb == verb,
            col(AuditRow.is_refused).is_(other=False),
        )
        .order_by(col(AuditRow.at).desc())
        .limit(1)
    ).first()


def find_latest_change(tx: Tx, object_kinds: Sequence[str], object_id: str) -> AuditRow | None:
    """The last thing done to the object, by any of the words for its kind (imports name the table); refusals aside."""
    done = select(AuditRow).where(_is_done_to(tx, object_kinds, object_id))
    return tx.session.exec(done.order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc()).limit(1)).first()


def find_change_to(tx: Tx, kind: str, object_id: str, version: int) -> AuditRow | None:
    """The change that gave an object this version, of a kind whose changes tell theirs."""
    done = select(AuditRow).where(_is_done_to(tx, [kind], object_id)).order_by(col(AuditRow.at).desc())
    return next((row for row in tx.session.exec(done) if (row.after or {}).get("version") == version), None)


def count_changes(tx: Tx, object_kinds: Sequence[str], object_id: str) -> int:
    """How often the object was changed; it only grows, so it serves as the object's version."""
    wanted = _is_done_to(tx, object_kinds, object_id)
    return tx.session.exec(select(func.count()).select_from(AuditRow).where(wanted)).one()


def list_latest_of(tx: Tx, verb: str, object_ids: Sequence[str]) -> dict[str, AuditRow]:
    """The latest time `verb` was done to each of the objects, by object."""
    done = select(AuditRow).where(
        AuditRow.workspace_id == tx.workspace_id,
        AuditRow.object_kind == verb.partition(".")[0],
        col(AuditRow.object_id).in_(object_ids),
        AuditRow.verb == verb,
        col(AuditRow.is_refused).is_(other=False),
    )
    return {row.object_id: row for row in tx.session.exec(done.order_by(col(AuditRow.at)))}


def _is_done_to(tx: Tx, object_kinds: Sequence[str], object_id: str) -> ColumnElement[bool]:
    return and_(
        col(AuditRow.workspace_id) == tx.workspace_id,
        col(AuditRow.object_kind).in_(object_kinds),
        col(AuditRow.object_id) == object_id,
        col(AuditRow.is_refused).is_(other=False),
    )


def list_of_account(
    tx: Tx, account_id: str, kinds: Collection[str] = (), *, limit: int, offset: int = 0
) -> list[AuditRow]:
    """What was done to an account and all that belongs to it, newest first, of objects of these `kinds` (none: all);
    refusals aside.
    """
    ordered = select(AuditRow).where(_is_of_account(tx, account_id, kinds))
    ordered = ordered.order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc())
    return list(tx.session.exec(ordered.limit(limit).offset(offset)))


def count_of_account(tx: Tx, account_id: str, kinds: Collection[str] = ()) -> int:
    """How many lines `list_of_account` would give without a limit."""
    wanted = _is_of_account(tx, account_id, kinds)
    return tx.session.exec(select(func.count()).select_from(AuditRow).where(wanted)).one()


def _is_of_account(tx: Tx, account_id: str, kinds: Collection[str]) -> ColumnElement[bool]:
    """An import of the account itself names it as its object only."""
    imported = and_(col(AuditRow.object_kind) == "accounts", col(AuditRow.object_id) == account_id)
    is_its = and_(
        col(AuditRow.workspace_id) == tx.workspace_id,
        or_(col(AuditRow.account_id) == account_id, imported),
        col(AuditRow.is_refused).is_(other=False),
    )
    return and_(is_its, col(AuditRow.object_kind).in_(sorted(kinds))) if kinds else is_its
