"""What may change in the life of a target and of its values: the terms before and after, and what is refused.

Owns the intents of changes to what exists; how targets and values are made is in `rules.success.plans`. Every change
names the version it was decided on, so that nobody overwrites what they have not seen; to undo a change is to change
the terms back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from rules.errors import StaleError, UserError
from rules.notes import check_note
from rules.success.curves import Point
from rules.success.plans import NOTE_LENGTH, TargetDraft, check_draft

AGREED, PAUSED, RESUMED = "target.agreed", "target.paused", "target.resumed"
EDITED, REMOVED, RESTORED = "target.edited", "target.removed", "target.restored"
VALUE_CORRECTED, VALUE_REMOVED = "measurement.corrected", "measurement.removed"
VALUE_RESTORED = "measurement.restored"


@dataclass(frozen=True)
class TargetTerms:
    """All of a target that may change once it was made. `removed`: it was taken away; what else it was stays."""

    goal: Decimal
    due_on: date
    cadence_days: int
    owner_id: str | None
    customer_owner: str
    steps: tuple[Point, ...]
    agreed_on: date | None
    paused_on: date | None
    is_removed: bool = False

    def dump(self) -> dict[str, object]:
        """As JSON, for the audit."""
        return {
            "goal": str(self.goal),
            "due_on": self.due_on.isoformat(),
            "cadence_days": self.cadence_days,
            "owner_id": self.owner_id,
            "customer_owner": self.customer_owner,
            "steps": [[day.isoformat(), str(value)] for day, value in self.steps],
            "agreed_on": self.agreed_on.isoformat() if self.agreed_on else None,
            "paused_on": self.paused_on.isoformat() if self.paused_on else None,
            "is_removed": self.is_removed,
        }

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> TargetTerms:
        """Read what `dump` wrote. Raises `KeyError` for anything else."""
        return cls(
            goal=Decimal(said["goal"]),
            due_on=date.fromisoformat(said["due_on"]),
            cadence_days=said["cadence_days"],
            owner_id=said["owner_id"],
            customer_owner=said["customer_owner"],
            steps=tuple((date.fromisoformat(day), Decimal(value)) for day, value in said["steps"]),
            agreed_on=date.fromisoformat(said["agreed_on"]) if said["agreed_on"] else None,
            paused_on=date.fromisoformat(said["paused_on"]) if said["paused_on"] else None,
            is_removed=said["is_removed"],
        )


@dataclass(frozen=True)
class ChangeTarget:
    """Give the target these terms, if it still has this version. `verb` is what the audit calls it."""

    target_id: str
    version: int
    verb: str
    before: TargetTerms
    after: TargetTerms


@dataclass(frozen=True)
class ValueTerms:
    """All of a measurement that may change."""

    value: Decimal
    measured_on: date
    note: str
    is_removed: bool = False

    def dump(self) -> dict[str, object]:
        """As JSON, for the audit."""
        return {
            "value": str(self.value),
            "measured_on": self.measured_on.isoformat(),
            "note": self.note,
            "is_removed": self.is_removed,
        }

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> ValueTerms:
        """Read what `dump` wrote. Raises `KeyError` for anything else."""
        return cls(Decimal(said["value"]), date.fromisoformat(said["measured_on"]), said["note"], said["is_removed"])


@dataclass(frozen=True)
class ChangeValue:
    """Give the measurement these terms, if it still has this version."""

    measurement_id: str
    version: int
    verb: str
    before: ValueTerms
    after: ValueTerms


@dataclass(frozen=True)
class Known:
    """A target as its changes see it; `draft` holds what never changes, and the account."""

    id: str
    version: int
    terms: TargetTerms
    draft: TargetDraft
    is_replaced: bool = False


def decide_agree(target: Known, today: date) -> list[ChangeTarget]:
    """A draft agreed with the customer today. Raises `StaleError` where it was agreed already."""
    _check_alive(target)
    if target.terms.agreed_on is not None:
        raise StaleError("This target was agreed already.")
    return [_change(target, AGREED, replace(target.terms, agreed_on=today))]


def decide_pause(target: Known, today: date) -> list[ChangeTarget]:
    """Not judged from today on. Raises `StaleError` where it was paused already."""
    _check_alive(target)
    if target.terms.paused_on is not None:
        raise StaleError("This target was paused already.")
    return [_change(target, PAUSED, replace(target.terms, paused_on=today))]


def decide_resume(target: Known) -> list[ChangeTarget]:
    """Judged again. Raises `StaleError` where it is not paused."""
    _check_alive(target)
    if target.terms.paused_on is None:
        raise StaleError("This target is not paused any more.")
    return [_change(target, RESUMED, replace(target.terms, paused_on=None))]


def decide_remove(target: Known) -> list[ChangeTarget]:
    """Taken away, with its values kept. Raises `StaleError` where it is gone already."""
    _check_there(target)
    return [_change(target, REMOVED, replace(target.terms, is_removed=True))]


def decide_edit(target: Known, wanted: TargetTerms, today: date) -> list[ChangeTarget]:
    """The terms as somebody wants them. Raises `UserError` with the field at fault, or where nothing differs."""
    _check_alive(target)
    is_due_kept = wanted.due_on == target.terms.due_on
    draft = replace(
        target.draft, goal=wanted.goal, due_on=wanted.due_on, cadence_days=wanted.cadence_days, steps=wanted.steps
    )
    check_draft(draft, today, is_past_due_fine=is_due_kept)
    if wanted == target.terms:
        raise UserError("Nothing was changed. Change a field, or close the form.", field="goal")
    return [_change(target, EDITED, wanted)]


def decide_restore(target: Known, earlier: TargetTerms) -> list[ChangeTarget]:
    """The terms as they were before the last change. Who may, and until when, is in `rules.undo`."""
    return [_change(target, RESTORED, earlier)]


def decide_correct(measurement_id: str, version: int, was: ValueTerms, now: ValueTerms, today: date) -> ChangeValue:
    """A value put right. Raises `UserError`: a day in the future, a note too long, nothing different."""
    _check_value(was)
    if now.measured_on > today:
        raise UserError(
            "A value cannot be measured in the future. Type the day it was measured, today at the latest.",
            field="measured_on",
        )
    check_note(now.note, NOTE_LENGTH)
    if now == was:
        raise UserError("Nothing was changed. Change a field, or close the form.", field="value")
    return ChangeValue(measurement_id, version, VALUE_CORRECTED, was, now)


def decide_remove_value(measurement_id: str, version: int, was: ValueTerms) -> ChangeValue:
    """A value taken away. Raises `StaleError` where it is gone already."""
    _check_value(was)
    return ChangeValue(measurement_id, version, VALUE_REMOVED, was, replace(was, is_removed=True))


def _change(target: Known, verb: str, after: TargetTerms) -> ChangeTarget:
    return ChangeTarget(target.id, target.version, verb, target.terms, after)


def _check_there(target: Known) -> None:
    if target.terms.is_removed:
        raise StaleError("This target was removed already.")


def _check_alive(target: Known) -> None:
    _check_there(target)
    if target.is_replaced:
        raise StaleError("A newer target took the place of this one: it is history now. Change the newer one.")


def _check_value(was: ValueTerms) -> None:
    if was.is_removed:
        raise StaleError("This value was removed already.")
