"""Undo: whether a person may still take back what somebody did. Owns the time limit and who may; refuses to do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.errors import NotAllowedError, StaleError
from rules.records import Role

UNDO_TIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Done:
    """Something a person did. `is_undone`: taken back already; `is_needed`: something else depends on it by now."""

    at: datetime
    author_id: str
    is_undone: bool = False
    is_needed: bool = False


def check_undo(done: Done, person_id: str, role: Role, now: datetime) -> None:
    """Raise, in words, unless the person may take `done` back now: its author or a lead, within 10 minutes."""
    if done.is_undone:
        raise StaleError("This was already undone.")
    if person_id != done.author_id and role not in (Role.LEAD, Role.ADMIN):
        raise NotAllowedError("Only the person who did this, or a lead, can undo it. Ask one of them.")
    if now - done.at > UNDO_TIME:
        raise StaleError(
            "This can be undone for {minutes} minutes only. Correct it with a new entry instead.",
            minutes=int(UNDO_TIME.total_seconds() // 60),
        )
    if done.is_needed:
        raise StaleError("This cannot be undone: something saved since then depends on it. Take that back first.")
