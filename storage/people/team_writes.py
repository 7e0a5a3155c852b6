"""Changes to members: carried out with audit, and taken back from it. Owns these writes; what may change is
`rules.people.team`'s to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

from rules.errors import StaleError
from rules.people.team import ChangeMember
from rules.records import Actor, Change, DigestWish, Role
from storage import audit
from storage.db import Tx
from storage.people.members import get_member

CHANGED = "member.changed"
_READ: dict[str, Callable[[Any], Any]] = {
    "role": Role,
    "digest_wish": DigestWish,
    "away_from": date.fromisoformat,
    "away_until": date.fromisoformat,
}


def apply_team(tx: Tx, intents: Sequence[ChangeMember], actor: Actor, now: datetime) -> list[str]:
    """Carry the intents out; returns the audit's line of each.

    Raises `StaleError` where somebody changed the person since the version that an intent names.
    """
    return [_change(tx, intent, actor, now) for intent in intents]


def is_changed_since(tx: Tx, line: audit.AuditRow) -> bool:
    """Whether anything that the line changed has another value by now."""
    row = get_member(tx, line.object_id)
    return any(getattr(row, name) != value for name, value in read_values(line.after or {}).items())


def take_back(tx: Tx, line: audit.AuditRow, actor: Actor, now: datetime) -> str:
    """Give the member the values from before the line; returns the audit's line of that. Raises `NotFoundError`."""
    row = get_member(tx, line.object_id)
    for name, value in read_values(line.before or {}).items():
        setattr(row, name, value)
    row.version += 1
    tx.session.flush()
    undone = Change("change.undone", "change", line.id, before=line.after, after=line.before)
    return audit.record(tx, undone, actor, now)


def read_values(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a member as the audit keeps them, as the row has them."""
    return {name: value if value is None else _READ.get(name, _same)(value) for name, value in stored.items()}


def _change(tx: Tx, intent: ChangeMember, actor: Actor, now: datetime) -> str:
    row = get_member(tx, intent.member_id)
    if intent.version is not None and row.version != intent.version:
        raise StaleError("Somebody changed {name} while this form was open. Open it once more.", name=row.name)
    before = _write_values({name: getattr(row, name) for name in intent.changes})
    for name, value in intent.changes.items():
        setattr(row, name, value)
    row.version += 1
    tx.session.flush()
    return audit.record(
        tx, Change(CHANGED, "member", row.id, before=before, after=_write_values(intent.changes)), actor, now
    )


def _write_values(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _write(value) for name, value in values.items()}


def _write(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _same(value: Any) -> Any:
    return value
