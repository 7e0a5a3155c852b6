"""Payloads seen, so that each is handled once (kept for 24 hours)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.fields import moment, workspace


class DeliveryRow(SQLModel, table=True):
    """One payload by its key: event id, trigger id or view id with hash."""

    __tablename__ = "deliveries"

    workspace_id: str = workspace(is_key=True)
    payload_key: str = Field(primary_key=True)
    seen_at: datetime = moment(index=True)
