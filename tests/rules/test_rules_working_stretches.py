"""Working time laid out: no gaps, and between any two moments as much as is measured day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people.working_stretches import DAY_MICROS, Stretch, lay_out
from rules.people.working_time import WorkingTime, measure_working_time

EPOCH, MICRO = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
FIRST, LAST = date(2026, 3, 1), date(2026, 4, 30)  # clocks change in Europe, America and Australia
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Australia/Lord_Howe"]
MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 30, 23, 59)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001  # made aware at once
HOURS = st.sampled_from([time(0), time(1, 30), time(2, 30), time(9), time(17, 30), time(22), time(23, 59)])
CALENDARS = st.builds(
    WorkingTime, st.sampled_from(ZONES), HOURS, HOURS, country=st.sampled_from(["", "DE", "US", "JP"])
)


def find_worked(stretches: list[Stretch], moment: datetime) -> int:
    at = (moment - EPOCH) // MICRO
    (found,) = [each for each in stretches if each.day == at // DAY_MICROS and each.starts <= at < each.stops]
    return found.before + min(at, found.ends) - found.starts


@given(CALENDARS, MOMENTS, MOMENTS)
def test_between_two_moments_lies_what_is_measured_day_by_day(working: WorkingTime, one: datetime, other: datetime):
    begin, end = sorted((one, other))
    stretches = list(lay_out(working, FIRST, LAST))
    laid = (find_worked(stretches, end) - find_worked(stretches, begin)) * MICRO
    assert laid == measure_working_time(begin, end, working)


@given(CALENDARS)
def test_the_stretches_have_no_gap(working: WorkingTime):
    stretches = list(lay_out(working, FIRST, LAST))
    assert stretches[0].starts == (datetime.combine(FIRST, time.min, UTC) - EPOCH) // MICRO
    assert stretches[-1].stops == stretches[0].starts + 61 * DAY_MICROS
    for one, following in pairwise(stretches):
        assert one.stops == following.starts
        assert one.starts <= one.ends <= one.stops
        assert following.before == one.before + one.ends - one.starts


@pytest.mark.parametrize("last", [FIRST, LAST])
def test_who_works_around_the_clock_in_utc_has_a_stretch_a_day(last: date):
    stretches = list(lay_out(WorkingTime(work_from=time(0), work_until=time(0)), FIRST, last))
    assert len(stretches) == (last - FIRST).days + 1
    assert [each.ends - each.starts for each in stretches[:3]] == [0, DAY_MICROS, DAY_MICROS][: len(stretches)]
