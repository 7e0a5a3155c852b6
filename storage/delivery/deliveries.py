"""Payloads seen, so that each is handled once (kept for 24 hours)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete
from sqlmodel import Field, SQLModel

from storage.db import Tx
from storage.fields import moment, table_of, workspace
from storage.upsert import upsert

KEPT = timedelta(hours=24)


class DeliveryRow(SQLModel, table=True):
    """One payload by its key: event id, trigger id or view id with hash."""

    __tablename__ = "deliveries"

    workspace_id: str = workspace(is_key=True)
    payload_key: str = Field(primary_key=True)
    seen_at: datetime = moment(index=True)


# Every payload that writes begins with it: put together once, for the table alone.
_SEEN = table_of(DeliveryRow).c
_FORGET = delete(table_of(DeliveryRow)).where(
    _SEEN.workspace_id == bindparam("workspace_id"), _SEEN.seen_at < bindparam("before")
)


def claim_delivery(tx: Tx, payload_key: str, now: datetime) -> bool:
    """Whether the payload comes for the first time; with the transaction it is remembered for 24 hours.

    `now` is wall time. A second claim in another open transaction waits for the first one to end.
    """
    tx.session.execute(_FORGET, {"workspace_id": tx.workspace_id, "before": now - KEPT})
    row = {"payload_key": payload_key, "seen_at": now}
    return upsert(tx, DeliveryRow, [row], keys=["workspace_id", "payload_key"]) == 1
