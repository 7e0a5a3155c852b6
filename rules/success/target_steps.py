"""Dated steps on the way from a start value to a goal: made evenly or with a load at one end, or checked as typed.

Refuses to know what a target is (see `rules.success.plans`) and how steps are written.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction

from rules.errors import UserError
from rules.success.curves import Point

MOST_TYPED = 24
_QUARTER_DAYS = 91
_MONTH_DAYS = 30
_MONTHLY_UP_TO = timedelta(days=186)
_LEAST_GAP = timedelta(days=10)
_STEP_DIGITS = 3
_MONTHS = 12


class Load(StrEnum):
    """Where on the way most of the change is expected: nowhere, in its first half, in its second half."""

    LINEAR = "linear"
    FRONT = "front"
    BACK = "back"


class Rhythm(StrEnum):
    """When steps are due: evenly between start and due, or at the ends of calendar months or quarters."""

    EVEN = "even"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True)
class Way:
    """From `start` on `start_on` to `goal` on `due_on`, which is later."""

    start_on: date
    start: Decimal
    due_on: date
    goal: Decimal


def generate_steps(way: Way, load: Load = Load.LINEAR, rhythm: Rhythm = Rhythm.EVEN) -> tuple[Point, ...]:
    """Steps strictly between start and due, in order, their values never turning back.

    With t the share of the time gone, the share of the way is t (linear), 1 − (1 − t)² (front) or t² (back). Values
    are rounded to 3 digits of the whole way, which keeps them in order. Evenly: monthly up to half a year, quarterly
    beyond. Ends of months and quarters less than 10 days from start or due are left out.
    """
    return tuple((day, _round(way, _share(way, day, load))) for day in _list_days(way, rhythm))


def check_steps(steps: Sequence[Point], start_on: date, due_on: date) -> None:
    """Raise `UserError` unless the days are different, in order, and between start and due."""
    days = [day for day, _value in steps]
    if days != sorted(set(days)) or any(not start_on < day < due_on for day in days):
        raise UserError("Steps need different days between the start and the due date, in order.", field="steps")


def _list_days(way: Way, rhythm: Rhythm) -> list[date]:
    length = way.due_on - way.start_on
    if rhythm is Rhythm.EVEN:
        count = length // timedelta(days=_MONTH_DAYS if length <= _MONTHLY_UP_TO else _QUARTER_DAYS)
        return [way.start_on + length * number / count for number in range(1, count)]
    return _list_ends(way.start_on + _LEAST_GAP, way.due_on - _LEAST_GAP, 3 if rhythm is Rhythm.QUARTER else 1)


def _list_ends(first: date, last: date, months: int) -> list[date]:
    """The last days of every `months`th month of the year from `first` to `last`, both included."""
    found = []
    for number in range(first.year * _MONTHS + first.month - 1, last.year * _MONTHS + last.month):
        year, month = number // _MONTHS, number % _MONTHS + 1
        day = date(year, month, monthrange(year, month)[1])
        if month % months == 0 and first <= day <= last:
            found.append(day)
    return found


def _share(way: Way, day: date, load: Load) -> Fraction:
    time = Fraction((day - way.start_on).days, (way.due_on - way.start_on).days)
    if load is Load.FRONT:
        return 1 - (1 - time) ** 2
    return time**2 if load is Load.BACK else time


def _round(way: Way, share: Fraction) -> Decimal:
    low, high = way.start, way.goal
    exact = Fraction(low) + (Fraction(high) - Fraction(low)) * share
    digits = (high - low).adjusted() - _STEP_DIGITS + 1 if high != low else 0
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return min(max(value.quantize(Decimal(1).scaleb(digits), ROUND_HALF_EVEN), min(low, high)), max(low, high))
