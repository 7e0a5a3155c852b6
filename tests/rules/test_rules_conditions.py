"""The condition machine against an independent model, and each arrow of its picture."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.conditions import Condition, Verdict, observe
from rules.records import ConditionState

START = date(2026, 1, 5)
BAD, BETWEEN, GOOD, NO_DATA = Verdict.BAD, Verdict.BETWEEN, Verdict.GOOD, Verdict.NO_DATA


def run(*verdicts: Verdict, needed: int = 2, gaps: tuple[int, ...] = ()) -> Condition | None:
    """The condition after one verdict per day; `gaps` are days added before each look."""
    condition, day = None, START
    for at, verdict in enumerate(verdicts):
        day += timedelta(days=1 + (gaps[at] if at < len(gaps) else 0))
        condition = observe(condition, verdict, day, needed=needed)
    return condition


def state(*verdicts: Verdict, needed: int = 2) -> ConditionState:
    condition = run(*verdicts, needed=needed)
    assert condition is not None
    return condition.state


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([GOOD], ConditionState.OK),
        ([BETWEEN], ConditionState.OK),
        ([BAD], ConditionState.PENDING),
        ([BAD, BETWEEN], ConditionState.OK),
        ([BAD, GOOD, BAD], ConditionState.PENDING),
        ([BAD, BAD], ConditionState.FIRING),
        ([BAD, NO_DATA, BAD], ConditionState.FIRING),
        ([BAD, BAD, BETWEEN], ConditionState.FIRING),
        ([BAD, BAD, GOOD], ConditionState.CLEARING),
        ([BAD, BAD, GOOD, BETWEEN], ConditionState.FIRING),
        ([BAD, BAD, GOOD, BAD], ConditionState.FIRING),
        ([BAD, BAD, GOOD, NO_DATA, GOOD], ConditionState.OK),
        ([BAD, BAD, NO_DATA, NO_DATA], ConditionState.FIRING),
    ],
)
def test_arrows(verdicts: list[Verdict], expected: ConditionState):
    assert state(*verdicts) is expected


def test_a_rule_that_counts_days_itself_begins_and_ends_at_once():
    assert state(BAD, needed=1) is ConditionState.FIRING
    assert state(BAD, GOOD, needed=1) is ConditionState.OK


def test_nothing_seen_is_no_condition():
    assert run(NO_DATA, NO_DATA) is None


def test_missed_days_are_no_observations():
    condition = run(BAD, BAD, gaps=(0, 40))
    assert condition is not None
    assert condition.state is ConditionState.FIRING
    assert condition.since == condition.observed_on == START + timedelta(days=42)


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=30), st.sampled_from(list(Verdict)))
def test_the_same_day_again_changes_nothing(verdicts: list[Verdict], again: Verdict):
    condition = run(*verdicts)
    if condition is not None:
        assert observe(condition, again, condition.observed_on) == condition
        assert observe(condition, again, condition.observed_on - timedelta(days=3)) == condition


@given(st.lists(st.sampled_from(list(Verdict)), max_size=40))
def test_on_and_off_follow_two_equal_looks_in_a_row(verdicts: list[Verdict]):
    """The model: days without data do not exist; on from BAD BAD, off from GOOD GOOD, else as before."""
    seen = [each for each in verdicts if each is not NO_DATA]
    is_on = False
    for before, now in pairwise(seen):
        if before is now is BAD:
            is_on = True
        elif before is now is GOOD:
            is_on = False
    condition = run(*verdicts)
    assert (condition is not None and condition.is_on) == is_on


def test_first_look_is_bad_from_the_beginning():
    condition = run(BAD, BAD)
    assert condition is not None
    assert condition.is_first_look(condition.observed_on)
    later = run(GOOD, BAD, BAD)
    assert later is not None
    assert not later.is_first_look(later.observed_on)
    still = run(BAD, BAD, BAD)
    assert still is not None
    assert not still.is_first_look(still.observed_on)


OPENING, ENDING = (BAD, BAD), (GOOD, GOOD)


def test_three_openings_in_fourteen_days_flap_until_fourteen_quiet_days():
    twice = run(*OPENING, *ENDING, *OPENING)
    assert twice is not None
    assert not twice.is_flapping
    thrice = run(*OPENING, *ENDING, *OPENING, *ENDING, *OPENING)
    assert thrice is not None
    assert thrice.is_flapping
    last = thrice.openings[-1]
    quiet = observe(thrice, BAD, last + timedelta(days=13))
    assert quiet is not None
    assert quiet.is_flapping
    quiet = observe(thrice, BAD, last + timedelta(days=14))
    assert quiet is not None
    assert not quiet.is_flapping


def test_openings_far_apart_do_not_flap():
    spread = run(*OPENING, *ENDING, *OPENING, *ENDING, *OPENING, gaps=(0, 0, 0, 0, 6, 0, 0, 0, 6))
    assert spread is not None
    assert not spread.is_flapping
