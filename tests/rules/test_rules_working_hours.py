"""Working hours and days ahead: where they end, over nights, weekends, holidays and clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.delivery.digests import find_digest_day
from rules.people.working_time import (
    WorkingTime,
    add_working_days,
    add_working_hours,
    next_digest,
    next_working_moment,
    shift_to_working_day,
)

BERLIN = WorkingTime("Europe/Berlin", time(9), time(17, 30), country="DE")
DAY = timedelta(days=1)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
minutes = st.integers(0, 1439).map(lambda at: time(at // 60, at % 60))
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland"]
)
workings = st.builds(
    WorkingTime, zone=zones, work_from=minutes, work_until=minutes, country=st.sampled_from(["", "DE", "US", "NZ"])
)
office = st.builds(WorkingTime, zone=zones, country=st.sampled_from(["", "DE", "US"]))


def _at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-10T10:00", "2026-03-10T10:00"),  # a Tuesday, at work
        ("2026-03-10T06:00", "2026-03-10T09:00"),  # before work
        ("2026-03-10T17:30", "2026-03-11T09:00"),  # closing is no working time
        ("2026-03-13T18:00", "2026-03-16T09:00"),  # over a weekend
        ("2026-04-02T18:00", "2026-04-07T09:00"),  # over Good Friday and Easter Monday
    ],
)
def test_next_working_moment(moment: str, expected: str) -> None:
    assert next_working_moment(_at(moment), BERLIN) == _at(expected)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-03-10T10:00", 4, "2026-03-10T14:00"),
        ("2026-03-10T16:00", 4, "2026-03-11T11:30"),  # an hour and a half today, the rest tomorrow
        ("2026-03-10T13:30", 4, "2026-03-11T09:00"),  # ends with the day: told when the next begins
        ("2026-03-27T16:00", 4, "2026-03-30T11:30"),  # the clock jumps in that weekend
        ("2026-03-10T22:00", 0, "2026-03-11T09:00"),
        ("2026-03-10T09:00", 17, "2026-03-12T09:00"),
    ],
)
def test_working_hours(start: str, hours: float, expected: str) -> None:
    assert add_working_hours(_at(start), hours, BERLIN) == _at(expected)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-03-13T10:15", 1, "2026-03-16T10:15"),
        ("2026-03-27T10:15", 2, "2026-03-31T10:15"),  # the same local time after the clock jumped
        ("2026-03-14T10:15", 1, "2026-03-17T09:00"),  # Saturday's begins on Monday at nine
        ("2026-04-02T12:00", 1, "2026-04-07T12:00"),
        ("2026-03-10T10:15", 0, "2026-03-10T10:15"),
    ],
)
def test_working_days(start: str, days: int, expected: str) -> None:
    assert add_working_days(_at(start), days, BERLIN) == _at(expected)


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        add_working_hours(_at("2026-03-10T10:00"), -1, BERLIN)
    with pytest.raises(ValueError, match="0 or more"):
        add_working_days(_at("2026-03-10T10:00"), -1, BERLIN)


@given(moment=moments, working=workings)
def test_a_working_moment_lies_in_working_hours(moment: datetime, working: WorkingTime) -> None:
    found = next_working_moment(moment, working)
    day = working.to_local(found).date()
    begin, end = working.find_hours(day)
    assert moment <= found
    assert begin <= found < end
    assert working.is_working_day(day)
    assert next_working_moment(found, working) == found


@given(moment=moments, working=workings, share=st.floats(0, 1))
def test_no_working_moment_is_skipped(moment: datetime, working: WorkingTime, share: float) -> None:
    between = moment + share * (next_working_moment(moment, working) - moment)
    assert next_working_moment(between, working) == next_working_moment(moment, working)


@given(moment=moments, working=workings, hours=st.integers(0, 40), more=st.integers(0, 40))
def test_hours_add_up(moment: datetime, working: WorkingTime, hours: int, more: int) -> None:
    once = add_working_hours(moment, hours + more, working)
    assert add_working_hours(add_working_hours(moment, hours, working), more, working) == once
    assert once >= next_working_moment(moment, working) + timedelta(hours=hours + more)


@given(moment=moments, working=office, hours=st.integers(0, 60))
def test_hours_counted_by_hand(moment: datetime, working: WorkingTime, hours: int) -> None:
    """In steps of a quarter of an hour, from an opening: as many quarters of work lie between as were asked for."""
    at = start = next_working_moment(moment.replace(hour=0, minute=0, second=0, microsecond=0), working)
    end, worked = add_working_hours(start, hours, working), timedelta()
    while at < end:
        worked += timedelta(minutes=15) if next_working_moment(at, working) == at else timedelta()
        at += timedelta(minutes=15)
    assert worked == timedelta(hours=hours)


@given(moment=moments, working=office, days=st.integers(0, 15), more=st.integers(0, 15))
def test_days_add_up_and_are_working_days(moment: datetime, working: WorkingTime, days: int, more: int) -> None:
    once = add_working_days(moment, days + more, working)
    assert add_working_days(add_working_days(moment, days, working), more, working) == once
    day, found = working.to_local(next_working_moment(moment, working)).date(), 0
    while day < working.to_local(once).date():
        day += DAY
        found += working.is_working_day(day)
    assert found == days + more


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-10T09:00", "2026-03-10T09:10"),
        ("2026-03-10T09:10", "2026-03-11T09:10"),  # that one may have been made a moment ago
        ("2026-03-13T12:00", "2026-03-16T09:10"),  # over a weekend
        ("2026-03-28T12:00", "2026-03-30T09:10"),  # on a day off, with the clock's jump ahead
        ("2026-04-02T18:00", "2026-04-07T09:10"),  # over Easter
    ],
)
def test_next_digest(moment: str, expected: str) -> None:
    assert next_digest(_at(moment), BERLIN) == _at(expected)


@given(moments, office)
def test_the_next_digest_is_the_first_that_is_due_later(moment: datetime, working: WorkingTime) -> None:
    found = next_digest(moment, working)
    day = working.to_local(moment).date()
    due = []
    while len(due) < 2:
        day = shift_to_working_day(day, working.country)
        due.append(datetime.combine(day, working.digest_at, ZoneInfo(working.zone)))
        day += DAY
    assert found == next(each for each in due if each > moment)
    assert find_digest_day(working, found) == working.to_local(found).date()
