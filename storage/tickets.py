"""Support tickets."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel

from storage.fields import account, moment, workspace


class TicketRow(SQLModel, table=True):
    """One support ticket. `priority` is low, normal, high or urgent; `satisfaction` is 1...5, as given."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_open", "workspace_id", "account_id", "opened_at"),)

    workspace_id: str = workspace(is_key=True)
    external_id: str = Field(primary_key=True)
    account_id: str = account()
    title: str = ""
    priority: str = "normal"
    is_escalated: bool = False
    satisfaction: int | None = None
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)
