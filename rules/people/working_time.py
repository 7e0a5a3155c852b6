"""When a person or a team works: hours, zone, public holidays, and the moment of their digest. Owns working days and
hours as plans need them; refuses to know who somebody is and what falls due.

Days are the person's own local dates; a country is an ISO 3166 code, "" where only weekends are off. Moments are aware,
and lengths are real hours: a clock that jumps at night neither gives nor takes working time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules import calendar

DIGEST_AFTER = timedelta(minutes=10)
"""How long after the working day began the digest comes, where nobody chose a time."""
DEFAULT_FROM, DEFAULT_UNTIL = time(9), time(17, 30)
_LAST_MINUTE = time(23, 59)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkingTime:
    """The working day of a person or a team, in the IANA `zone`, whose clock all times are read on.

    `digest_at`: when their digest is due. `weekly_on`: the weekday of what comes weekly, 0 = Monday.
    """

    zone: str = "UTC"
    work_from: time = DEFAULT_FROM
    work_until: time = DEFAULT_UNTIL
    digest_at: time = time(9, 10)
    country: str = ""
    weekly_on: int = 0

    def to_local(self, now: datetime) -> datetime:
        """An aware moment on the clock of `zone`."""
        return now.astimezone(ZoneInfo(self.zone))

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is one of their working days."""
        return is_working_day(day, self.country)

    def find_hours(self, day: date) -> tuple[datetime, datetime]:
        """The moments, in UTC, at which work on the local date `day` begins and ends, were it a working day.

        A day that would end before it begins lasts till midnight.
        """
        zone = ZoneInfo(self.zone)
        end = datetime.combine(day, self.work_until, zone)
        if self.work_until <= self.work_from:
            end = datetime.combine(day + _DAY, time.min, zone)
        return datetime.combine(day, self.work_from, zone).astimezone(UTC), end.astimezone(UTC)


def choose_digest_at(work_from: time, chosen: time | None = None) -> time:
    """The chosen time, else ten minutes after `work_from`, on the same day."""
    if chosen is not None:
        return chosen
    later = datetime.combine(date.min, work_from) + DIGEST_AFTER
    return later.time() if later.date() == date.min else _LAST_MINUTE


def is_working_day(day: date, country: str = "") -> bool:
    """Whether people of the country normally work on `day`: Monday to Friday but for public holidays."""
    return calendar.is_working_day(day, country)


def shift_to_working_day(day: date, country: str = "") -> date:
    """`day` itself where it is a working day, else the first one after it."""
    while not is_working_day(day, country):
        day += _DAY
    return day


def next_working_day(day: date, country: str = "", count: int = 1) -> date:
    """The `count`th (from 1) working day later than `day`. Raises `ValueError` for a count below 1."""
    if count < 1:
        raise ValueError("count begins at 1")
    for _each in range(count):
        day = shift_to_working_day(day + _DAY, country)
    return day


def next_working_moment(moment: datetime, working: WorkingTime) -> datetime:
    """`moment` itself, in UTC, where it lies in working hours (the closing moment does not), else the next opening."""
    return _find_hours(moment, working)[0]


def next_digest(moment: datetime, working: WorkingTime) -> datetime:
    """When their first digest later than `moment` is due, in UTC; whether they want one every day or not."""
    local = working.to_local(moment)
    day = shift_to_working_day(local.date(), working.country)
    due = datetime.combine(day, working.digest_at, local.tzinfo)
    if due.astimezone(UTC) <= moment:
        due = datetime.combine(next_working_day(day, working.country), working.digest_at, local.tzinfo)
    return due.astimezone(UTC)


def add_working_hours(start: datetime, hours: float, working: WorkingTime) -> datetime:
    """The working moment, in UTC, `hours` (0 or more) of work after `start`; work that begins later counts from there.

    What ends with the working day comes out at the next opening. Raises `ValueError` for less than 0 hours.
    """
    if hours < 0:
        raise ValueError("hours are 0 or more")
    left = timedelta(hours=hours)
    moment, end = _find_hours(start, working)
    while left >= end - moment:
        left -= end - moment
        moment, end = _find_hours(end, working)
    return moment + left


def add_working_days(start: datetime, days: int, working: WorkingTime) -> datetime:
    """The working moment, in UTC, at the same local time `days` (0 or more) working days after `start`.

    Counted from the next working moment where `start` is none. Raises `ValueError` for less than 0 days.
    """
    if days < 0:
        raise ValueError("days are 0 or more")
    begun = working.to_local(next_working_moment(start, working))
    day = next_working_day(begun.date(), working.country, days) if days else begun.date()
    return next_working_moment(datetime.combine(day, begun.time(), begun.tzinfo), working)


def measure_working_time(start: datetime, end: datetime, working: WorkingTime) -> timedelta:
    """How much working time lies between two moments; nothing where `end` is not after `start`."""
    total, day = timedelta(0), working.to_local(start).date()
    while day <= working.to_local(end).date():
        if working.is_working_day(day):
            begins, ends = working.find_hours(day)
            total += max(timedelta(0), min(end, ends) - max(start, begins))
        day += _DAY
    return total


def _find_hours(moment: datetime, working: WorkingTime) -> tuple[datetime, datetime]:
    """The first working moment from `moment` on, and the end of that working day, both in UTC."""
    day = working.to_local(moment).date()
    while True:
        day = shift_to_working_day(day, working.country)
        begin, end = working.find_hours(day)
        if moment < end and begin < end:  # a day that begins in the hour a clock skips may have no length
            return max(begin, moment.astimezone(UTC)), end
        day += _DAY
