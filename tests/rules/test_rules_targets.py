"""Targets: the curve, progress, days behind and the status, from examples and as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.errors import UserError
from rules.records import TargetKind
from rules.success.plans import (
    AddTarget,
    MeasurementDraft,
    Raise,
    TargetDraft,
    check_unit,
    decide_add_target,
    decide_log,
    make_steps,
    raised,
)
from rules.success.targets import (
    TargetFacts,
    TargetStatus,
    assess,
    curve_points,
    expected_value,
)

D = Decimal
START, DUE = date(2026, 1, 1), date(2026, 12, 31)
LEVEL = TargetFacts(TargetKind.LEVEL, D(5), D(10), START, DUE, agreed_on=START, created_on=START)

numbers = st.decimals(-(10**6), 10**6, places=2)
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@st.composite
def facts(draw: st.DrawFn, kind: TargetKind | None = None) -> TargetFacts:
    """Any target with any measurements, steps seasonal or none."""
    start = draw(days)
    due = start + timedelta(days=draw(st.integers(2, 800)))
    inside = st.integers(1, (due - start).days - 1)
    steps = sorted((start + timedelta(days=each), draw(numbers)) for each in draw(st.sets(inside, max_size=4)))
    measured = sorted(((draw(days), draw(numbers)) for _ in range(draw(st.integers(0, 6)))), key=lambda each: each[0])
    return TargetFacts(
        kind=kind or draw(st.sampled_from(TargetKind)),
        baseline=draw(st.none() | numbers),
        goal=draw(numbers),
        start_on=start,
        due_on=due,
        steps=tuple(steps),
        cadence_days=draw(st.integers(1, 200)),
        agreed_on=draw(st.none() | days),
        paused_on=draw(st.none() | days),
        is_replaced=draw(st.booleans()),
        created_on=draw(st.none() | days),
        measurements=tuple(measured),
    )


def measured(*points: tuple[date, str], **more: object) -> TargetFacts:
    return replace(LEVEL, measurements=tuple((day, D(value)) for day, value in points), **more)


# ---------------------------------------------------------------- the curve


@given(facts())
def test_the_curve_passes_through_start_steps_and_due(known: TargetFacts):
    curve = curve_points(known)
    assume(curve)
    for day, value in curve:
        assert expected_value(known, day) == value
    assert expected_value(known, date.min) == curve[0][1]
    assert expected_value(known, date.max) == curve[-1][1] == known.goal


@given(facts(), days)
def test_the_curve_stays_between_the_points_around_a_day(known: TargetFacts, day: date):
    curve = curve_points(known)
    assume(curve)
    value = expected_value(known, day)
    assert value is not None
    assert min(each for _day, each in curve) <= value <= max(each for _day, each in curve)


@given(numbers, numbers, days, st.integers(2, 1500), st.sampled_from([TargetKind.LEVEL, TargetKind.CUMULATIVE]))
def test_generated_steps_are_in_order_and_inside(
    baseline: Decimal, goal: Decimal, start: date, length: int, kind: TargetKind
):
    first = D(0) if kind is TargetKind.CUMULATIVE else baseline
    draft = TargetDraft("a", "m", kind, "", first, goal, start, start + timedelta(days=length))
    steps = make_steps(draft)
    dates = [draft.start_on, *(day for day, _value in steps), draft.due_on]
    assert dates == sorted(set(dates))
    values = [first, *(value for _day, value in steps), goal]
    assert values in (sorted(values), sorted(values, reverse=True))


def test_generated_steps_are_quarterly_over_a_year_and_monthly_below_half():
    draft = TargetDraft("a", "m", TargetKind.LEVEL, "%", D(6), D(10), date(2026, 1, 1), date(2026, 12, 31))
    assert [str(value) for _day, value in make_steps(draft)] == ["7.00", "8.00", "9.00"]
    assert len(make_steps(replace(draft, due_on=date(2026, 6, 30)))) == 5
    assert make_steps(replace(draft, due_on=date(2026, 1, 20))) == ()
    assert make_steps(replace(draft, kind=TargetKind.KEEP_ABOVE)) == ()


# ---------------------------------------------------------------- progress


@given(facts(TargetKind.LEVEL))
def test_progress_is_nought_at_the_baseline_and_one_at_the_goal_in_both_directions(known: TargetFacts):
    assume(known.baseline is not None and known.baseline != known.goal)
    assert known.baseline is not None
    for value, share in ((known.baseline, 0), (known.goal, 1), ((known.baseline + known.goal) / 2, 0.5)):
        at = replace(known, measurements=((known.start_on, value),))
        assert assess(at, known.due_on).progress == pytest.approx(share)


def test_progress_is_raw_beyond_both_ends_and_works_downwards():
    down = replace(LEVEL, baseline=D(90), goal=D(60))
    for value, share in (("75", 0.5), ("54", 1.2), ("96", -0.2)):
        assert assess(replace(down, measurements=((START, D(value)),)), START).progress == pytest.approx(share)


def test_a_total_is_the_sum_and_a_limit_the_share_within():
    points = ((date(2026, 2, 1), "4"), (date(2026, 3, 1), "6"), (date(2026, 4, 1), "2"))
    total = assess(measured(*points, kind=TargetKind.CUMULATIVE, baseline=None, goal=D(24)), date(2026, 4, 2))
    assert (total.progress, total.current) == (0.5, D(12))
    keep = assess(measured(*points, kind=TargetKind.KEEP_ABOVE, goal=D(4)), date(2026, 4, 2))
    assert keep.progress == pytest.approx(2 / 3)
    assert keep.current == D(2)


def test_without_a_baseline_the_first_value_of_the_period_serves():
    known = measured((date(2025, 12, 1), "1"), (date(2026, 2, 1), "6"), (date(2026, 5, 1), "8"), baseline=None)
    assert assess(known, date(2026, 5, 1)).progress == 0.5
    assert expected_value(replace(known, measurements=()), START) is None


def test_current_is_the_latest_measured_date_up_to_today():
    known = measured((date(2026, 3, 1), "6"), (date(2026, 6, 1), "7"), (date(2026, 9, 1), "9"))
    assert assess(known, date(2026, 7, 1)).current == D(7)
    assert assess(known, date(2026, 2, 1)).current is None


# ---------------------------------------------------------------- days behind


def test_days_behind_count_from_the_day_the_plan_had_the_value():
    known = measured((date(2026, 9, 2), "6.1"), steps=((date(2026, 7, 3), D("6.1")),))
    found = assess(known, date(2026, 9, 14))
    assert (found.days_behind, found.passed_on) == (61, date(2026, 7, 3))
    assert found.status is TargetStatus.BEHIND


@given(facts(TargetKind.LEVEL), st.integers(0, 800))
def test_behind_is_positive_ahead_negative_and_on_the_curve_nought(known: TargetFacts, offset: int):
    assume(known.baseline is not None and known.baseline != known.goal)
    assert known.baseline is not None
    known = replace(known, steps=())
    day = min(known.start_on + timedelta(days=offset), known.due_on)
    sign = 1 if known.goal > known.baseline else -1
    planned = expected_value(known, day)
    assert planned is not None
    step = (known.goal - known.baseline).copy_abs() / 10
    for side in (-1, 1):
        lag = assess(replace(known, measurements=((day, planned + side * sign * step),)), day).days_behind
        assert lag is not None
        assert lag * side <= 0
        assert abs(lag) <= (known.due_on - known.start_on).days
    # a third is rounded to 28 digits, maybe up: then the whole day it is reached on is the next one
    assert assess(replace(known, measurements=((day, planned),)), day).days_behind in (-1, 0)


def test_on_a_flat_part_points_are_counted_instead():
    flat = ((date(2026, 4, 1), D(7)), (date(2026, 8, 1), D(7)))
    for value, points, status in (
        ("6.6", 8, TargetStatus.ON_TRACK),
        ("6.4", 12, TargetStatus.BEHIND),
        ("7.6", -12, TargetStatus.AHEAD),
    ):
        found = assess(measured((date(2026, 6, 1), value), steps=flat), date(2026, 6, 1))
        assert (found.days_behind, round(found.points_behind or 0), found.status) == (None, points, status)


def test_on_a_slope_after_a_flat_part_the_last_day_of_the_flat_part_counts():
    steps = ((date(2026, 4, 1), D(7)), (date(2026, 8, 1), D(7)))
    assert assess(measured((date(2026, 9, 1), "7"), steps=steps), date(2026, 9, 1)).passed_on == date(2026, 8, 1)


# ---------------------------------------------------------------- status


@given(facts(), days)
def test_every_target_has_one_status_on_every_day(known: TargetFacts, today: date):
    found = assess(known, today)
    assert found.status in TargetStatus
    if found.measured_on is not None:
        assert known.start_on <= found.measured_on <= today
    assert (
        not found.is_late
        or found.status is TargetStatus.ACHIEVED
        or known.agreed_on is None
        or known.is_replaced
        or known.paused_on is not None
        or known.agreed_on > today
    )


STATUSES = [
    ("draft", LEVEL, {"agreed_on": None}, START),
    ("draft", LEVEL, {"agreed_on": date(2026, 2, 1)}, date(2026, 1, 31)),
    ("paused", LEVEL, {"paused_on": date(2026, 2, 1), "is_replaced": True}, date(2026, 2, 1)),
    ("replaced", LEVEL, {"is_replaced": True}, DUE + timedelta(days=9)),
    ("achieved", measured((date(2026, 3, 1), "10"), (date(2026, 4, 1), "10.5")), {}, date(2026, 4, 1)),
    ("ahead", measured((date(2026, 3, 1), "10")), {}, date(2026, 4, 1)),
    ("ahead", measured((date(2026, 3, 1), "10"), (date(2026, 3, 1), "11")), {}, date(2026, 4, 1)),
    ("achieved", measured((date(2026, 12, 1), "10")), {}, DUE),
    ("missed", measured((date(2026, 11, 1), "10"), (date(2026, 12, 1), "9")), {}, DUE + timedelta(days=1)),
    ("unproven", LEVEL, {}, DUE + timedelta(days=1)),
    ("missed", measured((date(2026, 12, 1), "9")), {}, DUE + timedelta(days=1)),
    ("too_early", LEVEL, {}, date(2026, 1, 31)),
    ("too_early", measured((date(2026, 1, 10), "1")), {}, date(2026, 1, 31)),
    ("too_early", LEVEL, {"cadence_days": 7}, date(2026, 1, 15)),
    ("stale", LEVEL, {"cadence_days": 7}, date(2026, 1, 16)),
    ("on_track", measured((date(2026, 1, 10), "1")), {"steps": ((date(2026, 1, 5), D(6)),)}, date(2026, 1, 31)),
    ("stale", LEVEL, {}, date(2026, 3, 3)),
    ("too_early", LEVEL, {"created_on": date(2026, 2, 20)}, date(2026, 3, 3)),
    ("stale", measured((date(2026, 2, 1), "5.5")), {}, date(2026, 4, 3)),
    ("on_track", measured((date(2026, 2, 1), "5.5")), {}, date(2026, 4, 2)),
    ("on_track", measured((date(2026, 4, 1), "5.7")), {}, date(2026, 4, 2)),
    ("behind", measured((date(2026, 4, 1), "5.4")), {}, date(2026, 4, 2)),
    ("ahead", measured((date(2026, 4, 1), "8")), {}, date(2026, 4, 2)),
    ("on_track", measured((date(2026, 4, 1), "100")), {"kind": TargetKind.KEEP_ABOVE, "goal": D(99)}, date(2026, 4, 2)),
    ("behind", measured((date(2026, 4, 1), "98")), {"kind": TargetKind.KEEP_ABOVE, "goal": D(99)}, date(2026, 4, 2)),
    ("on_track", measured((date(2026, 4, 1), "98")), {"kind": TargetKind.KEEP_BELOW, "goal": D(99)}, date(2026, 4, 2)),
    ("achieved", measured((date(2026, 12, 1), "99")), {"kind": TargetKind.KEEP_ABOVE, "goal": D(99)},
     DUE + timedelta(days=1)),
    ("missed", measured((date(2026, 6, 1), "98"), (date(2026, 12, 1), "99")),
     {"kind": TargetKind.KEEP_ABOVE, "goal": D(99)}, DUE + timedelta(days=1)),
    ("achieved", measured((date(2026, 6, 1), "6"), (date(2026, 7, 1), "4")), {"kind": TargetKind.CUMULATIVE},
     date(2026, 7, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("status", "known", "changes", "today"), STATUSES)
def test_the_first_status_that_fits(status: str, known: TargetFacts, changes: dict[str, object], today: date):
    assert assess(replace(known, **changes), today).status == status


def test_achieved_after_due_is_late():
    late = assess(measured((date(2026, 12, 1), "9"), (date(2027, 1, 9), "10")), date(2027, 2, 1))
    assert (late.status, late.is_late) == (TargetStatus.ACHIEVED, True)
    assert not assess(measured((date(2026, 12, 1), "10")), date(2027, 2, 1)).is_late


def test_an_old_value_is_compared_with_the_plan_of_its_own_day():
    known = measured((date(2026, 3, 1), "5.9"), cadence_days=90)
    assert assess(known, date(2026, 8, 1)).status is TargetStatus.ON_TRACK


# ---------------------------------------------------------------- making


DRAFT = TargetDraft("a", "m", TargetKind.LEVEL, "%", D(5), D(10), START, DUE)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"goal": D(5)}, "goal"),
        ({"goal": D("5.00")}, "goal"),
        ({"baseline": None}, "baseline"),
        ({"due_on": START}, "due_on"),
        ({"start_on": date(2025, 1, 1), "due_on": date(2025, 12, 31)}, "due_on"),
        ({"cadence_days": 0}, "cadence_days"),
        ({"kind": TargetKind.CUMULATIVE}, "baseline"),
        ({"kind": TargetKind.CUMULATIVE, "baseline": None, "goal": D(0)}, "goal"),
        ({"steps": ((DUE, D(9)),)}, "steps"),
        ({"steps": ((date(2026, 6, 1), D(9)), (date(2026, 5, 1), D(9)))}, "steps"),
    ],
)
def test_unfit_targets_are_refused(changes: dict[str, object], field: str):
    with pytest.raises(UserError) as refused:
        decide_add_target(replace(DRAFT, **changes), START)
    assert refused.value.field == field


def test_a_limit_may_equal_its_baseline_and_typed_steps_may_be_seasonal():
    assert len(decide_add_target(replace(DRAFT, kind=TargetKind.KEEP_ABOVE, baseline=D(10)), START)) == 1
    seasonal = replace(DRAFT, steps=((date(2026, 6, 1), D(12)), (date(2026, 9, 1), D(7))))
    assert decide_add_target(seasonal, START) == [AddTarget(seasonal)]


def test_what_raise_by_may_mean():
    assert [raised(D(5), D(10), each) for each in Raise] == [D(10), D(15), D("5.5")]
    assert [raised(D(50), D(10), each, is_down=True) for each in Raise] == [D(10), D(40), D(45)]


def test_values_of_tomorrow_and_other_units_are_refused():
    draft = MeasurementDraft("a", "m", D(7), START)
    assert len(decide_log(draft, START)) == 1
    with pytest.raises(UserError):
        decide_log(draft, START - timedelta(days=1))
    check_unit("", "%")
    check_unit("eur", "EUR")
    for typed, wanted in (("%", ""), ("EUR", "%"), ("USD", "EUR")):
        with pytest.raises(UserError):
            check_unit(typed, wanted)
