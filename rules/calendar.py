"""Working days: Monday to Friday without the public holidays of a country. Owns counting them; refuses time zones and
hours.

A country is an ISO 3166 code ("DE"); one without known holidays, or "", has only weekends off.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

_FRIDAY = 4
_WEEK = 7
_WORKING_WEEK = 5


@lru_cache(maxsize=1)
def list_countries() -> frozenset[str]:
    """The ISO 3166 codes of two letters whose public holidays are known."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=1024)
def list_holidays(country: str, year: int) -> frozenset[date]:
    """The nation-wide public holidays of a year that fall on Monday to Friday."""
    code = country.strip().upper()
    if code not in list_countries():
        return frozenset()
    found = holidays.country_holidays(code, years=year)
    return frozenset(day for day in found if day.weekday() <= _FRIDAY)


def is_working_day(day: date, country: str = "") -> bool:
    """Whether people of the country normally work on `day`."""
    return day.weekday() <= _FRIDAY and day not in list_holidays(country, day.year)


def count_working_days(after: date, until: date, country: str = "") -> int:
    """Working days later than `after`, up to and including `until`; 0 when `until` is not later."""
    days = (until - after).days
    if days <= 0:
        return 0
    weeks, rest = divmod(days, _WEEK)
    tail = sum((until - timedelta(offset)).weekday() <= _FRIDAY for offset in range(rest))
    off = sum(
        after < day <= until for year in range(after.year, until.year + 1) for day in list_holidays(country, year)
    )
    return weeks * _WORKING_WEEK + tail - off
