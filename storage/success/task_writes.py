"""Writes of next steps: each intent with its audit, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.records import Actor
from rules.success.tasks import AddTask, TaskIntent
from storage.db import Tx
from storage.success.changes import Hand, lock_row, record_added, set_values
from storage.success.tasks import TaskRow

_NAMES = ("text", "owner_id", "due_on", "source_kind", "source_id")


def apply_tasks(tx: Tx, intents: Sequence[TaskIntent], actor: Actor, now: datetime) -> list[TaskRow]:
    """Carry the intents out; returns the rows as they are now. Raises `StaleError` where one was changed meanwhile."""
    return [_apply(tx, intent, Hand(actor, now)) for intent in intents]


def _apply(tx: Tx, intent: TaskIntent, hand: Hand) -> TaskRow:
    if isinstance(intent, AddTask):
        row = TaskRow(workspace_id=tx.workspace_id, created_at=hand.at, **vars(intent.draft))
        record_added(tx, row, "task", _NAMES, hand)
        return row
    row = lock_row(tx, TaskRow, intent.task_id, intent.version)
    set_values(tx, row, f"task.{intent.verb}", intent.values, hand)
    return row
