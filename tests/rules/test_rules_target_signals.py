"""Signals of targets: behind with a margin, stale, a step to be measured; what is not looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, TargetSeen
from rules.alerts.target_signals import RULES, observe_behind, observe_stale, observe_step
from rules.records import AlertKind, Severity, TargetKind, Tier
from rules.success.targets import TargetFacts, assess

D = Decimal
START, DUE = date(2026, 1, 1), date(2026, 12, 31)
FACTS = TargetFacts(TargetKind.LEVEL, D(0), D(364), START, DUE, cadence_days=30, agreed_on=START, created_on=START)
"""One more a day, so that days behind can be read off. 15 % of the period are 54.6 days."""


def seen(*points: tuple[date, int], **more: Any) -> TargetSeen:
    measured = tuple((day, D(value)) for day, value in points)
    return TargetSeen("t1", "conversion", "%", replace(FACTS, measurements=measured, **more), "conversion", "Kim")


def look(target: TargetSeen, day: date, tier: Tier | None = Tier.A) -> Evidence:
    return Evidence(day, tier=tier, targets=(target,))


def behind(target: TargetSeen, day: date, tier: Tier | None = Tier.A) -> Observation:
    (found,) = observe_behind(look(target, day, tier))
    return found


JULY = date(2026, 7, 20)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (100, Verdict.BAD),
        (145, Verdict.BAD),
        (146, Verdict.BETWEEN),
        (159, Verdict.BETWEEN),
        (160, Verdict.GOOD),
        (364, Verdict.GOOD),
    ],
)
def test_behind_begins_at_the_limit_and_ends_with_a_margin(value: int, verdict: Verdict):
    assert behind(seen((JULY, value)), JULY).verdict is verdict


def test_an_old_value_is_never_compared_with_today():
    target = seen((JULY, 190))
    assert behind(target, JULY).verdict is Verdict.GOOD
    assert behind(target, JULY + timedelta(days=55)).verdict is Verdict.GOOD


def test_the_facts_are_enough_to_do_the_sum_again():
    found = behind(seen((JULY, 100)), JULY)
    facts = found.facts
    assert facts["passed_on"] == (START + timedelta(days=100)).isoformat()
    assert facts["days_behind"] == (JULY - START).days - 100 == 100
    assert facts["limits"] == pytest.approx(100 / (0.15 * 364), abs=1e-4)
    assert facts["curve"] == [["2026-01-01", "0"], ["2026-12-31", "364"]]
    assert (found.subject, facts["customer_owner"], facts["metric_key"]) == ("t1", "Kim", "conversion")


def test_only_the_first_tiers_are_interrupted():
    for tier, is_alone in ((Tier.A, True), (Tier.B, True), (Tier.C, False), (None, False)):
        found = behind(seen((JULY, 100)), JULY, tier)
        assert found.is_digest_only is not is_alone
        assert (found.severity is Severity.HIGH) is is_alone


def test_a_stale_target_keeps_its_condition_as_it_is():
    late = JULY + timedelta(days=61)
    target = seen((JULY, 100))
    assert behind(target, late).verdict is Verdict.NO_DATA
    (stale,) = observe_stale(look(target, late))
    assert (stale.verdict, stale.facts["days"], stale.facts["limit_days"]) == (Verdict.BAD, 61, 60)
    (fresh,) = observe_stale(look(target, late - timedelta(days=1)))
    assert fresh.verdict is Verdict.GOOD


def test_a_target_never_measured_is_stale_from_when_it_was_made():
    made_on = date(2026, 6, 1)
    (found,) = observe_stale(look(seen(created_on=made_on), made_on + timedelta(days=61)))
    assert (found.verdict, found.facts["since"], found.facts["value"]) == (Verdict.BAD, "2026-06-01", None)


@pytest.mark.parametrize(
    "more",
    [
        {"agreed_on": None},
        {"paused_on": START},
        {"is_replaced": True},
        {"goal": D(50), "measurements": ((START, D(50)), (JULY, D(60)))},
    ],
)
def test_what_is_not_in_force_is_not_looked_at(more: dict[str, Any]):
    target = replace(seen((JULY, 100)), facts=replace(seen((JULY, 100)).facts, **more))
    evidence = look(target, JULY)
    assert [list(rule.observe(evidence)) for rule in RULES] == [[], [], []]


STEP = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("today", "measured", "verdicts"),
    [
        (-8, None, []),
        (-7, None, [Verdict.BAD]),
        (7, None, [Verdict.BAD]),
        (8, None, []),
        (0, -8, [Verdict.BAD]),
        (0, -7, [Verdict.GOOD]),
        (3, 2, [Verdict.GOOD]),
        (0, 2, [Verdict.BAD]),
    ],
)
def test_a_step_is_asked_for_around_its_day_until_it_is_measured(
    today: int, measured: int | None, verdicts: list[Verdict]
):
    points = [] if measured is None else [(STEP + timedelta(days=measured), 170)]
    target = seen(*points, steps=((STEP, D(180)),))
    found = observe_step(look(target, STEP + timedelta(days=today)))
    assert [each.verdict for each in found] == verdicts
    assert all(each.subject == "t1:2026-06-30" and each.kind is AlertKind.STEP_DUE for each in found)


def test_the_due_date_is_the_last_step_and_steps_before_the_target_was_made_are_none():
    (last,) = observe_step(look(seen((JULY, 190)), DUE))
    assert (last.facts["is_last"], last.facts["step_value"], last.verdict) == (True, "364", Verdict.BAD)
    target = seen(steps=((STEP, D(180)),), created_on=STEP + timedelta(days=1))
    assert list(observe_step(look(target, STEP + timedelta(days=2)))) == []


def test_levels_of_points_and_days_are_counted_in_limits():
    keep = replace(FACTS, kind=TargetKind.KEEP_ABOVE, goal=D(90), baseline=None)
    points = tuple((START + timedelta(days=30 * number), D(80 if number % 2 else 95)) for number in range(1, 7))
    facts = replace(keep, measurements=points)
    day = points[-1][0]
    assert assess(facts, day).points_behind == pytest.approx(50)
    (found,) = observe_behind(look(TargetSeen("t2", "uptime", "%", facts), day))
    assert (found.verdict, found.level) == (Verdict.BAD, 5.0)
