"""Payloads seen, so that each is handled once (kept for 24 hours)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel, col, delete

from storage.db import Tx
from storage.fields import moment, workspace
from storage.upsert import upsert

KEPT = timedelta(hours=24)


class DeliveryRow(SQLModel, table=True):
    """One payload by its key: event id, trigger id or view id with hash."""

    __tablename__ = "deliveries"

    workspace_id: str = workspace(is_key=True)
    payload_key: str = Field(primary_key=True)
    seen_at: datetime = moment(index=True)


def claim_delivery(tx: Tx, payload_key: str, now: datetime) -> bool:
    """Whether the payload comes for the first time; with the transaction it is remembered for 24 hours.

    `now` is wall time. A second claim in another open transaction waits for the first one to end.
    """
    tx.session.exec(
        delete(DeliveryRow).where(
            col(DeliveryRow.workspace_id) == tx.workspace_id, col(DeliveryRow.seen_at) < now - KEPT
        )
    )
    row = {"payload_key": payload_key, "seen_at": now}
    return upsert(tx, DeliveryRow, [row], keys=["workspace_id", "payload_key"]) == 1
