"""The outbox: what must be said where, committed with the change that caused it. Holds no blocks."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from storage.fields import key, moment, workspace


class OutboxRow(SQLModel, table=True):
    """One message to post, or to refresh (`is_update`). `state`: queued, sending, sent, uncertain, dead, cancelled.

    `seq` keeps the order per channel; `lease_until`, `not_before` of retries and `sent_at` are wall time.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("workspace_id", "dedupe_key"),
        Index("ix_outbox_head", "workspace_id", "state", "channel", "priority", "seq"),
        Index("ix_outbox_message", "workspace_id", "kind", "reference"),
    )

    id: str = key()
    workspace_id: str = workspace()
    seq: int
    kind: str
    reference: str
    channel: str = ""
    dedupe_key: str
    is_update: bool = False
    thread_kind: str = ""
    thread_reference: str = ""
    priority: int = 5
    state: str = "queued"
    not_before: datetime | None = moment(default=None, nullable=True)
    attempts: int = 0
    epoch: int = 0
    lease_until: datetime | None = moment(default=None, nullable=True)
    uncertain_since: datetime | None = moment(default=None, nullable=True)
    posted_channel: str = ""
    slack_ts: str = ""
    error: str = ""
    created_at: datetime = moment()
    sent_at: datetime | None = moment(default=None, nullable=True)


class ChannelSlotRow(SQLModel, table=True):
    """When a channel may be posted to next (wall time), across all processes."""

    __tablename__ = "channel_slots"

    workspace_id: str = workspace(is_key=True)
    channel: str = Field(primary_key=True)
    next_at: datetime = moment()
