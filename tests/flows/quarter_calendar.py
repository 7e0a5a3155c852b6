"""Days and minutes of the quarter in the countries and zones of the team. Owns its holidays, typed from the calendars
the governments announced; shares no code with the product.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOLIDAYS = {
    "DE": {(4, 3), (4, 6), (5, 1), (5, 14), (5, 25)},
    "US": {(5, 25)},
    "CN": {(4, 6), (5, 1), (5, 4), (5, 5)},
}
"""Month and day of those that fall on Monday to Friday, March to May 2026, as the governments announced them."""


def is_working_day(day: date, country: str) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS[country]


def find_working_day(day: date, country: str) -> date:
    """The day, or the first working day after it."""
    while not is_working_day(day, country):
        day += _DAY
    return day


def find_moment(day: date, hour: int, minute: int, zone: str) -> datetime:
    """When a clock in the zone shows that time, in UTC."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


def find_local_day(moment: datetime, zone: str) -> date:
    """The calendar day in the zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def count_working_days(after: date, until: date, country: str) -> int:
    """Working days later than `after`, up to and including `until`."""
    days = (after + _DAY * number for number in range(1, (until - after).days + 1))
    return sum(is_working_day(day, country) for day in days)


def is_first_of_week(day: date, country: str) -> bool:
    """Whether it is the first working day of its week."""
    return find_working_day(day - _DAY * day.weekday(), country) == day
