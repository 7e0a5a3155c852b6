"""What the rules about journeys and milestones see: due soon, overdue, a stage that does not move. Owns these rules;
refuses to know what follows.

A milestone's subject holds its date, so that moving it ends the alert of the old date. A stage's holds the day it
began, so that going back to it is another stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.records import AlertKind, Severity, Tier
from rules.success.journeys import JourneyFacts, MilestoneFacts

DUE_DAYS = 7
"""A milestone is due soon from so many days before its date."""
LATE_DAYS = 7
"""After so many days an overdue milestone of a tier A account interrupts its owner; before that, and for all others,
it waits for the digest."""


def observe_due(evidence: Evidence) -> Sequence[Observation]:
    """Which open milestones are due within 7 days, today included. Level: how many of these days have passed."""
    return [_observe_due(evidence, each) for each in _list_open(evidence)]


def observe_overdue(evidence: Evidence) -> Sequence[Observation]:
    """Which open milestones should be done by now. Level: days since their date."""
    return [_observe_overdue(evidence, each) for each in _list_open(evidence)]


def observe_stuck(evidence: Evidence) -> Sequence[Observation]:
    """Whether the present stage takes too long or stands still. A stage without planned days is never stuck. Level:
    days beyond the plan, or of standstill.
    """
    journey, kind, day = evidence.journey, AlertKind.STAGE_STUCK, evidence.day
    if journey is None or journey.planned_days is None:
        return ()
    subject = f"{journey.id}:{journey.stage_key}:{journey.stage_since.isoformat()}"
    pace = journey.measure_pace(day)
    if not pace.is_stuck(day):
        return (Observation(kind, Verdict.GOOD, subject=subject),)
    beyond, still, is_long = pace.count_beyond(day), pace.count_still(day), pace.is_long(day)
    facts = _stage_facts(journey, day) | {"beyond": beyond, "is_long": is_long, "still": still}
    return (Observation(kind, Verdict.BAD, Severity.NOTICE, float(beyond if is_long else still), facts, subject),)


def _list_open(evidence: Evidence) -> list[MilestoneFacts]:
    return [each for each in evidence.journey.milestones if each.is_open] if evidence.journey else []


def _observe_due(evidence: Evidence, milestone: MilestoneFacts) -> Observation:
    left, subject = (milestone.due_on - evidence.day).days, _subject(milestone)
    if not 0 <= left <= DUE_DAYS:
        return Observation(AlertKind.MILESTONE_DUE, Verdict.GOOD, subject=subject)
    facts = _milestone_facts(evidence, milestone) | {"days": left}
    level = float(DUE_DAYS - left)
    return Observation(AlertKind.MILESTONE_DUE, Verdict.BAD, Severity.NOTICE, level, facts, subject)


def _observe_overdue(evidence: Evidence, milestone: MilestoneFacts) -> Observation:
    kind, subject = AlertKind.MILESTONE_OVERDUE, _subject(milestone)
    days = (evidence.day - milestone.due_on).days
    if days <= 0:
        return Observation(kind, Verdict.GOOD, subject=subject)
    late = LATE_DAYS + round(evidence.get_raised(kind))
    is_urgent = evidence.tier is Tier.A and days > late
    severity = Severity.HIGH if is_urgent else Severity.NOTICE
    facts = _milestone_facts(evidence, milestone) | {"days": days, "late_days": late}
    return Observation(kind, Verdict.BAD, severity, float(days), facts, subject, is_digest_only=not is_urgent)


def _subject(milestone: MilestoneFacts) -> str:
    return f"{milestone.id}:{milestone.due_on.isoformat()}"


def _milestone_facts(evidence: Evidence, milestone: MilestoneFacts) -> dict[str, object]:
    names = {stage.key: stage.name for stage in evidence.journey.stages} if evidence.journey else {}
    return {
        "milestone": milestone.id,
        "name": milestone.name,
        "stage": names.get(milestone.stage_key, ""),
        "due_on": milestone.due_on.isoformat(),
        "is_required": milestone.is_required,
        "customer_owner": milestone.customer_owner,
        "moved_count": milestone.moved_count,
    }


def _stage_facts(journey: JourneyFacts, day: date) -> dict[str, object]:
    own = journey.list_in(journey.stage_key)
    return {
        "journey": journey.id,
        "stage": journey.stage_name,
        "since": journey.stage_since.isoformat(),
        "days": (day - journey.stage_since).days,
        "planned_days": journey.planned_days,
        "open": sum(each.is_open for each in own),
        "overdue": sum(each.is_overdue(day) for each in own),
    }


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.MILESTONE_DUE, "due-1", observe_due, needed=1, worse_by=float("inf"), is_digest_only=True),
    Rule(AlertKind.MILESTONE_OVERDUE, "overdue-1", observe_overdue, needed=1, worse_by=float("inf"), step=7.0),
    Rule(AlertKind.STAGE_STUCK, "stuck-1", observe_stuck, needed=1, worse_by=float("inf"), is_digest_only=True),
)
