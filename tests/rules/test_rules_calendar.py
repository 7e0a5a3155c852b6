"""Working days: weekends, holidays, and the closed form against counting one by one."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import count_working_days, is_working_day

DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))
COUNTRIES = st.sampled_from(["", "DE", "us", "CN", "GB", "XX", "Germany"])


def test_weekends_and_holidays_are_off():
    assert is_working_day(date(2026, 4, 2), "DE")
    assert not is_working_day(date(2026, 4, 3), "DE")  # Good Friday
    assert is_working_day(date(2026, 4, 3))
    assert not is_working_day(date(2026, 4, 4))


def test_a_country_without_known_holidays_has_weekends():
    assert is_working_day(date(2026, 12, 25), "Atlantis")


@given(DAYS, st.integers(-30, 800), COUNTRIES)
def test_counting_is_the_sum_of_working_days(after: date, length: int, country: str):
    until = after + timedelta(length)
    walked = sum(is_working_day(after + timedelta(offset), country) for offset in range(1, length + 1))
    assert count_working_days(after, until, country) == walked
