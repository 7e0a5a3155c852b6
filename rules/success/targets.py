"""Targets: what is expected when, how far a target has come, and its status on a day.

Owns the curve, the progress and the order of the statuses (the project's definitions, "Targets"). Refuses to
make, change or word targets (see `rules.success.plans`). Numbers are exact: Decimal in and out, Fraction between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rules.records import TargetKind
from rules.success.curves import Point, find_passed_on, interpolate, is_flat

EARLY_DAYS = 14
"""A target is at least this long "too early" to judge, and a lag of up to this many days is on track."""

LAG_SHARE = Fraction(15, 100)
"""A lag of up to this share of the target's whole period is on track."""

FLAT_POINTS = 10
"""Where the curve is flat: points (hundredths of the whole way) away from it that are still on track."""

STALE_CADENCES = 2


class TargetStatus(StrEnum):
    """Where a target stands; `assess` gives the first that fits, in this order."""

    DRAFT = "draft"
    PAUSED = "paused"
    REPLACED = "replaced"
    ACHIEVED = "achieved"
    UNPROVEN = "unproven"
    MISSED = "missed"
    TOO_EARLY = "too_early"
    STALE = "stale"
    BEHIND = "behind"
    AHEAD = "ahead"
    ON_TRACK = "on_track"


@dataclass(frozen=True)
class TargetFacts:
    """All that is known of a target.

    `baseline` None: the first measurement serves (level), or there is none (the other kinds). `steps` are
    sorted by day, strictly between start and due. `measurements` are sorted by day, and may reach outside
    the period; those before `start_on` are not counted.
    """

    kind: TargetKind
    baseline: Decimal | None
    goal: Decimal
    start_on: date
    due_on: date
    steps: tuple[Point, ...] = ()
    cadence_days: int = 30
    agreed_on: date | None = None
    paused_on: date | None = None
    is_replaced: bool = False
    created_on: date | None = None
    measurements: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """A target on a day.

    `progress` is raw: 0 at the baseline and 1 at the goal, below and above allowed; for keep the share of
    measurements within the limit. `current` is the latest value (cumulative: the sum) and `measured_on` its
    day; `expected` is the curve's value on that day, without a measurement today's. `days_behind` is negative
    when ahead, None on a flat part, where `points_behind` (hundredths of the whole way) tells instead.
    `passed_on` is the day the curve passed the current value. `is_late`: achieved after due.
    """

    status: TargetStatus
    progress: float | None = None
    expected: Decimal | None = None
    current: Decimal | None = None
    measured_on: date | None = None
    days_behind: int | None = None
    points_behind: float | None = None
    passed_on: date | None = None
    is_late: bool = False


def assess(facts: TargetFacts, today: date) -> Assessment:
    """The target as it stands on `today`, from measurements dated until then."""
    facts = _limit(facts, today)
    current = _value(facts.kind, facts.measurements)
    measured_on = facts.measurements[-1][0] if facts.measurements else None
    lag = _compare(facts) if facts.measurements else _Lag()
    won_on = _find_achieved_on(facts, today)
    share = _share(facts)
    return Assessment(
        status=_decide_status(facts, lag, won_on, today),
        progress=None if share is None else float(share),
        expected=expected_value(facts, measured_on or today),
        current=current,
        measured_on=measured_on,
        days_behind=lag.days,
        points_behind=lag.points,
        passed_on=lag.passed_on,
        is_late=won_on is not None and won_on > facts.due_on,
    )


def count_limits(facts: TargetFacts, found: Assessment) -> float:
    """How far behind the target is in its own limits: over 1 is behind, under −1 ahead; 0 without a comparison."""
    return float(_count_limits(facts, _Lag(found.days_behind, found.points_behind)))


def expected_value(facts: TargetFacts, day: date) -> Decimal | None:
    """The curve on `day`: linear between its points, level before the start and after due.

    None while a level target has neither baseline nor measurement.
    """
    curve = curve_points(facts)
    value = interpolate(curve, day) if curve else None
    return None if value is None else Decimal(value.numerator) / Decimal(value.denominator)


def curve_points(facts: TargetFacts) -> tuple[Point, ...]:
    """(start, baseline), the steps, (due, goal). Keep is flat at its limit, cumulative starts at 0."""
    start = _start_value(facts)
    if start is None:
        return ()
    steps = () if is_keep(facts.kind) else facts.steps
    return ((facts.start_on, start), *steps, (facts.due_on, facts.goal))


def is_keep(kind: TargetKind) -> bool:
    """Whether the target is to stay within a limit rather than to arrive somewhere."""
    return kind in (TargetKind.KEEP_ABOVE, TargetKind.KEEP_BELOW)


def is_at_goal(facts: TargetFacts, value: Decimal) -> bool:
    """Whether `value` (for cumulative: a sum) reaches the goal or keeps the limit."""
    return _is_past(facts, value, facts.goal)


# ---------------------------------------------------------------- values


def _limit(facts: TargetFacts, today: date) -> TargetFacts:
    """The facts with those measurements only that count on `today`; a limit has no longer to be kept after due."""
    last = min(today, facts.due_on) if is_keep(facts.kind) else today
    counted = tuple(each for each in facts.measurements if facts.start_on <= each[0] <= last)
    return replace(facts, measurements=counted)


def _value(kind: TargetKind, measurements: Sequence[Point]) -> Decimal | None:
    if not measurements:
        return None
    return _sum(measurements) if kind is TargetKind.CUMULATIVE else measurements[-1][1]


def _sum(points: Sequence[Point]) -> Decimal:
    return sum((value for _day, value in points), Decimal(0))


def _start_value(facts: TargetFacts) -> Decimal | None:
    if facts.kind is TargetKind.CUMULATIVE:
        return Decimal(0)
    if is_keep(facts.kind):
        return facts.goal
    if facts.baseline is not None:
        return facts.baseline
    return next((value for day, value in facts.measurements if day >= facts.start_on), None)


def _is_downward(facts: TargetFacts) -> bool:
    if is_keep(facts.kind):
        return facts.kind is TargetKind.KEEP_BELOW
    start = _start_value(facts)
    return start is not None and facts.goal < start


def _is_past(facts: TargetFacts, value: Decimal, mark: Decimal) -> bool:
    return value <= mark if _is_downward(facts) else value >= mark


def _share(facts: TargetFacts) -> Fraction | None:
    if not facts.measurements:
        return None
    if is_keep(facts.kind):
        return Fraction(sum(is_at_goal(facts, value) for _day, value in facts.measurements), len(facts.measurements))
    start, current = _start_value(facts), _value(facts.kind, facts.measurements)
    if start is None or current is None:
        return None
    if facts.goal == start:
        return Fraction(int(is_at_goal(facts, current)))
    return Fraction(current - start) / Fraction(facts.goal - start)


# ---------------------------------------------------------------- comparison


@dataclass(frozen=True)
class _Lag:
    days: int | None = None
    points: float | None = None
    passed_on: date | None = None


def _compare(facts: TargetFacts) -> _Lag:
    """How far the current value is from the curve, at the day it was measured."""
    curve, day = curve_points(facts), facts.measurements[-1][0]
    value = _value(facts.kind, facts.measurements)
    if value is None or not curve:
        return _Lag()
    if is_keep(facts.kind) or is_flat(curve, day):
        return _Lag(points=_points_below(facts, curve))
    passed_on = find_passed_on(curve, value, day, is_downward=_is_downward(facts))
    return _Lag(days=(day - passed_on).days, passed_on=passed_on)


def _points_below(facts: TargetFacts, curve: Sequence[Point]) -> float | None:
    share = _share(facts)
    if share is None:
        return None
    if is_keep(facts.kind):
        return float(100 * (1 - share))
    start, goal = Fraction(curve[0][1]), Fraction(curve[-1][1])
    if start == goal:
        return None
    planned = (interpolate(curve, facts.measurements[-1][0]) - start) / (goal - start)
    return float(100 * (planned - share))


# ---------------------------------------------------------------- status


def _find_achieved_on(facts: TargetFacts, today: date) -> date | None:
    """The day the target was proven reached, if it was.

    Level: the second day with a value at the goal, or due itself if the value then stood there, or the first
    such value after due. Cumulative: the day the sum got there (one is enough: a sum does not fall back). Keep:
    due, if every measurement was within the limit.
    """
    if is_keep(facts.kind):
        return facts.due_on if today > facts.due_on and _share(facts) == 1 else None
    hits = _days_at_goal(facts)
    if facts.kind is TargetKind.CUMULATIVE:
        return hits[0] if hits else None
    by_due = [each for each in facts.measurements if each[0] <= facts.due_on]
    is_there_at_due = today >= facts.due_on and bool(by_due) and is_at_goal(facts, by_due[-1][1])
    proofs = [*hits[1:2], *([facts.due_on] if is_there_at_due else []), *[day for day in hits if day > facts.due_on]]
    return min(proofs, default=None)


def _days_at_goal(facts: TargetFacts) -> list[date]:
    """Distinct days on which the value (cumulative: the sum so far) was at the goal."""
    days: list[date] = []
    total = Decimal(0)
    for day, value in facts.measurements:
        total = total + value if facts.kind is TargetKind.CUMULATIVE else value
        if is_at_goal(facts, total) and (not days or days[-1] != day):
            days.append(day)
    return days


def _decide_status(facts: TargetFacts, lag: _Lag, won_on: date | None, today: date) -> TargetStatus:
    if facts.agreed_on is None or facts.agreed_on > today:
        return TargetStatus.DRAFT
    if facts.paused_on is not None and facts.paused_on <= today:
        return TargetStatus.PAUSED
    if facts.is_replaced:
        return TargetStatus.REPLACED
    if won_on is not None:
        return TargetStatus.ACHIEVED
    if today > facts.due_on:
        return TargetStatus.MISSED if facts.measurements else TargetStatus.UNPROVEN
    if _is_early(facts, today):
        return TargetStatus.TOO_EARLY
    if _is_stale(facts, today):
        return TargetStatus.STALE
    return _decide_pace(facts, lag) if facts.measurements else TargetStatus.TOO_EARLY


def _is_early(facts: TargetFacts, today: date) -> bool:
    first_step = facts.steps[0][0] if facts.steps else facts.due_on
    return today < first_step and (today - facts.start_on).days <= max(EARLY_DAYS, facts.cadence_days)


def _is_stale(facts: TargetFacts, today: date) -> bool:
    """No measurement for two cadences; a target cannot have been measured before it was created."""
    created_on = facts.created_on or facts.start_on
    since = facts.measurements[-1][0] if facts.measurements else max(facts.start_on, created_on)
    return (today - since).days > STALE_CADENCES * facts.cadence_days


def _decide_pace(facts: TargetFacts, lag: _Lag) -> TargetStatus:
    lagging = _count_limits(facts, lag)
    if lagging > 1:
        return TargetStatus.BEHIND
    return TargetStatus.AHEAD if lagging < -1 else TargetStatus.ON_TRACK


def _count_limits(facts: TargetFacts, lag: _Lag) -> Fraction:
    if lag.days is None:
        return Fraction(lag.points or 0.0) / FLAT_POINTS
    return lag.days / max(Fraction(EARLY_DAYS), LAG_SHARE * (facts.due_on - facts.start_on).days)
