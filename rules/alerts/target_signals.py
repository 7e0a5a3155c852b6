"""What the rules about targets see: behind the plan, without a value for long, a step to be measured. Owns these rules;
refuses to know what follows, and to judge a target otherwise than `rules.success.targets` does.

One observation per target in force; a draft, a paused, a replaced and an ended target are not looked at, so what was
open about them is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, Rule, TargetSeen
from rules.records import AlertKind, Severity, Tier
from rules.success.curves import Point
from rules.success.targets import (
    STALE_CADENCES,
    Assessment,
    TargetStatus,
    count_limits,
    curve_points,
    is_keep,
)

CLEAR_AT = 0.75
"""A target is no longer behind at so much of the limit that made it so."""
WINDOW = timedelta(days=7)
"""A step is asked for, and may be measured, so long before its day."""
_RUNNING = frozenset(
    {TargetStatus.TOO_EARLY, TargetStatus.STALE, TargetStatus.BEHIND, TargetStatus.AHEAD, TargetStatus.ON_TRACK}
)
_ALONE = frozenset({Tier.A, Tier.B})
"""Tiers whose targets interrupt somebody when they fall behind."""


def observe_behind(evidence: Evidence) -> Sequence[Observation]:
    """Whether each target's latest value was behind the plan on the day it was measured. Level: limits behind, so 1.0
    is the least. A stale target shows nothing new: its condition stays as it is.
    """
    return [
        _judge_pace(evidence, seen, found)
        for seen, found in evidence.standings
        if found.status in _RUNNING and found.measured_on is not None
    ]


def observe_stale(evidence: Evidence) -> Sequence[Observation]:
    """Whether each target went without a value for two cadences. Level: days since the last one."""
    return [_judge_age(evidence, seen, found) for seen, found in evidence.standings if found.status in _RUNNING]


def observe_step(evidence: Evidence) -> Sequence[Observation]:
    """Whether a step, or the due date, that comes or came within 7 days has its value: one measured in the 7 days
    before its day, or since. Steps before the target was made are not looked at. Level: days past.
    """
    return [
        _judge_step(evidence, seen, found, point)
        for seen, found in evidence.standings
        if found.status in _RUNNING or found.status in (TargetStatus.MISSED, TargetStatus.UNPROVEN)
        for point in _list_near(seen, evidence.day)
    ]


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.TARGET_BEHIND, "behind-1", observe_behind, worse_by=1.0, step=0.5),
    Rule(
        AlertKind.TARGET_STALE,
        "stale-1",
        observe_stale,
        needed=1,
        worse_by=float("inf"),
        is_digest_only=True,
        step=14.0,
    ),
    Rule(
        AlertKind.STEP_DUE,
        "step-1",
        observe_step,
        needed=1,
        worse_by=float("inf"),
        muted_by=frozenset({AlertKind.TARGET_STALE}),
        is_digest_only=True,
    ),
)
"""Every rule, those that mute others first."""


# ---------------------------------------------------------------- behind


def _judge_pace(evidence: Evidence, seen: TargetSeen, found: Assessment) -> Observation:
    kind = AlertKind.TARGET_BEHIND
    if found.status is TargetStatus.STALE:
        return Observation(kind, Verdict.NO_DATA, subject=seen.id)
    limits, raised = count_limits(seen.facts, found), evidence.get_raised(kind)
    if found.status is not TargetStatus.BEHIND or (raised and limits <= 1 + raised):
        is_over = found.status is TargetStatus.TOO_EARLY or limits <= CLEAR_AT + raised
        return Observation(kind, Verdict.GOOD if is_over else Verdict.BETWEEN, subject=seen.id)
    is_head = evidence.tier in _ALONE
    return Observation(
        kind,
        Verdict.BAD,
        Severity.HIGH if is_head else Severity.NOTICE,
        limits,
        _pace_facts(seen, found, limits) | {"limit": 1 + raised},
        subject=seen.id,
        is_digest_only=not is_head,
    )


def _pace_facts(seen: TargetSeen, found: Assessment, limits: float) -> dict[str, object]:
    return _target_facts(seen, found) | {
        "expected": _text(found.expected),
        "passed_on": _text(found.passed_on),
        "days_behind": found.days_behind,
        "points_behind": found.points_behind,
        "limits": round(limits, 4),
        "period_days": (seen.facts.due_on - seen.facts.start_on).days,
        "curve": [[day.isoformat(), str(value)] for day, value in curve_points(seen.facts)],
    }


# ---------------------------------------------------------------- stale, due


def _judge_age(evidence: Evidence, seen: TargetSeen, found: Assessment) -> Observation:
    kind = AlertKind.TARGET_STALE
    if found.status is not TargetStatus.STALE:
        return Observation(kind, Verdict.GOOD, subject=seen.id)
    since = found.measured_on or max(seen.facts.start_on, seen.facts.created_on or seen.facts.start_on)
    days, limit = (evidence.day - since).days, STALE_CADENCES * seen.facts.cadence_days
    raised = round(evidence.get_raised(kind))
    if days <= limit + raised and raised:
        return Observation(kind, Verdict.BETWEEN, subject=seen.id)
    facts = _target_facts(seen, found) | {
        "since": since.isoformat(),
        "days": days,
        "limit_days": limit + raised,
    }
    return Observation(kind, Verdict.BAD, Severity.NOTICE, float(days), facts, subject=seen.id)


def _list_near(seen: TargetSeen, day: date) -> list[Point]:
    """The steps, due date included, of the last and the coming 7 days; for a limit, which has none, its due date."""
    known = seen.facts
    points = [*(() if is_keep(known.kind) else known.steps), (known.due_on, known.goal)]
    made_on = known.created_on or known.start_on
    return [point for point in points if abs(point[0] - day) <= WINDOW and point[0] >= made_on]


def _judge_step(evidence: Evidence, seen: TargetSeen, found: Assessment, point: Point) -> Observation:
    due, value = point
    subject = f"{seen.id}:{due.isoformat()}"
    if any(day >= due - WINDOW for day, _value in seen.facts.measurements if day <= evidence.day):
        return Observation(AlertKind.STEP_DUE, Verdict.GOOD, subject=subject)
    facts = _target_facts(seen, found) | {
        "step_on": due.isoformat(),
        "step_value": str(value),
        "is_last": due == seen.facts.due_on,
        "window_from": (due - WINDOW).isoformat(),
    }
    level = float((evidence.day - due).days)
    return Observation(AlertKind.STEP_DUE, Verdict.BAD, Severity.NOTICE, level, facts, subject=subject)


# ---------------------------------------------------------------- facts


def _target_facts(seen: TargetSeen, found: Assessment) -> dict[str, object]:
    """What every alert about a target tells of it."""
    known = seen.facts
    return {
        "target_id": seen.id,
        "metric": seen.metric,
        "metric_key": seen.metric_key,
        "unit": seen.unit,
        "kind": known.kind.value,
        "baseline": _text(known.baseline),
        "goal": str(known.goal),
        "start_on": known.start_on.isoformat(),
        "due_on": known.due_on.isoformat(),
        "cadence_days": known.cadence_days,
        "customer_owner": seen.customer_owner,
        "value": _text(found.current),
        "measured_on": _text(found.measured_on),
        "progress": found.progress,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
