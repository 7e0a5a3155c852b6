"""Dated steps: what is generated, and goals that are questioned."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import UserError
from rules.records import TargetKind
from rules.success.target_doubts import Doubt, DoubtKind, Surroundings, question_goal
from rules.success.target_steps import Load, Rhythm, Way, check_steps, generate_steps
from rules.success.targets import TargetFacts, expected_value

D = Decimal
values = st.decimals(-(10**6), 10**6, places=2)
loads, rhythms = st.sampled_from(Load), st.sampled_from(Rhythm)
YEAR = Way(date(2026, 1, 1), D(5), date(2026, 12, 31), D(10))


@st.composite
def ways(draw: st.DrawFn) -> Way:
    start = draw(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    return Way(start, draw(values), start + timedelta(days=draw(st.integers(1, 1500))), draw(values))


@given(ways(), loads, rhythms)
def test_generated_steps_lie_between_start_and_due_and_never_turn_back(way: Way, load: Load, rhythm: Rhythm):
    steps = generate_steps(way, load, rhythm)
    check_steps(steps, way.start_on, way.due_on)
    through = [way.start, *(value for _day, value in steps), way.goal]
    assert through in (sorted(through), sorted(through, reverse=True))


@given(ways(), rhythms)
def test_a_load_moves_the_change_towards_its_end(way: Way, rhythm: Rhythm):
    even, front, back = (generate_steps(way, load, rhythm) for load in (Load.LINEAR, Load.FRONT, Load.BACK))
    sign = 1 if way.goal >= way.start else -1
    slack = abs(way.goal - way.start) / 100
    for (day, middle), (first_day, first), (last_day, last) in zip(even, front, back, strict=True):
        assert day == first_day == last_day
        assert sign * first + slack >= sign * middle >= sign * last - slack


@given(ways(), loads, st.integers(0, 1500))
def test_the_expected_value_is_linear_between_two_steps(way: Way, load: Load, offset: int):
    steps = generate_steps(way, load)
    facts = TargetFacts(TargetKind.LEVEL, way.start, way.goal, way.start_on, way.due_on, steps=steps)
    day = min(way.start_on + timedelta(days=offset), way.due_on)
    points = [(way.start_on, way.start), *steps, (way.due_on, way.goal)]
    (left, low), (right, high) = next(pair for pair in pairwise(points) if pair[0][0] <= day <= pair[1][0])
    expected = expected_value(facts, day)
    assert expected is not None
    by_hand = low + (high - low) * (day - left).days / (right - left).days
    assert abs(expected - by_hand) < D("0.000001") * max(1, abs(low), abs(high))


def test_calendar_steps_fall_on_ends_of_quarters_and_months():
    quarters = generate_steps(YEAR, rhythm=Rhythm.QUARTER)
    assert [day for day, _value in quarters] == [date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)]
    months = generate_steps(YEAR, rhythm=Rhythm.MONTH)
    assert [day.month for day, _value in months] == list(range(1, 12))
    assert months[1][0] == date(2026, 2, 28)


def test_an_end_of_month_close_to_start_or_due_is_no_step():
    way = Way(date(2026, 3, 25), D(0), date(2026, 7, 5), D(10))
    assert [day for day, _value in generate_steps(way, rhythm=Rhythm.MONTH)] == [date(2026, 4, 30), date(2026, 5, 31)]


def test_loaded_steps_by_hand():
    way = Way(date(2026, 1, 1), D(0), date(2026, 1, 1) + timedelta(days=120), D(100))
    by_load = {load: [int(value) for _day, value in generate_steps(way, load)] for load in Load}
    assert by_load == {Load.LINEAR: [25, 50, 75], Load.FRONT: [44, 75, 94], Load.BACK: [6, 25, 56]}


@pytest.mark.parametrize(
    "days", [(date(2026, 1, 1),), (date(2026, 12, 31),), (date(2026, 5, 1), date(2026, 4, 1)), (date(2026, 5, 1),) * 2]
)
def test_steps_outside_or_out_of_order_are_refused(days: tuple[date, ...]):
    with pytest.raises(UserError) as refused:
        check_steps([(day, D(6)) for day in days], YEAR.start_on, YEAR.due_on)
    assert refused.value.field == "steps"


# ---------------------------------------------------------------- doubts

PEERS = tuple(map(D, (4, 5, 6, 7, 8)))
SHARE = Surroundings(lowest=D(0), highest=D(100))


@pytest.mark.parametrize(
    ("kind", "baseline", "goal", "known", "doubt"),
    [
        (TargetKind.LEVEL, 5, 101, SHARE, Doubt(DoubtKind.IMPOSSIBLE, D(100))),
        (TargetKind.LEVEL, 5, -1, SHARE, Doubt(DoubtKind.IMPOSSIBLE, D(0))),
        (TargetKind.LEVEL, 5, 100, SHARE, None),
        (TargetKind.KEEP_BELOW, None, -1, SHARE, Doubt(DoubtKind.IMPOSSIBLE, D(0))),
        (TargetKind.CUMULATIVE, None, 500, SHARE, None),
        (TargetKind.LEVEL, 5, 10, Surroundings(peers=PEERS), None),
        (TargetKind.LEVEL, 5, 11, Surroundings(peers=PEERS), Doubt(DoubtKind.BEYOND_PEERS, D(8), accounts=5)),
        (TargetKind.LEVEL, 5, 99, Surroundings(peers=PEERS[:4]), None),
        (TargetKind.LEVEL, 5, 10, Surroundings(peers=(D(7),) * 5), None),
        (TargetKind.LEVEL, 9, 1, Surroundings(peers=PEERS), Doubt(DoubtKind.BEYOND_PEERS, D(4), accounts=5)),
        (
            TargetKind.LEVEL,
            5,
            21,
            Surroundings(typical=(D(5), D(10)), source="x"),
            Doubt(DoubtKind.BEYOND_RANGE, D(10), "x"),
        ),
        (TargetKind.LEVEL, 5, 15, Surroundings(typical=(D(5), D(10)), source="x"), None),
        (TargetKind.LEVEL, 5, 99, Surroundings(), None),
    ],
)
def test_which_goals_are_questioned(
    kind: TargetKind, baseline: int | None, goal: int, known: Surroundings, doubt: Doubt | None
):
    assert question_goal(kind, None if baseline is None else D(baseline), D(goal), known) == doubt
