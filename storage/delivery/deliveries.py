"""Payloads seen, so that each is handled once. A job forgets them, which no person waits for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Field, SQLModel, col

from storage.db import Tx
from storage.fields import moment, workspace
from storage.upsert import upsert


class DeliveryRow(SQLModel, table=True):
    """One payload by its key: event id, trigger id or view id with hash."""

    __tablename__ = "deliveries"

    workspace_id: str = workspace(is_key=True)
    payload_key: str = Field(primary_key=True)
    seen_at: datetime = moment(index=True)


def claim_delivery(tx: Tx, payload_key: str, now: datetime) -> bool:
    """Whether the payload comes for the first time; with the transaction it is remembered, until it is forgotten.

    A second claim in another open transaction waits for the first one to end.
    """
    row = {"payload_key": payload_key, "seen_at": now}
    return upsert(tx, DeliveryRow, [row], keys=["workspace_id", "payload_key"]) == 1


def forget_deliveries(tx: Tx, before: datetime) -> int:
    """Delete what was seen before a moment. Returns how many."""
    statement = delete(DeliveryRow).where(
        col(DeliveryRow.workspace_id) == tx.workspace_id, col(DeliveryRow.seen_at) < before
    )
    return tx.session.connection().execute(statement).rowcount
