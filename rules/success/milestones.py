"""Milestones: what may be done to one, and what that changes: done, open again, moved, skipped, added, edited,
removed. Refuses stages (`rules.success.journey_walk`) and storage.

Dates are working days; one that is none becomes the first after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from rules.calendar import count_working_days
from rules.errors import UserError
from rules.people.working_time import is_working_day, next_working_day, shift_to_working_day
from rules.records import MilestoneState
from rules.success.journeys import (
    MOST_MILESTONES,
    NAME_LENGTH,
    REASON_LENGTH,
    Act,
    AddMilestone,
    Doer,
    Edit,
    JourneyFacts,
    MilestoneDraft,
    MilestoneFacts,
    SettledError,
    check_seen,
)

LONGEST_AHEAD = timedelta(days=3660)
_DAY = timedelta(days=1)
_EDITED = ("name", "stage_key", "lane", "is_required", "owner_id", "customer_owner")


def decide_done(
    journey: JourneyFacts, milestone_id: str, doer: Doer, done_on: date | None = None, seen: int | None = None
) -> Act:
    """It is done, today or on an earlier day. Raises `SettledError`, `ChangedError`, `UserError` for the future."""
    milestone = _get_open(journey, milestone_id, seen)
    day = done_on or doer.today
    if day > doer.today:
        raise UserError("It cannot have been done in the future. Type today or an earlier day.", field="done_on")
    return _act(journey, milestone, "milestone.done", settle(MilestoneState.DONE, day, doer))


def decide_skip(journey: JourneyFacts, milestone_id: str, reason: str, doer: Doer, seen: int | None = None) -> Act:
    """It will not be done, for a reason. Raises `SettledError`, `ChangedError`, `UserError` without a reason."""
    milestone = _get_open(journey, milestone_id, seen)
    values = settle(MilestoneState.SKIPPED, doer.today, doer, check_reason(reason))
    return _act(journey, milestone, "milestone.skipped", values, reason=values["reason"])


def decide_reopen(journey: JourneyFacts, milestone_id: str, seen: int | None = None) -> Act:
    """It is to be done after all. Raises `UserError` where it is open."""
    milestone = journey.get_milestone(milestone_id)
    check_seen(milestone.id, milestone.version, seen)
    if milestone.is_open:
        raise UserError("This milestone is open already.")
    values = {"state": MilestoneState.OPEN, "settled_on": None, "settled_by": None, "reason": ""}
    return _act(journey, milestone, "milestone.reopened", values)


def decide_move(
    journey: JourneyFacts,
    milestone_id: str,
    to: date,
    reason: str,
    doer: Doer,
    *,
    is_shifting: bool = False,
    seen: int | None = None,
) -> Act:
    """It is due another day, for a reason. `is_shifting`: what is open and due later moves by as many working days,
    never to a day before today.

    Raises:
        UserError: a day that has passed, that is too far off or the present one; no reason.
        SettledError, ChangedError: somebody was first.
    """
    milestone = _get_open(journey, milestone_id, seen)
    due_on = check_due(to, doer)
    if due_on == milestone.due_on:
        raise UserError("It is due that day already. Choose another one.", field="due_on")
    told = check_reason(reason)
    edits = [_move(milestone, due_on)]
    later = [each for each in journey.milestones if each.is_open and each.due_on > milestone.due_on]
    if is_shifting:
        days = _count_between(milestone.due_on, due_on, doer.country)
        edits += [_move(each, _shift(each.due_on, days, doer)) for each in later if each.id != milestone.id]
    changed = tuple(edit for edit in edits if edit is not None)
    about = {"name": milestone.name, "reason": told, "shifted": len(changed) - 1}
    return Act("milestone.moved", milestone.id, journey.id, journey.account_id, changed, about)


def decide_add(journey: JourneyFacts, draft: MilestoneDraft, doer: Doer) -> AddMilestone:
    """One more milestone, on a working day. Raises `UserError` with the field at fault."""
    settled = _tidy(draft, check_due(draft.due_on, doer))
    _check_name(journey, settled.name)
    _check_stage(journey, settled.stage_key)
    return AddMilestone(journey.id, journey.account_id, settled)


def decide_edit(journey: JourneyFacts, milestone_id: str, draft: MilestoneDraft, seen: int | None = None) -> Act | None:
    """Another name, stage, lane or owner; its day is moved, not edited. None where nothing would change.

    Raises:
        UserError: the field at fault; a required milestone stays required, or it could vanish without a word.
    """
    milestone = journey.get_milestone(milestone_id)
    check_seen(milestone.id, milestone.version, seen)
    new = _tidy(draft, milestone.due_on)
    if new.name != milestone.name:
        _check_name(journey, new.name, but=milestone.id)
    if new.stage_key != milestone.stage_key:
        _check_stage(journey, new.stage_key)
    if milestone.is_required and not new.is_required:
        raise UserError("It is required. Skip it with a reason if it is not needed.", field="is_required")
    if new.is_required and not milestone.is_required and not milestone.is_open:
        raise UserError("It is settled. Open it again before you require it.", field="is_required")
    changes = {name: getattr(new, name) for name in _EDITED if getattr(new, name) != getattr(milestone, name)}
    return _act(journey, milestone, "milestone.changed", changes) if changes else None


def decide_remove(journey: JourneyFacts, milestone_id: str, doer: Doer, seen: int | None = None) -> Act:
    """It is not there any more. Raises `UserError` for a required one, which is skipped with a reason instead."""
    milestone = journey.get_milestone(milestone_id)
    check_seen(milestone.id, milestone.version, seen)
    if milestone.is_required:
        raise UserError("A required milestone cannot be removed. Skip it with a reason instead.")
    return _act(journey, milestone, "milestone.removed", {"removed_at": doer.now})


def settle(state: MilestoneState, on: date, doer: Doer, reason: str = "") -> dict[str, object]:
    """The fields of a milestone that was done or skipped."""
    return {"state": state, "settled_on": on, "settled_by": doer.person_id, "reason": reason}


def check_reason(reason: str) -> str:
    """The reason without stray spaces. Raises `UserError` where there is none or it is too long."""
    tidy = " ".join(reason.split())
    if not tidy:
        raise UserError("Say why, in a few words: others will read it.", field="reason")
    if len(tidy) > REASON_LENGTH:
        raise UserError("The reason may have {limit} characters at most.", field="reason", limit=REASON_LENGTH)
    return tidy


def check_due(day: date, doer: Doer) -> date:
    """The working day on which something is due: `day` or the first after it. Raises `UserError` where it has passed
    or is more than ten years off.
    """
    due_on = shift_to_working_day(day, doer.country)
    if due_on < doer.today:
        raise UserError("This day has passed. Type today or a day in the future, like 31 Dec.", field="due_on")
    if due_on - doer.today > LONGEST_AHEAD:
        raise UserError("A milestone may be due in 10 years at most. Pick an earlier day.", field="due_on")
    return due_on


def _get_open(journey: JourneyFacts, milestone_id: str, seen: int | None) -> MilestoneFacts:
    milestone = journey.get_milestone(milestone_id)
    if not milestone.is_open:
        raise SettledError(milestone)
    check_seen(milestone.id, milestone.version, seen)
    return milestone


def _act(
    journey: JourneyFacts, milestone: MilestoneFacts, verb: str, values: Mapping[str, object], **told: object
) -> Act:
    edit = Edit("milestone", milestone.id, values, milestone.version)
    return Act(verb, milestone.id, journey.id, journey.account_id, (edit,), {"name": milestone.name} | told)


def _move(milestone: MilestoneFacts, due_on: date) -> Edit | None:
    """The edit that gives it another day; None where it has that day."""
    values = {"due_on": due_on, "moved_count": milestone.moved_count + 1}
    return Edit("milestone", milestone.id, values, milestone.version) if due_on != milestone.due_on else None


def _count_between(first: date, second: date, country: str) -> int:
    """Working days from one to the other, below 0 where the second is earlier."""
    if second >= first:
        return count_working_days(first, second, country)
    return -count_working_days(second, first, country)


def _shift(day: date, days: int, doer: Doer) -> date:
    """`day` moved by so many working days, today at the earliest. Keeps the order of days."""
    if days > 0:
        day = next_working_day(day, doer.country, days)
    for _each in range(-days):
        day -= _DAY
        while not is_working_day(day, doer.country):
            day -= _DAY
    return shift_to_working_day(max(day, doer.today), doer.country)


def _tidy(draft: MilestoneDraft, due_on: date) -> MilestoneDraft:
    return MilestoneDraft(
        name=" ".join(draft.name.split()),
        stage_key=draft.stage_key,
        due_on=due_on,
        lane=draft.lane,
        is_required=draft.is_required,
        owner_id=draft.owner_id,
        customer_owner=" ".join(draft.customer_owner.split())[:NAME_LENGTH],
    )


def _check_name(journey: JourneyFacts, name: str, but: str = "") -> None:
    if not name:
        raise UserError("What is to be reached? Type a name, like Kick-off.", field="name")
    if len(name) > NAME_LENGTH:
        raise UserError("A name may have {limit} characters at most.", field="name", limit=NAME_LENGTH)
    if any(each.name.casefold() == name.casefold() and each.id != but for each in journey.milestones):
        raise UserError("There is a milestone of this name already. Choose another name.", field="name")


def _check_stage(journey: JourneyFacts, stage_key: str) -> None:
    keys = [stage.key for stage in journey.stages]
    if stage_key not in keys:
        raise UserError("This journey has no such stage. Choose one from the list.", field="stage_key")
    if keys.index(stage_key) < journey.place:
        raise UserError("That stage is over. Choose the present one or a later one.", field="stage_key")
    if len(journey.list_in(stage_key)) >= MOST_MILESTONES:
        raise UserError("A stage may have {limit} milestones at most.", field="stage_key", limit=MOST_MILESTONES)
