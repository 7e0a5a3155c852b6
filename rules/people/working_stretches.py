"""Working time laid out so that a database can measure it: every moment lies in one stretch, which says how much was
worked before it and until when is worked in it. Owns the layout; when somebody works is in `rules.people.working_time`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from rules.people.working_time import WorkingTime

DAY_MICROS = 86_400_000_000
_DAY, _MICRO = timedelta(days=1), timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stretch(NamedTuple):
    """A part of one UTC day, [starts, stops), with work from its start until `ends` (the start itself: none). Moments
    are microseconds since 1970, `day` is days since then, `before` the microseconds worked in all stretches before.

    What was worked up to a moment t of the stretch is `before + min(t, ends) - starts`.
    """

    day: int
    starts: int
    stops: int
    ends: int
    before: int


def lay_out(working: WorkingTime, first: date, last: date) -> Iterator[Stretch]:
    """The stretches of the UTC days `first` to `last`, in order and without a gap."""
    hours = list(_list_hours(working, first - _DAY, last + _DAY))
    midnights = [_midnight(first + at * _DAY) for at in range((last - first).days + 2)]
    begins = [begin for begin, _end in hours if midnights[0] < begin < midnights[-1]]
    worked = 0
    for starts, stops in pairwise(sorted({*midnights, *begins})):
        found = bisect_right(hours, (starts, midnights[-1] + DAY_MICROS * 2))
        ends = min(stops, max(starts, hours[found - 1][1])) if found else starts
        yield Stretch(starts // DAY_MICROS, starts, stops, ends, worked)
        worked += ends - starts


def _list_hours(working: WorkingTime, first: date, last: date) -> Iterator[tuple[int, int]]:
    """When work begins and ends on the person's own days `first` to `last`; never two at once."""
    days = (first + at * _DAY for at in range((last - first).days + 1))
    for day in filter(working.is_working_day, days):
        begin, end = map(_micros, working.find_hours(day))
        if begin < end:
            yield begin, end


def _midnight(day: date) -> int:
    return _micros(datetime.combine(day, time.min, UTC))


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICRO
