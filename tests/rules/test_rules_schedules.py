"""When daily and every-n-minutes work is due, over clock changes and around the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.delivery.schedules import Rhythm, latest_occurrence, next_occurrence

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # changes by half an hour
    "Africa/Cairo",  # changes at midnight
    "Asia/Shanghai",  # never changes
    "America/Santiago",  # southern, at midnight
)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)

moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # aware by `timezones`
rhythms = st.builds(
    Rhythm,
    zone=st.sampled_from(ZONES),
    at_time=st.times().map(lambda each: f"{each:%H:%M}"),
    every_minutes=st.sampled_from([0, 0, 1, 5, 60, 1440]),
)


@pytest.mark.parametrize("zone", ZONES)
def test_each_hour_of_each_day_of_a_year_comes_exactly_once(zone: str):
    local = ZoneInfo(zone)
    for hour in range(24):
        rhythm = Rhythm(zone, f"{hour:02}:30")
        moment, days = YEAR, []
        while moment < YEAR + timedelta(days=366):
            moment = next_occurrence(rhythm, moment)
            days.append(moment.astimezone(local).date())
        assert len(days) == len(set(days))
        assert days == sorted(days)
        assert (days[-1] - days[0]).days == len(days) - 1


@given(rhythm=rhythms, moment=moments)
def test_next_and_latest_are_neighbours(rhythm: Rhythm, moment: datetime):
    latest, following = latest_occurrence(rhythm, moment), next_occurrence(rhythm, moment)
    assert latest <= moment < following
    assert next_occurrence(rhythm, latest) == following
    assert latest_occurrence(rhythm, following) == following


@given(rhythm=rhythms, moment=moments)
def test_the_clock_shows_the_wanted_time_or_the_end_of_a_gap(rhythm: Rhythm, moment: datetime):
    found = next_occurrence(rhythm, moment)
    if rhythm.every_minutes:
        assert found.timestamp() % (rhythm.every_minutes * 60) == 0
        return
    zone = ZoneInfo(rhythm.zone)
    shown = found.astimezone(zone)
    jumped = shown.utcoffset() != (found - timedelta(seconds=1)).astimezone(zone).utcoffset()
    assert f"{shown:%H:%M}" == rhythm.at_time or jumped


def test_in_spring_a_skipped_time_runs_at_the_first_moment_after_the_gap():
    skipped = Rhythm("Europe/Berlin", "02:30")
    assert next_occurrence(skipped, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_in_autumn_a_time_that_comes_twice_runs_at_its_first_coming_only():
    twice = Rhythm("Europe/Berlin", "02:30")
    first = next_occurrence(twice, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_occurrence(twice, first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_gap_at_midnight_keeps_its_day():
    midnight = Rhythm("America/Santiago", "00:15")
    found = next_occurrence(midnight, datetime(2026, 9, 5, 12, tzinfo=UTC))
    assert found.astimezone(ZoneInfo("America/Santiago")).isoformat() == "2026-09-06T01:00:00-03:00"


def test_a_malformed_time_is_refused():
    with pytest.raises(ValueError, match="hour"):
        next_occurrence(Rhythm("UTC", "25:00"), YEAR)
