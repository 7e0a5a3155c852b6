"""Making targets and logging their values: what is valid, the intents, generated steps, what "raise by" may mean.

Refuses to judge targets (see `rules.success.targets`) and to store or word anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from rules.errors import UserError
from rules.notes import check_note
from rules.records import TargetKind
from rules.success.curves import Point
from rules.success.target_steps import Load, Rhythm, Way, check_steps, generate_steps

NOTE_LENGTH = 2000
LONGEST_TARGET = timedelta(days=3660)
CADENCES = range(1, 367)
_LIMITS = frozenset({TargetKind.KEEP_ABOVE, TargetKind.KEEP_BELOW})


class Raise(StrEnum):
    """What "raise by 10 %" may mean."""

    TO = "to"
    POINTS = "points"
    RELATIVE = "relative"


@dataclass(frozen=True)
class TargetDraft:
    """A target as somebody describes it. `metric` is a name; `metric_key` is set where the catalogue has it.
    `steps` None: made by `make_steps` with `load` and `rhythm`. `agreed_on` None: a draft.
    """

    account_id: str
    metric: str
    kind: TargetKind
    unit: str
    baseline: Decimal | None
    goal: Decimal
    start_on: date
    due_on: date
    cadence_days: int = 30
    metric_key: str = ""
    owner_id: str | None = None
    customer_owner: str = ""
    agreed_on: date | None = None
    steps: tuple[Point, ...] | None = None
    load: Load = Load.LINEAR
    rhythm: Rhythm = Rhythm.EVEN


@dataclass(frozen=True)
class MeasurementDraft:
    """One value of an account's metric, in the metric's unit. `author_id` is a member."""

    account_id: str
    metric_key: str
    value: Decimal
    measured_on: date
    note: str = ""
    author_id: str | None = None
    source: str = "slack"


@dataclass(frozen=True)
class AddTarget:
    """Store this target; it replaces those in `replaces`."""

    draft: TargetDraft
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemoveTarget:
    """Take a target back; what it replaced runs again."""

    target_id: str


@dataclass(frozen=True)
class AddMeasurement:
    """Store this value."""

    draft: MeasurementDraft


@dataclass(frozen=True)
class RemoveMeasurement:
    """Take a value back."""

    measurement_id: str


TargetIntent = AddTarget | RemoveTarget | AddMeasurement | RemoveMeasurement


def decide_add_target(draft: TargetDraft, today: date, running: tuple[str, ...] = ()) -> list[TargetIntent]:
    """The intents that add `draft` in place of the `running` targets of the same kind and metric.

    Raises:
        UserError: with the form field at fault.
    """
    return [AddTarget(check_draft(draft, today), running)]


def check_draft(draft: TargetDraft, today: date, *, is_past_due_fine: bool = False) -> TargetDraft:
    """The draft with its steps. `is_past_due_fine`: a target that exists may be past its due date.

    Raises:
        UserError: with the form field at fault.
    """
    _check_dates(draft, today, is_past_due_fine=is_past_due_fine)
    _check_values(draft)
    if draft.kind in _LIMITS and draft.steps:
        raise UserError("A limit holds all the time: leave the steps out.", field="steps")
    steps = make_steps(draft) if draft.steps is None else draft.steps
    check_steps(steps, draft.start_on, draft.due_on)
    return replace(draft, steps=steps)


def decide_log(draft: MeasurementDraft, today: date) -> list[TargetIntent]:
    """The intents that store a measured value. Raises `UserError`: a date in the future, a note too long."""
    if draft.measured_on > today:
        raise UserError(
            "A value cannot be measured in the future. Type the day it was measured, today at the latest.",
            field="measured_on",
        )
    check_note(draft.note, NOTE_LENGTH)
    return [AddMeasurement(draft)]


def make_steps(draft: TargetDraft) -> tuple[Point, ...]:
    """Generated steps from the start value (0 for a total) to the goal; a limit has none."""
    start = Decimal(0) if draft.kind is TargetKind.CUMULATIVE else draft.baseline
    if start is None or draft.kind in _LIMITS:
        return ()
    return generate_steps(Way(draft.start_on, start, draft.due_on, draft.goal), draft.load, draft.rhythm)


def raised(baseline: Decimal, amount: Decimal, meaning: Raise, *, is_down: bool = False) -> Decimal:
    """The goal when `baseline` is raised (or lowered) by `amount` percent, in one of the three meanings."""
    signed = -amount if is_down else amount
    if meaning is Raise.TO:
        return amount
    return baseline + (signed if meaning is Raise.POINTS else baseline * signed / 100)


def check_unit(typed: str, wanted: str, *, field: str | None = None) -> None:
    """Raise `UserError` where a value was typed in another unit than the one it is kept in; none typed is fine."""
    if not typed or typed.casefold() == wanted.casefold():
        return
    if not wanted:
        sentence = "This is kept as a plain number, not in {typed}. Type the number alone."
        raise UserError(sentence, field=field, typed=typed)
    sentence = "This is kept in {wanted}, not in {typed}. Type the value in {wanted}."
    raise UserError(sentence, field=field, wanted=wanted, typed=typed)


def _check_dates(draft: TargetDraft, today: date, *, is_past_due_fine: bool) -> None:
    if draft.due_on <= draft.start_on:
        raise UserError("The target must be due after it starts. Pick a later due date.", field="due_on")
    if draft.due_on <= today and not is_past_due_fine:
        raise UserError("This due date has passed. Type a day in the future, like 31 Dec.", field="due_on")
    if draft.due_on - draft.start_on > LONGEST_TARGET:
        raise UserError("A target may run for 10 years at most. Pick an earlier due date.", field="due_on")
    if draft.cadence_days not in CADENCES:
        raise UserError("A value can be due every 1 to 366 days. Choose one of these.", field="cadence_days")


def _check_values(draft: TargetDraft) -> None:
    if draft.kind is TargetKind.CUMULATIVE:
        if draft.baseline:
            raise UserError("A total counts from 0: leave the start value out.", field="baseline")
        if draft.goal <= 0:
            raise UserError("A total must be more than 0. Type what it should add up to.", field="goal")
    if draft.kind is TargetKind.LEVEL and draft.baseline is None:
        raise UserError("Where does it stand today? Type the start value.", field="baseline")
    if draft.kind is TargetKind.LEVEL and draft.goal == draft.baseline:
        raise UserError(
            "The goal equals the start value. To hold a value, choose “keep at or above” or “keep at or below”.",
            field="goal",
        )
