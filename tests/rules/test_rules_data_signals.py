"""Too little data of one account: told after two days, never of who is silent, new, or whose source has stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rules.alerts.conditions import Verdict
from rules.alerts.data_signals import RULES, observe_thin
from rules.alerts.evidence import Evidence
from rules.alerts.looks import Look, advance, look_at
from rules.health.health import DayScore
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Band, ConditionState

TODAY, DAY = date(2026, 3, 10), timedelta(days=1)


def score(day: date, coverage: float) -> DayScore:
    is_known = coverage >= 0.5
    factors = {"trend": (70.0, 15.0)} if coverage else {}
    return DayScore(day, 70.0 if is_known else None, Band.YELLOW if is_known else Band.UNKNOWN, coverage, "", factors)


def evidence(coverage: float, before: float | None = 0.9, **more: object) -> Evidence:
    scores = {TODAY: score(TODAY, coverage)}
    if before is not None:
        scores[TODAY - 14 * DAY] = score(TODAY - 14 * DAY, before)
    usage = Usage(TODAY - 300 * DAY, TODAY - 2 * DAY, active_days=40)
    return replace(Evidence(TODAY, scores, usage, Feed(TODAY - DAY)), **more)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (evidence(0.9), Verdict.GOOD),
        (evidence(0.55), Verdict.GOOD),
        (evidence(0.52), Verdict.BETWEEN),
        (evidence(0.49), Verdict.BAD),
        (evidence(0.0), Verdict.BAD),
        (evidence(0.3, None), Verdict.BAD),
        (evidence(0.0, None), Verdict.NO_DATA),
        (evidence(0.0, 0.0), Verdict.NO_DATA),
        (evidence(0.3, feed=Feed(TODAY - 20 * DAY)), Verdict.NO_DATA),
        (evidence(0.3, usage=Usage(TODAY - 300 * DAY, TODAY - 60 * DAY, active_days=40)), Verdict.GOOD),
        (evidence(0.3, usage=Usage()), Verdict.BAD),
        (evidence(0.3, usage=Usage(), feed=Feed(None)), Verdict.NO_DATA),
        (evidence(0.3, usage=Usage(), feed=Feed(TODAY - 20 * DAY)), Verdict.NO_DATA),
        (Evidence(TODAY), Verdict.NO_DATA),
    ],
)
def test_what_is_seen(seen: Evidence, verdict: Verdict):
    (found,) = observe_thin(seen)
    assert found.verdict is verdict


def test_it_takes_two_days_and_waits_for_digests():
    (rule,) = RULES
    assert (rule.needed, rule.is_digest_only) == (2, True)
    known = {(AlertKind.DATA_THIN, ""): advance(look_of(TODAY, 0.9), {})[AlertKind.DATA_THIN, ""]}
    states = []
    for days in (1, 2):
        moved = advance(look_of(TODAY + days * DAY, 0.4), known)
        known = {(AlertKind.DATA_THIN, ""): moved[AlertKind.DATA_THIN, ""]}
        states.append(known[AlertKind.DATA_THIN, ""].state)
    assert states == [ConditionState.PENDING, ConditionState.FIRING]


def look_of(day: date, coverage: float) -> Look:
    scores = {day: score(day, coverage), day - 14 * DAY: score(day - 14 * DAY, 0.9)}
    usage = Usage(TODAY - 300 * DAY, day - DAY, active_days=40)
    return look_at("acme", "", Evidence(day, scores, usage, Feed(day - DAY)), [(AlertKind.DATA_THIN, "")])
