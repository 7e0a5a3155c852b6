"""What was done to journeys, read back from the audit: who changed something last, and what takes an act back.

Owns reading `Act`s out of the audit; refuses to judge who may undo (`rules.undo`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from rules.records import Lane, MilestoneState
from rules.success.journeys import Act, Edit, JourneyIntent, RemoveJourney
from storage.audit import AuditRow, find_change
from storage.db import Tx
from storage.success.journeys import JourneyRow, MilestoneRow

_LOOKED_THROUGH = 100
_READ: dict[str, Callable[[str], object]] = {
    "due_on": date.fromisoformat,
    "settled_on": date.fromisoformat,
    "stage_since": date.fromisoformat,
    "entered_on": date.fromisoformat,
    "left_on": date.fromisoformat,
    "closed_at": datetime.fromisoformat,
    "removed_at": datetime.fromisoformat,
    "state": MilestoneState,
    "lane": Lane,
}


def find_last_change(tx: Tx, account_id: str, object_id: str) -> AuditRow | None:
    """The latest act that changed a milestone or journey of the account, also as one of several."""
    lines = tx.session.exec(
        select(AuditRow)
        .where(
            AuditRow.workspace_id == tx.workspace_id,
            AuditRow.account_id == account_id,
            col(AuditRow.object_kind).in_(["milestone", "journey"]),
            col(AuditRow.is_refused).is_(other=False),
        )
        .order_by(col(AuditRow.at).desc())
        .limit(_LOOKED_THROUGH)
    )
    return next((line for line in lines if object_id in {line.object_id, *_list_changed(line)}), None)


def is_undone(tx: Tx, line: AuditRow) -> bool:
    """Whether an act was taken back."""
    undone = find_change(tx, f"{line.object_kind}.undone", line.object_id)
    return undone is not None and undone.at >= line.at and (undone.after or {}).get("undone") in (None, line.id)


def is_needed(tx: Tx, line: AuditRow) -> bool:
    """Whether something of what an act changed, or started, was changed since."""
    if line.verb == "journey.started":
        return _is_touched(tx, line.object_id)
    if line.verb == "milestone.added":
        return _get_versions(tx, {line.object_id}) != {line.object_id: 1}
    versions = {id_: version for kind, id_, _values, version in (line.after or {}).get("edits", []) if kind != "stage"}
    return _get_versions(tx, set(versions)) != versions


def plan_undo(tx: Tx, line: AuditRow, now: datetime) -> list[JourneyIntent]:
    """The intents that take an act back. Of a journey that was started it is the whole journey; the one it replaced
    goes on.
    """
    if line.verb == "journey.started":
        replaced = (line.after or {}).get("replaces")
        ended = find_change(tx, "journey.replaced", replaced) if replaced else None
        return [RemoveJourney(line.object_id), *([_reverse(ended)] if ended else [])]
    if line.verb == "milestone.added":
        removed = Edit("milestone", line.object_id, {"removed_at": now}, 1)
        return [_undo_act(line, (removed,))]
    return [_reverse(line)]


def _reverse(line: AuditRow) -> Act:
    before, after = (line.before or {})["edits"], (line.after or {})["edits"]
    edits = [
        Edit(kind, id_, {name: _read(name, value) for name, value in values.items()}, version)
        for (kind, id_, values), (_kind, _id, _values, version) in zip(before, after, strict=True)
    ]
    return _undo_act(line, tuple(edits))


def _undo_act(line: AuditRow, edits: tuple[Edit, ...]) -> Act:
    name = (line.after or {}).get("name", "")
    # A stage's edit needs its journey's id, which is the id of whatever journey the act was about.
    journey_id = line.object_id if line.object_kind == "journey" else ""
    told = {"name": name, "undone": line.id}
    return Act(f"{line.object_kind}.undone", line.object_id, journey_id, line.account_id or "", edits, told)


def _read(name: str, value: Any) -> object:
    return _READ[name](value) if name in _READ and value is not None else value


def _list_changed(line: AuditRow) -> list[str]:
    return [id_ for _kind, id_, *_rest in (line.after or {}).get("edits", [])]


def _get_versions(tx: Tx, ids: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in (JourneyRow, MilestoneRow):
        rows = select(table.id, table.version).where(table.workspace_id == tx.workspace_id, col(table.id).in_(ids))
        found |= dict(tx.session.exec(rows).all())
    return found


def _is_touched(tx: Tx, journey_id: str) -> bool:
    changed = select(func.count()).where(
        MilestoneRow.workspace_id == tx.workspace_id,
        MilestoneRow.journey_id == journey_id,
        (col(MilestoneRow.version) > 1) | (col(MilestoneRow.template_key) == ""),
    )
    return _get_versions(tx, {journey_id}) != {journey_id: 1} or tx.session.exec(changed).one() > 0
