"""The audit: append-only, in the same transaction as the change it tells of; refusals too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel, col, select

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


def record(tx: Tx, change: Change, actor: Actor, now: datetime, *, is_refused: bool = False) -> None:
    """Append one line to the audit."""
    tx.session.add(
        AuditRow(
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
    )


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
