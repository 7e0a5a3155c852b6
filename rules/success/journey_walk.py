"""The walk itself: a journey started, its stages advanced and gone back, closed; and taking any of it back.

Refuses what concerns a single milestone (`rules.success.milestones`) and storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from rules.errors import UserError
from rules.records import MilestoneState
from rules.success.journeys import (
    Act,
    Doer,
    Edit,
    JourneyFacts,
    JourneyIntent,
    MilestoneFacts,
    StartJourney,
    check_seen,
)
from rules.success.milestones import check_reason, settle
from rules.success.templates import JourneyPlan

EARLIEST_START, LATEST_START = timedelta(days=3 * 366), timedelta(days=366)


class Fate(StrEnum):
    """What becomes of an open milestone when its stage is left."""

    DONE = "done"
    NEXT = "next"
    SKIP = "skip"


def decide_start(
    account_id: str, plan: JourneyPlan, doer: Doer, running: JourneyFacts | None = None
) -> list[JourneyIntent]:
    """The intents that start a journey, in place of the one that is `running`. Raises `UserError` for a date that is
    more than three years ago or a year ahead.
    """
    if not -EARLIEST_START <= plan.started_on - doer.today <= LATEST_START:
        raise UserError("A journey may begin three years ago at most and in a year at most.", field="started_on")
    replaced = [_close(running, "journey.replaced", doer, by=plan.name)] if running else []
    return [*replaced, StartJourney(account_id, plan, running.id if running else "")]


def decide_advance(
    journey: JourneyFacts, fates: Mapping[str, Fate], reason: str, doer: Doer, seen: int | None = None
) -> Act:
    """The next stage begins today; in the last one, the journey ends. Every required milestone of the stage that is
    open needs a fate, by its id; optional ones are skipped where none is given.

    Raises:
        UserError: a required milestone without a fate (its field is its id), skipped without a reason, or put off to a
            stage that is not there.
        ChangedError: the journey has changed since the `seen` version.
    """
    check_seen(journey.id, journey.version, seen)
    following = journey.next_stage
    open_ones = list_open(journey)
    _check_fates(open_ones, fates, is_last=following is None)
    is_explained = not any(each.is_required and fates[each.id] is Fate.SKIP for each in open_ones)
    told = reason.strip() if is_explained and not reason.strip() else check_reason(reason)
    settled = tuple(_settle(journey, each, fates.get(each.id, Fate.SKIP), told, doer) for each in open_ones)
    if following is None:
        return _close(journey, "journey.finished", doer, settled=settled, reason=told)
    return _enter(journey, following.key, "journey.advanced", doer, settled, reason=told)


def decide_back(journey: JourneyFacts, doer: Doer, seen: int | None = None) -> Act:
    """The stage before begins anew today. Raises `UserError` in the first stage, `ChangedError`."""
    check_seen(journey.id, journey.version, seen)
    if journey.place == 0:
        raise UserError("This is the first stage. Close the journey, or start another one instead.")
    return _enter(journey, journey.stages[journey.place - 1].key, "journey.went_back", doer)


def decide_close(journey: JourneyFacts, reason: str, doer: Doer, seen: int | None = None) -> Act:
    """The journey ends here, for a reason; its milestones stay as they are. Raises `UserError`, `ChangedError`."""
    check_seen(journey.id, journey.version, seen)
    return _close(journey, "journey.closed", doer, reason=check_reason(reason))


def list_open(journey: JourneyFacts) -> list[MilestoneFacts]:
    """The open milestones that must be settled before the present stage is left: its own and those of stages before;
    the required ones first.
    """
    keys = {stage.key for stage in journey.stages[: journey.place + 1]}
    found = [each for each in journey.milestones if each.is_open and each.stage_key in keys]
    return sorted(found, key=lambda each: (not each.is_required, each.due_on))


def _check_fates(open_ones: list[MilestoneFacts], fates: Mapping[str, Fate], *, is_last: bool) -> None:
    for each in open_ones:
        if each.is_required and each.id not in fates:
            raise UserError(
                "“{name}” is required and open. Say what becomes of it: done, next stage, or skipped with a reason.",
                field=each.id,
                name=each.name,
            )
        if is_last and fates.get(each.id) is Fate.NEXT:
            raise UserError("There is no stage after this one. Choose done or skipped.", field=each.id)


def _settle(journey: JourneyFacts, each: MilestoneFacts, fate: Fate, reason: str, doer: Doer) -> Edit:
    if fate is Fate.NEXT and journey.next_stage is not None:
        return Edit("milestone", each.id, {"stage_key": journey.next_stage.key}, each.version)
    if fate is Fate.DONE:
        return Edit("milestone", each.id, settle(MilestoneState.DONE, doer.today, doer), each.version)
    return Edit("milestone", each.id, settle(MilestoneState.SKIPPED, doer.today, doer, reason), each.version)


def _enter(
    journey: JourneyFacts, stage_key: str, verb: str, doer: Doer, more: tuple[Edit, ...] = (), reason: str = ""
) -> Act:
    """Leave the present stage for another one; `entered_on` keeps the first time."""
    entered = next(stage.entered_on for stage in journey.stages if stage.key == stage_key)
    edits = (
        Edit("journey", journey.id, {"stage_key": stage_key, "stage_since": doer.today}, journey.version),
        Edit("stage", journey.stage_key, {"left_on": doer.today}),
        Edit("stage", stage_key, {"entered_on": entered or doer.today, "left_on": None}),
        *more,
    )
    names = {stage.key: stage.name for stage in journey.stages}
    about = {"name": names[stage_key], "from": journey.stage_name, "reason": reason}
    return Act(verb, journey.id, journey.id, journey.account_id, edits, about)


def _close(journey: JourneyFacts, verb: str, doer: Doer, settled: tuple[Edit, ...] = (), **told: object) -> Act:
    edit = Edit("journey", journey.id, {"closed_at": doer.now}, journey.version)
    about = {"name": journey.name} | told
    return Act(verb, journey.id, journey.id, journey.account_id, (edit, *settled), about)
