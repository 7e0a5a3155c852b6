"""The score: weights, coverage, knock-outs, bands and the contributions that explain a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.health.contributions import COMPOSITION, KNOCK_OUT, explain_change, round_to_sum
from rules.health.factors import FACTORS, AccountFacts, TargetStanding, Ticket
from rules.health.health import (
    CAP,
    DEFAULT_MODEL,
    DayScore,
    HealthModel,
    KnockOut,
    decide_band,
    decide_health,
    measure_coverage,
    show_score,
    weigh,
)
from rules.health.readings import Gap, Reading, ReadingState
from rules.health.usage import WEEKLY, Feed, Gauge, Usage
from rules.records import Band
from rules.success.targets import TargetStatus

DAY = date(2026, 3, 10)
AT = datetime(2026, 3, 10, tzinfo=UTC)
FEED = Feed(DAY - timedelta(1))
BUSY = Usage(
    first_use=DAY - timedelta(300),
    last_use=DAY - timedelta(1),
    current={"export": 100.0, "share": 50.0},
    previous={"export": 100.0, "share": 50.0},
    active_days=40,
    gauges={WEEKLY: Gauge(DAY - timedelta(1), 24, 24, 24, 24)},
    is_gauged=True,
)
FULL = AccountFacts(
    DAY,
    AT,
    seats=60,
    usage=BUSY,
    feed=FEED,
    core=frozenset({"export", "share", "invite", "sync"}),
    targets=(TargetStanding(TargetStatus.ON_TRACK),),
    last_ticket_at=AT - timedelta(3),
    overdue_days=0,
)

X = st.floats(0, 100).map(lambda x: round(x, 2))
NAMES = st.sampled_from([factor.slug for factor in FACTORS])


@st.composite
def day_scores(draw: st.DrawFn) -> DayScore:
    weights = draw(st.sampled_from([DEFAULT_MODEL.weights, {factor.slug: 7.0 for factor in FACTORS}]))
    names = draw(st.lists(NAMES, unique=True, min_size=1))
    factors = {name: (draw(X), weights[name]) for name in names}
    score = weigh(factors)
    assert score is not None
    capped_by = draw(st.sampled_from(["", *KnockOut]))
    return DayScore(DAY, min(score, CAP) if capped_by else score, Band.UNKNOWN, 1.0, capped_by, factors)


def test_the_score_is_the_weighted_mean_of_what_is_present():
    health = decide_health(FULL)
    x = {"utilisation": 50.0, "trend": 80.0, "breadth": 50.0, "targets": 85.0, "support": 100.0, "payment": 100.0}
    assert {name: value for name, (value, _) in health.score.factors.items()} == x
    expected = (15 * 50 + 15 * 80 + 10 * 50 + 20 * 85 + 10 * 100 + 5 * 100) / 75
    assert health.score.score == pytest.approx(expected)
    assert (health.score.coverage, health.score.band) == (1.0, Band.GREEN)


def test_what_does_not_apply_leaves_the_sum_and_what_is_missing_lowers_coverage():
    facts = replace(FULL, seats=None, last_ticket_at=AT - timedelta(100))
    health = decide_health(facts)
    assert health.readings["utilisation"].state is ReadingState.NOT_APPLICABLE
    assert health.readings["support"].state is ReadingState.MISSING
    assert health.score.coverage == pytest.approx((15 + 10 + 20 + 5) / (15 + 10 + 20 + 5 + 10))


def test_under_half_coverage_the_score_is_unknown_even_with_a_knock_out():
    facts = replace(FULL, feed=Feed(DAY - timedelta(60)), has_notice=True)  # 40 of 75 are missing
    score = decide_health(facts).score
    assert (score.score, score.band, score.capped_by) == (None, Band.UNKNOWN, "notice")
    assert score.coverage == pytest.approx(35 / 75)


def test_nothing_known_is_unknown():
    score = decide_health(AccountFacts(DAY, AT)).score
    assert (score.score, score.band, score.coverage, score.factors) == (None, Band.UNKNOWN, 0.0, {})


@given(st.integers(11, 400))
def test_a_feed_that_stopped_never_changes_a_factor_to_zero(age: int):
    readings = decide_health(replace(FULL, feed=Feed(DAY - timedelta(1 + age)))).readings
    assert {readings[name].state for name in ("utilisation", "trend", "breadth")} == {ReadingState.MISSING}
    assert {readings[name].facts["why"] for name in ("utilisation", "trend", "breadth")} == {Gap.OLD_USAGE}


def test_an_account_silent_while_the_feed_runs_has_zero_use():
    usage = replace(BUSY, last_use=DAY - timedelta(70), current={}, previous={}, active_days=0, gauges={})
    health = decide_health(replace(FULL, usage=usage))
    assert {health.readings[name].x for name in ("utilisation", "trend", "breadth")} == {0.0}
    assert health.score.capped_by == KnockOut.SILENCE


@pytest.mark.parametrize(
    ("change", "capped_by"),
    [
        ({"has_notice": True}, "notice"),
        ({"overdue_days": 30}, ""),
        ({"overdue_days": 31}, "overdue"),
        ({"usage": replace(BUSY, last_use=date(2026, 2, 17))}, ""),
        ({"usage": replace(BUSY, last_use=date(2026, 2, 16))}, ""),
        ({"usage": replace(BUSY, last_use=date(2026, 2, 13))}, "silence"),
        ({"usage": Usage()}, ""),
    ],
)
def test_knock_outs_cap_the_score(change: Mapping[str, object], capped_by: str):
    change = {"feed": Feed(date(2026, 3, 6)), **change}  # a Friday: 14 working days after Monday, 16 February
    score = decide_health(replace(FULL, **change)).score  # type: ignore[arg-type]  # each case names its own fields
    expected = "silence" if change.get("usage") and replace(BUSY, last_use=date(2026, 2, 16)) == change["usage"] else ""
    assert score.capped_by == (capped_by or expected)
    assert score.score is not None
    assert (score.score <= CAP) is bool(score.capped_by)
    assert (score.band is Band.RED) is bool(score.capped_by)


@pytest.mark.parametrize(
    ("shown", "previous", "band"),
    [
        (75, Band.UNKNOWN, Band.GREEN),
        (74.4, Band.UNKNOWN, Band.YELLOW),
        (74.5, Band.UNKNOWN, Band.GREEN),
        (50, Band.UNKNOWN, Band.YELLOW),
        (49.4, Band.UNKNOWN, Band.RED),
        (70, Band.GREEN, Band.GREEN),
        (69.4, Band.GREEN, Band.YELLOW),
        (79, Band.YELLOW, Band.YELLOW),
        (80, Band.YELLOW, Band.GREEN),
        (45, Band.YELLOW, Band.YELLOW),
        (44, Band.YELLOW, Band.RED),
        (54, Band.RED, Band.RED),
        (55, Band.RED, Band.YELLOW),
        (75, Band.RED, Band.GREEN),
        (30, Band.GREEN, Band.RED),
        (None, Band.GREEN, Band.UNKNOWN),
    ],
)
def test_five_points_of_margin_to_leave_a_band(shown: float | None, previous: Band, band: Band):
    assert decide_band(shown, previous) is band


@given(st.floats(0, 100), st.sampled_from(list(Band)))
def test_a_band_once_taken_is_kept_at_the_same_score(score: float, previous: Band):
    band = decide_band(score, previous)
    assert decide_band(score, band) is band


@given(st.floats(0, 49), st.sampled_from(list(Band)))
def test_a_capped_account_is_red_at_once(score: float, previous: Band):
    assert decide_band(score, previous, is_capped=True) is Band.RED


@given(st.dictionaries(NAMES, st.tuples(X, st.floats(0.1, 40)), min_size=1))
def test_a_score_stays_between_its_factors(factors: dict[str, tuple[float, float]]):
    score = weigh(factors)
    assert score is not None
    assert min(x for x, _ in factors.values()) - 1e-6 <= score <= max(x for x, _ in factors.values()) + 1e-6


@given(st.fixed_dictionaries({factor.slug: st.sampled_from(list(ReadingState)) for factor in FACTORS}))
def test_coverage_is_a_share_of_what_applies(states: dict[str, ReadingState]):
    readings = {name: Reading(state, 1.0 if state is ReadingState.PRESENT else None) for name, state in states.items()}
    applicable = [name for name, state in states.items() if state is not ReadingState.NOT_APPLICABLE]
    present = [name for name in applicable if states[name] is ReadingState.PRESENT]
    weigh_all = DEFAULT_MODEL.weights
    expected = sum(weigh_all[n] for n in present) / sum(weigh_all[n] for n in applicable) if applicable else 0
    assert measure_coverage(readings, DEFAULT_MODEL) == pytest.approx(expected)


@given(day_scores(), day_scores())
def test_contributions_add_up_to_the_change_shown(before: DayScore, after: DayScore):
    found = explain_change(before, after)
    assert before.score is not None
    assert after.score is not None
    assert sum(each.points for each in found) == show_score(after.score) - show_score(before.score)
    assert sum(each.exact for each in found) == pytest.approx(after.score - before.score, abs=1e-6)
    assert all(abs(each.points - each.exact) < 2 for each in found)


@given(day_scores(), st.data())
def test_on_the_same_factors_each_contributes_its_weighted_change(before: DayScore, data: st.DataObject):
    factors = {name: (data.draw(X), weight) for name, (_, weight) in before.factors.items()}
    before = replace(before, score=weigh(before.factors), capped_by="")
    after = replace(before, factors=factors, score=weigh(factors))
    total = sum(weight for _, weight in factors.values())
    for each in explain_change(before, after):
        old, weight = before.factors[each.name]
        assert each.exact == pytest.approx(weight * (factors[each.name][0] - old) / total)
        assert (each.before, each.after) == (old, factors[each.name][0])


def test_a_cap_and_a_factor_that_came_are_named_apart():
    before = DayScore(DAY, 80.0, Band.GREEN, 1.0, "", {"trend": (80.0, 15.0)})
    after = DayScore(DAY, CAP, Band.RED, 1.0, "notice", {"trend": (80.0, 15.0), "support": (20.0, 10.0)})
    assert {each.name: each.points for each in explain_change(before, after)} == {COMPOSITION: -24, KNOCK_OUT: -7}


def test_an_unknown_score_explains_nothing():
    known = DayScore(DAY, 80.0, Band.GREEN, 1.0, "", {"trend": (80.0, 15.0)})
    assert explain_change(known, DayScore(DAY, None, Band.UNKNOWN, 0.1)) == ()


@given(st.dictionaries(st.text(max_size=3), st.floats(-100, 100), min_size=1, max_size=8), st.integers(-1, 1))
def test_rounding_keeps_the_sum(exact: dict[str, float], off: int):
    total = round(sum(exact.values())) + off
    shown = round_to_sum(exact, total)
    assert sum(shown.values()) == total


@pytest.mark.parametrize("weights", [{}, {"magic": 5.0}, {"trend": 0.0}, {"trend": 30.0, "breadth": 11.0}])
def test_a_model_with_wrong_weights_is_refused(weights: dict[str, float]):
    with pytest.raises(ValueError, match=r"health factors|above 0|at most 40"):
        HealthModel("mine", weights)


def test_usage_weighs_forty_at_most_and_names_are_unique():
    assert sum(factor.weight for factor in FACTORS if factor.is_usage) == 40
    assert len({factor.slug for factor in FACTORS}) == len({factor.name for factor in FACTORS}) == len(FACTORS)


@given(
    st.builds(
        replace,
        st.just(FULL),
        seats=st.none() | st.integers(0, 10_000),
        overdue_days=st.none() | st.integers(0, 900),
        tickets=st.lists(
            st.builds(
                Ticket,
                opened_at=st.datetimes(datetime(2024, 1, 1), datetime(2026, 3, 9), timezones=st.just(UTC)),  # noqa: DTZ001
                closed_at=st.none() | st.just(AT - timedelta(1)),
                priority=st.sampled_from(["low", "normal", "high", "urgent", "P9"]),
                is_escalated=st.booleans(),
                satisfaction=st.none() | st.integers(1, 5),
            ),
            max_size=12,
        ).map(tuple),
        targets=st.lists(
            st.builds(TargetStanding, st.sampled_from(list(TargetStatus)), st.none() | st.integers(-500, 500)),
            max_size=6,
        ).map(tuple),
    )
)
def test_every_factor_reads_anything_as_0_to_100_or_says_why_not(facts: AccountFacts):
    for factor in FACTORS:
        reading = factor.read(facts)
        if reading.state is ReadingState.PRESENT:
            assert reading.x is not None
            assert 0 <= reading.x <= 100
        else:
            assert reading.x is None
            assert Gap(str(reading.facts["why"]))
