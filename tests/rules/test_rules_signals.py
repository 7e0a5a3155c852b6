"""What each rule sees, and the guards over accounts and rules."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.conditions import Condition, Verdict
from rules.alerts.evidence import Evidence, Rule
from rules.alerts.health_signals import list_days, observe_drop, observe_red, observe_silence
from rules.alerts.looks import has_dropped, look_at
from rules.alerts.signals import RULES, find_seasons, has_just_dropped, may_have_dropped
from rules.health.health import DayScore
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Band, ConditionState, Severity

TODAY = date(2026, 3, 10)
FACTORS = {"targets": 20.0, "support": 10.0}


def day_score(days_ago: int, x: float, band: Band, **more: str) -> DayScore:
    factors = {name: (x, weight) for name, weight in FACTORS.items()}
    return DayScore(TODAY - timedelta(days=days_ago), x, band, 0.85, more.get("capped_by", ""), factors)


def evidence(*scores: DayScore, last_use: date | None = None, feed_day: date | None = None) -> Evidence:
    usage = Usage(first_use=last_use and last_use - timedelta(days=200), last_use=last_use, active_days=30)
    return Evidence(TODAY, {each.day: each for each in scores}, usage, Feed(feed_day))


def test_one_rule_per_kind():
    assert len({rule.kind for rule in RULES}) == len(RULES)
    assert all(rule.needed >= 1 and rule.worse_by > 0 for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_without_evidence_no_rule_has_an_opinion(rule: Rule):
    assert all(each.verdict is Verdict.NO_DATA for each in rule.observe(Evidence(TODAY)))


def test_scores_needed_are_today_and_the_days_to_compare():
    assert list_days(TODAY)[0] == TODAY
    assert len(set(list_days(TODAY))) == len(list_days(TODAY))


def test_a_drop_tells_enough_to_do_the_sum_again():
    seen = observe_drop(
        evidence(day_score(9, 72, Band.YELLOW), day_score(0, 49, Band.RED), feed_day=TODAY - timedelta(days=1))
    )
    assert (seen.verdict, seen.severity, seen.level) == (Verdict.BAD, Severity.CRITICAL, pytest.approx(23))
    facts = json.loads(json.dumps(seen.facts))
    assert (facts["before"], facts["after"], facts["days"], facts["from_day"]) == (72, 49, 9, "2026-03-01")
    assert (facts["coverage"], facts["data_day"], facts["criterion"]) == (0.85, "2026-03-09", "into_red")
    weights = sum(each["weight"] for each in facts["shares"])
    redone = sum((each["after"] - each["before"]) * each["weight"] / weights for each in facts["shares"])
    assert redone == pytest.approx(facts["after"] - facts["before"])


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ((95, Band.GREEN), (78, Band.GREEN), Severity.HIGH),
        ((90, Band.GREEN), (60, Band.YELLOW), Severity.HIGH),
        ((90, Band.GREEN), (40, Band.RED), Severity.CRITICAL),
    ],
)
def test_severity_of_a_drop(before: tuple[float, Band], after: tuple[float, Band], severity: Severity):
    assert observe_drop(evidence(day_score(9, *before), day_score(0, *after))).severity is severity


def test_a_slow_drop_in_one_band_is_a_notice():
    seen = observe_drop(evidence(day_score(90, 98, Band.GREEN), day_score(0, 78, Band.GREEN)))
    assert (seen.verdict, seen.severity) == (Verdict.BAD, Severity.NOTICE)


@pytest.mark.parametrize(("after", "verdict"), [(82, Verdict.BETWEEN), (86, Verdict.GOOD)])
def test_a_drop_ends_only_past_the_margin(after: float, verdict: Verdict):
    seen = observe_drop(evidence(day_score(9, 95, Band.GREEN), day_score(0, after, Band.GREEN)))
    assert seen.verdict is verdict


@pytest.mark.parametrize(
    ("score", "band", "verdict"),
    [
        (49.4, Band.RED, Verdict.BAD),
        (49.5, Band.RED, Verdict.BETWEEN),
        (54, Band.RED, Verdict.BETWEEN),
        (47, Band.YELLOW, Verdict.GOOD),
        (55, Band.YELLOW, Verdict.GOOD),
    ],
)
def test_red_follows_the_band_and_the_score(score: float, band: Band, verdict: Verdict):
    assert observe_red(evidence(day_score(0, score, band))).verdict is verdict


def test_an_unknown_score_is_not_red():
    unknown = DayScore(TODAY, None, Band.UNKNOWN, 0.3)
    assert observe_red(evidence(unknown)).verdict is Verdict.NO_DATA


YESTERDAY = TODAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("last_use", "feed_day", "verdict"),
    [
        (date(2026, 2, 17), YESTERDAY, Verdict.BAD),
        (date(2026, 2, 18), YESTERDAY, Verdict.BETWEEN),
        (date(2026, 3, 2), YESTERDAY, Verdict.GOOD),
        (None, YESTERDAY, Verdict.NO_DATA),
        (date(2026, 1, 5), None, Verdict.NO_DATA),
        (date(2026, 1, 5), date(2026, 2, 20), Verdict.NO_DATA),
        (date(2026, 2, 17), date(2026, 3, 6), Verdict.BETWEEN),
    ],
    ids=["14 days", "13 days", "5 days", "never used", "no feed", "feed stopped", "not yet at the feed's end"],
)
def test_silence_counts_working_days_to_the_end_of_the_feed(
    last_use: date | None, feed_day: date | None, verdict: Verdict
):
    assert observe_silence(evidence(last_use=last_use, feed_day=feed_day)).verdict is verdict


def test_silence_says_when_it_was_last_used():
    seen = observe_silence(evidence(last_use=date(2026, 2, 17), feed_day=YESTERDAY))
    assert seen.facts["last_use"] == "2026-02-17"
    assert seen.facts["working_days"] == seen.level == 14


def on(day: date = TODAY) -> Condition:
    return Condition(ConditionState.FIRING, 0, day, TODAY, (day,))


@pytest.mark.parametrize(
    ("dropped", "total", "is_season"), [(3, 12, False), (4, 12, True), (7, 7, False), (2, 8, False), (3, 8, True)]
)
def test_a_season_needs_more_than_a_quarter_of_at_least_eight(dropped: int, total: int, is_season: bool):
    drops = [("DE", at < dropped) for at in range(total)] + [("FR", False)] * 20
    assert find_seasons(drops) == ({"DE": (dropped, total)} if is_season else {})


def test_accounts_without_a_country_make_no_season():
    assert find_seasons([("", True)] * 50) == {}


@given(st.integers(0, 30))
def test_only_drops_of_the_last_week_happened_together(days_ago: int):
    assert has_just_dropped(on(TODAY - timedelta(days=days_ago)), TODAY) == (days_ago < 7)
    assert not has_just_dropped(None, TODAY)


@given(
    st.sampled_from(ConditionState),
    st.integers(0, 20),
    st.integers(0, 3),
    st.dictionaries(st.integers(0, 16), st.sampled_from([90.0, 60.0, 30.0])),
)
def test_scores_not_read_for_seasons_would_have_told_of_no_drop(
    state: ConditionState, opened_ago: int, observed_ago: int, scores: dict[int, float]
):
    opened_on = TODAY - timedelta(days=opened_ago)
    is_on = state in (ConditionState.FIRING, ConditionState.CLEARING)
    streak = int(state in (ConditionState.PENDING, ConditionState.CLEARING))
    stood = Condition(state, streak, opened_on, TODAY - timedelta(days=observed_ago), (opened_on,) if is_on else ())
    known = {(AlertKind.HEALTH_DROP, ""): stood}
    days = [day_score(ago, x, Band.RED if x < 50 else Band.GREEN) for ago, x in scores.items()]
    if not may_have_dropped(state, opened_on if is_on else None, TODAY):
        assert not has_dropped(look_at("acme", "DE", evidence(*days), known), known)


def test_scores_are_read_where_a_drop_may_begin_today_or_began_lately():
    assert may_have_dropped(None, None, TODAY)
    assert may_have_dropped(ConditionState.PENDING, TODAY - timedelta(days=90), TODAY)
    assert may_have_dropped(ConditionState.CLEARING, TODAY - timedelta(days=6), TODAY)
    assert not may_have_dropped(ConditionState.CLEARING, TODAY - timedelta(days=7), TODAY)
