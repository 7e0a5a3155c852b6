"""Drops: what counts, what never does, and that the contributions add up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.health.contributions import KNOCK_OUT
from rules.health.drops import Criterion, compare, find_drop, list_comparisons, list_days_to_compare
from rules.health.health import CAP, DayScore, decide_band, weigh
from rules.records import Band

TODAY = date(2026, 3, 10)
WEIGHTS = {"utilisation": 15.0, "trend": 15.0, "breadth": 10.0, "targets": 20.0, "support": 10.0, "payment": 5.0}


def scored(day: date, values: dict[str, float], *, capped_by: str = "", band: Band | None = None) -> DayScore:
    """A day's score of these factors, at their usual weights."""
    factors = {name: (x, WEIGHTS[name]) for name, x in values.items()}
    score = weigh(factors)
    if score is not None and capped_by:
        score = min(score, CAP)
    return DayScore(day, score, band or decide_band(score, is_capped=bool(capped_by)), 1.0, capped_by, factors)


def ago(days: int, x: float, **more: object) -> DayScore:
    """A plain score of one factor, some days ago."""
    return scored(TODAY - timedelta(days=days), {"targets": x}, **more)  # type: ignore[arg-type]  # named as in scored


def judge(*days: DayScore, margin: float = 0.0) -> Criterion | None:
    found = find_drop(list_comparisons(TODAY, {each.day: each for each in days}), margin=margin)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("before", "days", "after", "expected"),
    [
        (98, 14, 83, Criterion.FAST),
        (98, 14, 83.1, None),
        (98, 21, 83, None),
        (98, 21, 78, Criterion.SLOW),
        (98, 90, 78, Criterion.SLOW),
        (98, 90, 78.1, None),
        (81, 14, 73, Criterion.BAND_LOST),
        (80.9, 14, 73, None),
        (55, 7, 48, Criterion.INTO_RED),
        (50, 7, 49.4, None),
        (40, 7, 20, Criterion.FAST),
        (70, 7, 90, None),
    ],
)
def test_the_definition(before: float, days: int, after: float, expected: Criterion | None):
    assert judge(ago(days, before), ago(0, after)) is expected


def test_a_margin_lowers_every_threshold():
    assert judge(ago(7, 95), ago(0, 82)) is None
    assert judge(ago(7, 95), ago(0, 82), margin=5) is Criterion.FAST


def test_the_highest_comparable_day_is_the_reference():
    found = find_drop(list_comparisons(TODAY, {d.day: d for d in (ago(12, 90), ago(5, 95), ago(2, 95), ago(0, 76))}))
    assert found is not None
    assert found[1].days == 2
    assert found[1].lost == pytest.approx(19)


def test_days_between_the_weekly_points_are_not_looked_at():
    days = [(TODAY - each).days for each in list_days_to_compare(TODAY)]
    assert days == [*range(1, 15), 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 90]


def test_a_factor_known_on_one_day_only_is_no_drop():
    before = scored(TODAY - timedelta(days=3), {"targets": 80, "support": 90})
    after = scored(TODAY, {"targets": 80, "support": 90, "payment": 0, "breadth": 0})
    assert weigh(after.factors) < 75  # type: ignore[operator]  # it has factors
    found = find_drop(list_comparisons(TODAY, {before.day: before, after.day: after}))
    assert found is None


def test_too_little_in_common_says_nothing():
    before = scored(TODAY - timedelta(days=3), {"payment": 100, "trend": 100})
    after = scored(TODAY, {"payment": 0, "targets": 10, "breadth": 0})
    assert compare(before, after) is None


def test_nothing_in_common_says_nothing():
    assert compare(scored(TODAY - timedelta(days=3), {"trend": 100}), scored(TODAY, {"targets": 0})) is None


def test_an_unknown_score_says_nothing():
    unknown = DayScore(TODAY, None, Band.UNKNOWN, 0.2, "", {"targets": (10.0, 20.0)})
    assert compare(ago(3, 90), unknown) is None


def test_a_knock_out_is_one_of_the_contributions():
    before, after = ago(3, 80), ago(0, 80, capped_by="overdue")
    compared = compare(before, after)
    assert compared is not None
    assert [(each.factor, each.points) for each in compared.list_shares()] == [("targets", 0.0), (KNOCK_OUT, CAP - 80)]
    assert compared.lost == 80 - CAP
    assert judge(before, after) is Criterion.INTO_RED


VALUES = st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 100), max_size=6)
CAPS = st.sampled_from(["", "", "overdue"])


@given(VALUES, VALUES, CAPS, CAPS)
def test_contributions_sum_to_the_change_shown(
    old: dict[str, float], new: dict[str, float], cap_old: str, cap_new: str
):
    before = scored(TODAY - timedelta(days=5), old, capped_by=cap_old)
    compared = compare(before, scored(TODAY, new, capped_by=cap_new))
    if compared is None:
        return
    assert sum(each.points for each in compared.list_shares()) == pytest.approx(
        compared.after - compared.before, abs=1e-6
    )
    assert {each.factor for each in compared.list_shares()} - {KNOCK_OUT} == set(old) & set(new)


@given(VALUES, CAPS)
def test_the_same_factors_compare_as_the_scores_themselves(values: dict[str, float], cap: str):
    assume(values)
    before = scored(TODAY - timedelta(days=5), dict.fromkeys(values, 50.0))
    after = scored(TODAY, values, capped_by=cap)
    compared = compare(before, after)
    assert compared is not None
    assert (compared.before, compared.after) == (pytest.approx(before.score), pytest.approx(after.score))


@given(st.lists(st.floats(0, 100), min_size=2, max_size=20))
def test_a_rising_score_never_drops(values: list[float]):
    rising = sorted(values)
    days = [ago(len(rising) - 1 - at, x) for at, x in enumerate(rising)]
    assert judge(*days) is None
