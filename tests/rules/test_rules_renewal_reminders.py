"""When a renewal is spoken of: each offset once, only the latest of those missed, anew for a moved date."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.renewals.reminders import OFFSETS, Reminder, find_offset, find_reminder

DECISION = date(2026, 5, 31)


def due(left: int, given: Collection[int] = (), *, has_thread: bool = True, is_ready: bool = False):
    today = DECISION - timedelta(days=left)
    return find_reminder(DECISION, today, given, has_thread=has_thread, is_ready=is_ready)


@pytest.mark.parametrize(
    ("left", "offset"), [(121, None), (120, 120), (91, 120), (90, 90), (30, 30), (14, 14), (-9, 14)]
)
def test_the_latest_offset_reached_counts(left: int, offset: int | None):
    assert find_offset(DECISION, DECISION - timedelta(days=left)) == offset


def test_the_first_reminder_opens_the_thread_whichever_it_is():
    for left, offset in ((120, 120), (60, 90), (20, 30), (3, 14)):
        assert due(left, has_thread=False, is_ready=True) == Reminder(offset, is_said=True)


def test_thirty_days_before_only_what_is_not_ready_is_said():
    assert due(30, {120, 90}, is_ready=True) == Reminder(30, is_said=False)
    assert due(30, {120, 90}) == Reminder(30, is_said=True)


def test_fourteen_days_before_the_undecided_are_said_ready_or_not():
    assert due(14, {120, 90, 30}, is_ready=True) == Reminder(14, is_said=True)


def test_a_date_that_moves_out_again_only_ticks_off_the_opening():
    assert due(110) == Reminder(120, is_said=False)


@given(st.lists(st.integers(-30, 130), min_size=1, max_size=40), st.booleans())
def test_each_offset_is_looked_at_once_and_missed_ones_are_not_made_up(lefts: list[int], is_ready: bool):
    given_before: set[int] = set()
    looked: list[int] = []
    for left in sorted(lefts, reverse=True):
        for _again in range(2):
            found = due(left, given_before, has_thread=bool(looked), is_ready=is_ready)
            if found is not None:
                assert left <= found.days_before
                looked.append(found.days_before)
                given_before.add(found.days_before)
    assert looked == sorted(set(looked), reverse=True)
    reached = {find_offset(DECISION, DECISION - timedelta(days=left)) for left in lefts}
    assert set(looked) == reached - {None}
    assert set(looked) <= set(OFFSETS)
