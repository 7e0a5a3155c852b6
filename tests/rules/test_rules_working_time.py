"""Working days by country, the next of them, the moment of the digest, and who stands in for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import count_working_days, list_holidays
from rules.people.absence import resolve_stand_ins
from rules.people.working_time import (
    DIGEST_AFTER,
    WorkingTime,
    choose_digest_at,
    is_working_day,
    next_working_day,
    shift_to_working_day,
)

DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))
COUNTRIES = st.sampled_from(["", "DE", "US", "CN", "GB", "SG", "Atlantis"])


@pytest.mark.parametrize(
    ("day", "country", "is_working"),
    [
        (date(2026, 4, 3), "DE", False),  # Good Friday
        (date(2026, 4, 3), "CN", True),
        (date(2026, 10, 1), "CN", False),  # National Day
        (date(2026, 10, 1), "DE", True),
        (date(2026, 11, 26), "US", False),  # Thanksgiving
        (date(2026, 12, 25), "", True),
        (date(2026, 12, 26), "", False),  # a Saturday
    ],
)
def test_holidays_are_those_of_the_country(day: date, country: str, is_working: bool):  # a case
    assert is_working_day(day, country) is is_working
    assert WorkingTime(country=country).is_working_day(day) is is_working


@given(DAYS, COUNTRIES)
def test_no_holiday_and_no_weekend_is_a_working_day(day: date, country: str):
    is_off = day.weekday() > 4 or day in list_holidays(country, day.year)
    assert is_working_day(day, country) is not is_off


@given(DAYS, COUNTRIES)
def test_shifting_gives_the_first_working_day_on_or_after(day: date, country: str):
    shifted = shift_to_working_day(day, country)
    assert shifted >= day
    assert is_working_day(shifted, country)
    assert not any(is_working_day(day + timedelta(n), country) for n in range((shifted - day).days))
    assert shift_to_working_day(shifted, country) == shifted


@given(DAYS, COUNTRIES, st.integers(1, 40))
def test_the_nth_working_day_has_n_of_them_behind_it(day: date, country: str, count: int):
    found = next_working_day(day, country, count)
    assert is_working_day(found, country)
    assert count_working_days(day, found, country) == count


def test_there_is_no_working_day_number_nought():
    with pytest.raises(ValueError, match="begins at 1"):
        next_working_day(date(2026, 3, 10), "DE", 0)


@given(st.times().map(lambda each: each.replace(second=0, microsecond=0)))
def test_the_digest_comes_ten_minutes_after_work_begins_on_the_same_day(work_from: time):
    found = choose_digest_at(work_from)
    assert found >= work_from
    late = datetime.combine(date(2026, 3, 10), found) - datetime.combine(date(2026, 3, 10), work_from)
    assert late == DIGEST_AFTER or found == time(23, 59)


def test_a_chosen_time_stays_chosen():
    assert choose_digest_at(time(9), time(7, 5)) == time(7, 5)


def test_a_moment_is_read_on_their_own_clock_over_the_change_of_clocks():
    berlin = WorkingTime(zone="Europe/Berlin")
    assert berlin.to_local(datetime(2026, 3, 28, 8, 0, tzinfo=UTC)).hour == 9
    assert berlin.to_local(datetime(2026, 3, 30, 8, 0, tzinfo=UTC)).hour == 10


# ---------------------------------------------------------------- stand-ins

NAMES = st.sampled_from("abcdef")


def test_a_stand_in_who_is_away_hands_on():
    assert resolve_stand_ins({"a": "b", "b": "c"}, {"a", "b"}) == {"a": "c", "b": "c"}
    assert resolve_stand_ins({"a": "b", "b": "a"}, {"a", "b"}) == {}
    assert resolve_stand_ins({"a": "b"}, {"a", "b"}) == {}
    assert resolve_stand_ins({"a": "b"}, set()) == {}


@given(st.dictionaries(NAMES, NAMES), st.sets(NAMES))
def test_who_stands_in_is_there_and_only_for_the_absent(covers: dict[str, str], away: set[str]):
    found = resolve_stand_ins(covers, away)
    assert set(found) <= away & set(covers)
    assert not set(found.values()) & away
    assert all(found[one] == covers[one] for one in found if covers[one] not in away)
