"""Digests: which were made for whom on which day. Owns their table, so that nobody gets one twice; refuses to choose
what they tell (`rules.delivery.digests`).

A digest is what was said, not a change of anything: its row is its own record, and the audit has none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select as select_columns
from sqlmodel import SQLModel, UniqueConstraint, col, func, select

from rules.delivery.digests import MakeDigest
from rules.records import DigestKind, Enqueue
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.fields import choice, json_value, key, moment, workspace
from storage.lookup import is_among
from storage.upsert import upsert

DIGEST = "digest"
"""Kind of the outbox rows; the reference is a digest's id."""
_PRIORITY = 9


class DigestRow(SQLModel, table=True):
    """One digest: `recipient` is a Slack user or channel id, `day` the recipient's local date. `is_empty`: there was
    nothing to say, so nothing was sent. `contents` names what it tells of (ids by section), rendered at send time.
    """

    __tablename__ = "digests"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "recipient", "day"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    kind: DigestKind = choice(DigestKind)
    recipient: str
    day: date
    is_empty: bool = False
    contents: dict[str, Any] = json_value(default_factory=dict)
    created_at: datetime = moment()


def find_digest(tx: Tx, digest_id: str) -> DigestRow | None:
    """The digest, also an empty one."""
    return tx.session.exec(
        select(DigestRow).where(DigestRow.workspace_id == tx.workspace_id, DigestRow.id == digest_id)
    ).first()


def find_latest(tx: Tx, kind: DigestKind, recipient: str) -> DigestRow | None:
    """The last digest that was sent to a recipient."""
    query = select(DigestRow).where(
        DigestRow.workspace_id == tx.workspace_id,
        DigestRow.kind == kind,
        DigestRow.recipient == recipient,
        col(DigestRow.is_empty).is_(other=False),
    )
    return tx.session.exec(query.order_by(col(DigestRow.day).desc()).limit(1)).first()


def list_made(tx: Tx, days: Collection[date]) -> set[tuple[DigestKind, str, date]]:
    """Which digests exist for these days: (kind, recipient, day)."""
    columns = (DigestRow.kind, DigestRow.recipient, DigestRow.day)
    query = select_columns(*map(col, columns)).where(
        col(DigestRow.workspace_id) == tx.workspace_id, col(DigestRow.day).in_(sorted(days))
    )
    return {(kind, recipient, day) for kind, recipient, day in tx.session.execute(query)}


def list_last_made(tx: Tx, kind: DigestKind, after: date) -> dict[str, datetime]:
    """By recipient when their last digest of a day later than `after` was made, empty ones too."""
    query = select(DigestRow.recipient, func.max(DigestRow.created_at)).where(
        DigestRow.workspace_id == tx.workspace_id, DigestRow.kind == kind, DigestRow.day > after
    )
    return dict(tx.session.exec(query.group_by(DigestRow.recipient)).all())


def list_last_days(tx: Tx, after: date) -> dict[tuple[DigestKind, str], date]:
    """By (kind, recipient) the day of their last digest later than `after`, empty ones too."""
    query = select_columns(col(DigestRow.kind), col(DigestRow.recipient), func.max(DigestRow.day)).where(
        col(DigestRow.workspace_id) == tx.workspace_id, col(DigestRow.day) > after
    )
    found = tx.session.execute(query.group_by(col(DigestRow.kind), col(DigestRow.recipient)))
    return {(kind, recipient): day for kind, recipient, day in found}


def apply_digests(tx: Tx, wanted: Sequence[MakeDigest], now: datetime) -> list[DigestRow]:
    """Make those that do not exist yet, each with its outbox row unless it is empty; returns the new rows. One that
    another process makes at the same moment is its own.
    """
    rows = [
        DigestRow(
            workspace_id=tx.workspace_id,
            kind=each.kind,
            recipient=each.recipient,
            day=each.day,
            is_empty=each.is_empty,
            contents=dict(each.stored),
            created_at=now,
        )
        for each in wanted
    ]
    upsert(tx, DigestRow, [row.model_dump() for row in rows], keys=("workspace_id", "kind", "recipient", "day"))
    query = select(DigestRow).where(
        DigestRow.workspace_id == tx.workspace_id, is_among(tx, col(DigestRow.id), [row.id for row in rows])
    )
    made = list(tx.session.exec(query))
    enqueue(tx, _posts(made), now)
    return made


def refresh_digest(tx: Tx, digest_id: str, now: datetime) -> None:
    """Show a digest that was sent as it is now."""
    enqueue(tx, [Enqueue(DIGEST, digest_id, is_update=True, priority=0)], now)


def _posts(rows: Iterable[DigestRow]) -> list[Enqueue]:
    return [
        Enqueue(
            DIGEST, row.id, row.recipient, f"{DIGEST}:{row.kind.value}:{row.recipient}:{row.day}", priority=_PRIORITY
        )
        for row in rows
        if not row.is_empty
    ]
