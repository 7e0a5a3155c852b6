"""Journey templates: the stages and milestones that an account's journey is made from, and the dates they get.

Owns the shape of a template, its names by language and turning it into a dated plan. Refuses to read files
(`storage.library`) and to know accounts that already walk (`rules.success.journeys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from rules.people.working_time import shift_to_working_day
from rules.records import Lane

LONGEST_OFFSET = 3660
"""Days that a milestone may be due after what it counts from."""

Names = Mapping[str, str]
"""A name by language ("en", "zh_Hans", "zh_Hant"); English is always there."""


class CountsFrom(StrEnum):
    """What a milestone's days are counted from: the planned begin of its stage, or of the whole journey."""

    STAGE = "stage"
    JOURNEY = "journey"


@dataclass(frozen=True)
class MilestoneTemplate:
    """A milestone: `days` (0 or more) after what it counts from. `is_required`: it cannot be left out silently."""

    key: str
    names: Names
    lane: Lane
    days: int
    counts_from: CountsFrom = CountsFrom.STAGE
    is_required: bool = True


@dataclass(frozen=True)
class StageTemplate:
    """A stage. `planned_days`: how long it should take; None, allowed in the last one, for as long as it takes."""

    key: str
    names: Names
    planned_days: int | None
    milestones: tuple[MilestoneTemplate, ...] = ()


@dataclass(frozen=True)
class Template:
    """A journey to make others from. `version` rises whenever its stages or milestones change."""

    key: str
    version: int
    names: Names
    summaries: Names
    stages: tuple[StageTemplate, ...] = ()


@dataclass(frozen=True)
class MilestonePlan:
    """A milestone to be stored, with its name in one language and its day."""

    key: str
    stage_key: str
    name: str
    lane: Lane
    is_required: bool
    due_on: date


@dataclass(frozen=True)
class StagePlan:
    """A stage to be stored. `begins_on` is when the plan has it begin, a working day."""

    key: str
    name: str
    planned_days: int | None
    begins_on: date


@dataclass(frozen=True)
class JourneyPlan:
    """A journey to be stored, with all its dates. `stage_key` is the stage it begins in."""

    template_key: str
    template_version: int
    name: str
    started_on: date
    stages: tuple[StagePlan, ...]
    milestones: tuple[MilestonePlan, ...] = ()
    stage_key: str = ""


def pick_name(names: Names, language: str) -> str:
    """The name in `language`, else in English."""
    return names.get(language) or names["en"]


def plan_journey(
    template: Template, started_on: date, language: str = "en", country: str = "", stage_key: str = ""
) -> JourneyPlan:
    """The template as a plan that begins on `started_on`, or on the first working day of `country` after it, in its
    first stage or the one of `stage_key`; what lies before that stage has passed and keeps no milestones.

    A stage begins when those before it have taken their planned days; every date is a working day. An unknown
    `stage_key` counts as the first.
    """
    keys = [stage.key for stage in template.stages]
    first = keys.index(stage_key) if stage_key in keys else 0
    passed = sum(stage.planned_days or 0 for stage in template.stages[:first])
    begin = shift_to_working_day(started_on, country)
    calendar = _Calendar(begin - timedelta(days=passed), country)
    stages, milestones = [], []
    passed = 0
    for place, stage in enumerate(template.stages):
        name = pick_name(stage.names, language)
        stages.append(StagePlan(stage.key, name, stage.planned_days, calendar.find_day(passed)))
        if place >= first:
            milestones += [_plan_milestone(each, stage, calendar, passed, language) for each in stage.milestones]
        passed += stage.planned_days or 0
    name = pick_name(template.names, language)
    plan = JourneyPlan(template.key, template.version, name, begin, tuple(stages), tuple(milestones))
    return replace(plan, stage_key=keys[first])


@dataclass(frozen=True)
class _Calendar:
    """Working days counted from the begin of a journey."""

    begin: date
    country: str

    def find_day(self, days: int) -> date:
        return shift_to_working_day(self.begin + timedelta(days=days), self.country)


def _plan_milestone(
    each: MilestoneTemplate, stage: StageTemplate, calendar: _Calendar, stage_days: int, language: str
) -> MilestonePlan:
    first = 0 if each.counts_from is CountsFrom.JOURNEY else stage_days
    due_on, name = calendar.find_day(first + each.days), pick_name(each.names, language)
    return MilestonePlan(each.key, stage.key, name, each.lane, each.is_required, due_on)
