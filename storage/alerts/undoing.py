"""What was done to an alert last, and the values from before it. Owns reading them back from history; refuses to decide
who may take it back, and how long (`rules.undo`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import select

from rules.records import EpisodeState
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx

_MOMENTS = frozenset({"taken_at", "snoozed_until", "closed_at", "asked_at"})
_COUNTED = frozenset({"epoch", "version"})
"""Columns that only ever grow."""


def find_last_event(tx: Tx, row: EpisodeRow) -> AlertEventRow | None:
    """The transition that gave the alert its version."""
    done = select(AlertEventRow).where(
        AlertEventRow.workspace_id == tx.workspace_id, AlertEventRow.episode_id == row.id
    )
    return tx.session.exec(done.where(AlertEventRow.version == row.version)).first()


def read_before(event: AlertEventRow) -> dict[str, object]:
    """The columns that a transition changed, as they were before it."""
    return {name: _read(name, value) for name, value in event.before.items() if name not in _COUNTED}


def _read(name: str, value: Any) -> object:
    if name == "state":
        return EpisodeState(value)
    return datetime.fromisoformat(value) if name in _MOMENTS and value else value
