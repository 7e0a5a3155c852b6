"""How many messages wait and since when, and how late jobs are, for monitoring. Owns those counts; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.delivery.schedules import ScheduleRow

QUEUE_STATES = ("queued", "sending", "uncertain", "dead")


@dataclass(frozen=True)
class Queue:
    """Messages in one state: how many, and since when the oldest could have gone out."""

    count: int
    oldest: datetime | None


def read_queues(tx: Tx, now: datetime) -> dict[str, Queue]:
    """The messages by state, of all states but those that are done. What waits for its time (`not_before` after
    `now`) is counted, but makes nothing old.
    """
    due_at = func.coalesce(col(OutboxRow.not_before), col(OutboxRow.created_at))
    query = select(OutboxRow.state, func.count(), func.min(due_at)).where(
        OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.state).in_(QUEUE_STATES)
    )
    found = {state: Queue(count, oldest) for state, count, oldest in tx.session.exec(query.group_by(OutboxRow.state))}
    return {
        state: Queue(queue.count, queue.oldest if queue.oldest and queue.oldest <= now else None)
        for state in QUEUE_STATES
        for queue in (found.get(state, Queue(0, None)),)
    }


def find_most_overdue(tx: Tx) -> datetime | None:
    """When the schedule that waits longest was, or will be, due (business time)."""
    query = select(func.min(ScheduleRow.next_at)).where(ScheduleRow.workspace_id == tx.workspace_id)
    found: datetime | None = tx.session.exec(query).one()
    return found
