"""When due work is due. Owns daily and every-n-minutes rhythms and what clock changes do to them; refuses to know
what runs.

A day on which the clock skips the wanted time runs at the first moment after the gap; a time that comes twice runs
at its first coming. So each calendar day gives exactly one occurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rhythm:
    """Daily at `at_time` ("HH:MM", 24 hours) in the IANA `zone`; or, if `every_minutes` > 0, at each whole multiple of
    it since 1970 UTC.
    """

    zone: str = "UTC"
    at_time: str = "06:00"
    every_minutes: int = 0


def next_occurrence(rhythm: Rhythm, after: datetime) -> datetime:
    """The first occurrence later than `after` (aware), in UTC. Raises `ValueError` for a malformed `at_time`."""
    if rhythm.every_minutes > 0:
        return _floor(rhythm, after) + timedelta(minutes=rhythm.every_minutes)
    day = _local_day(rhythm, after) - _DAY
    while (found := _daily(rhythm, day)) <= after:
        day += _DAY
    return found


def latest_occurrence(rhythm: Rhythm, now: datetime) -> datetime:
    """The last occurrence not later than `now` (aware), in UTC."""
    if rhythm.every_minutes > 0:
        return _floor(rhythm, now)
    day = _local_day(rhythm, now) + _DAY
    while (found := _daily(rhythm, day)) > now:
        day -= _DAY
    return found


def is_same_day(rhythm: Rhythm, one: datetime, other: datetime) -> bool:
    """Whether two aware moments fall on the same calendar day of the rhythm's zone."""
    return _local_day(rhythm, one) == _local_day(rhythm, other)


def _floor(rhythm: Rhythm, moment: datetime) -> datetime:
    step = rhythm.every_minutes * 60
    return datetime.fromtimestamp(int(moment.timestamp()) // step * step, UTC)


def _local_day(rhythm: Rhythm, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(rhythm.zone)).date()


def _daily(rhythm: Rhythm, day: date) -> datetime:
    """The first moment at which the zone's clock, on that day, shows the wanted time or a later one."""
    zone = ZoneInfo(rhythm.zone)
    wanted = datetime.combine(day, time.fromisoformat(rhythm.at_time))
    first = wanted.replace(tzinfo=zone).astimezone(UTC)
    if _shown(first, zone) == wanted:
        return first
    # In a gap: with fold=0 the offset before the change was used, which lands after it; with fold=1 the other way.
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _end_of_gap(before, first, wanted, zone)


def _end_of_gap(before: datetime, after: datetime, wanted: datetime, zone: ZoneInfo) -> datetime:
    """Halve the interval until the second at which the clock jumps over `wanted` is found."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _shown(middle, zone) < wanted:
            before = middle
        else:
            after = middle
    return after


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
