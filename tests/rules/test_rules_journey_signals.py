"""What the rules about journeys see: milestones due and overdue, a stage that does not move."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation
from rules.alerts.journey_signals import RULES, observe_due, observe_overdue, observe_stuck
from rules.records import AlertKind, MilestoneState, Severity, Tier
from rules.success.journeys import JourneyFacts, MilestoneFacts, StageFacts

DAY = date(2026, 3, 10)
STAGES = (StageFacts("begin", "Begin", 30), StageFacts("end", "End", None))


def see(*milestones: MilestoneFacts, days: int = 5, planned: int | None = 30, tier: Tier | None = None) -> Evidence:
    walk = JourneyFacts("j1", "begin", "Begin", DAY - timedelta(days=days), planned, milestones, STAGES, "a1", "Walk")
    return Evidence(DAY, tier=tier, journey=walk)


def due(days: int, **more: object) -> MilestoneFacts:
    return replace(MilestoneFacts("m1", "begin", "Go-live", DAY + timedelta(days=days)), **more)  # type: ignore[arg-type]


def bad(observations: object) -> list[Observation]:
    assert isinstance(observations, list | tuple)
    return [each for each in observations if each.verdict is Verdict.BAD]


@pytest.mark.parametrize(("days", "is_due"), [(8, False), (7, True), (0, True), (-1, False)])
def test_a_milestone_is_due_from_seven_days_before_until_its_day(days: int, *, is_due: bool):
    (seen,) = observe_due(see(due(days)))
    assert (seen.verdict is Verdict.BAD) is is_due
    assert seen.subject == f"m1:{DAY + timedelta(days=days)}"


@pytest.mark.parametrize(
    ("days", "tier", "severity", "is_quiet"),
    [
        (-1, Tier.A, Severity.NOTICE, True),
        (-7, Tier.A, Severity.NOTICE, True),
        (-8, Tier.A, Severity.HIGH, False),
        (-8, Tier.B, Severity.NOTICE, True),
        (-80, None, Severity.NOTICE, True),
    ],
)
def test_an_overdue_milestone_interrupts_for_tier_a_only_and_late(
    days: int, tier: Tier | None, severity: Severity, *, is_quiet: bool
):
    (seen,) = bad(observe_overdue(see(due(days), tier=tier)))
    assert (seen.severity, seen.is_digest_only, seen.facts["days"]) == (severity, is_quiet, -days)


def test_what_is_settled_is_not_observed_and_a_moved_day_is_another_subject():
    assert list(observe_overdue(see(due(-3, state=MilestoneState.DONE)))) == []
    (before,) = observe_overdue(see(due(-3)))
    (after,) = observe_overdue(see(due(3)))
    assert before.subject != after.subject
    assert (before.verdict, after.verdict) == (Verdict.BAD, Verdict.GOOD)


def test_a_stage_is_stuck_beyond_its_margin_or_at_a_standstill():
    assert bad(observe_stuck(see(days=37))) == []
    (late,) = bad(observe_stuck(see(due(9), days=38)))
    assert (late.level, late.facts["is_long"], late.facts["open"]) == (8.0, True, 1)
    assert late.subject == f"j1:begin:{DAY - timedelta(days=38)}"
    (still,) = bad(observe_stuck(see(due(-2), days=30, planned=90)))
    assert (still.level, still.facts["is_long"], still.facts["overdue"]) == (30.0, False, 1)
    assert bad(observe_stuck(see(due(2), days=30, planned=90))) == []


def test_without_a_journey_or_a_plan_nothing_is_seen():
    empty = Evidence(DAY)
    assert [list(rule.observe(empty)) for rule in RULES] == [[], [], []]
    assert list(observe_stuck(see(due(-50), days=500, planned=None))) == []


def test_the_rules_are_one_per_kind_and_begin_at_once():
    assert [rule.kind for rule in RULES] == [
        AlertKind.MILESTONE_DUE,
        AlertKind.MILESTONE_OVERDUE,
        AlertKind.STAGE_STUCK,
    ]
    assert {rule.needed for rule in RULES} == {1}
    assert [rule.is_digest_only for rule in RULES] == [True, False, True]
