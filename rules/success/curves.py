"""Piecewise-linear curves over days: the value on a day, and the day of a value.

Owns the arithmetic (exact, in fractions). Refuses to know what a curve is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

Point = tuple[date, Decimal]


def interpolate(curve: Sequence[Point], day: date) -> Fraction:
    """The value on `day`: linear between the points (at least one, sorted by day), level outside them."""
    if day <= curve[0][0]:
        return Fraction(curve[0][1])
    for (left, low), (right, high) in pairwise(curve):
        if day <= right:
            return Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction((day - left).days, (right - left).days)
    return Fraction(curve[-1][1])


def is_flat(curve: Sequence[Point], day: date) -> bool:
    """Whether the part of the curve that leads to `day` is level; after its last point it has ended, not flattened."""
    for (_left, low), (right, high) in pairwise(curve):
        if day <= right:
            return low == high
    return False


def find_passed_on(curve: Sequence[Point], value: Decimal, day: date, *, is_downward: bool) -> date:
    """The day the curve passed `value`, seen from `day`: the last such day before it when the value is behind the
    curve, the first one after it when the value is ahead.

    A value the curve never had counts as its start, one it never will have as its end.
    """
    planned = interpolate(curve, day)
    if Fraction(value) == planned:
        return day
    crossings = _list_crossings(curve, value)
    if (Fraction(value) > planned) == is_downward:
        return max((last for _first, last in crossings if last <= day), default=min(day, curve[0][0]))
    return min((first for first, _last in crossings if first >= day), default=max(day, curve[-1][0]))


def _list_crossings(curve: Sequence[Point], value: Decimal) -> list[tuple[date, date]]:
    """First and last day of each stay of the curve at `value`: the same (whole, rounded up) day on a slope."""
    found: list[tuple[date, date]] = []
    for (left, low), (right, high) in pairwise(curve):
        if low == high == value:
            found.append((left, right))
        elif low != high and min(low, high) <= value <= max(low, high):
            share = (Fraction(value) - Fraction(low)) / (Fraction(high) - Fraction(low))
            day = left + timedelta(days=ceil(share * (right - left).days))
            found.append((day, day))
    return found
