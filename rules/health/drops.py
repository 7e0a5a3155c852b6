"""The drop of a health score, factor by factor. Owns the comparison of two days and the definition of "drop";
refuses to know conditions and alerts.

A day is compared with an earlier one on the factors known on both, with the later day's weights, so that a factor that
appears, expires or is weighted anew is no drop. The knock-out cap is one more line of the sum, so the
contributions add up to the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.health.contributions import KNOCK_OUT
from rules.health.health import CAP, LEAST_COVERAGE, DayScore
from rules.records import Band

FAST_DAYS, FAST_POINTS = 14, 15.0
SLOW_DAYS, SLOW_POINTS = 90, 20.0
BAND_POINTS = 8.0
RED_POINTS = 1.0
"""Into red counts from one point on: less is a factor that came or went, not a fall of the common ones."""
MARGIN = 5.0
"""A drop is over when it falls short of every threshold by so many points."""

_BAND_ORDER = {Band.RED: 0, Band.YELLOW: 1, Band.GREEN: 2}


class Criterion(StrEnum):
    """Which part of the definition is met, most telling first."""

    INTO_RED = "into_red"
    BAND_LOST = "band_lost"
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Share:
    """What one factor did to the score: its value 0...100 on both days, its weight, and points of the score."""

    factor: str
    before: float | None
    after: float | None
    weight: float
    points: float


@dataclass(frozen=True)
class Comparison:
    """Two days on their common factors: `before` and `after` are scores 0...100."""

    earlier: DayScore
    later: DayScore
    before: float
    after: float

    @property
    def lost(self) -> float:
        """Points lost, negative for a rise."""
        return self.before - self.after

    @property
    def days(self) -> int:
        """Days between the two."""
        return (self.later.day - self.earlier.day).days

    def list_shares(self) -> list[Share]:
        """What each common factor, and the cap of a knock-out, did; the points sum to `after - before`."""
        common, total = _find_common(self.earlier, self.later)
        shares = [_share(name, weight, total, self.earlier, self.later) for name, weight in common.items()]
        if self.earlier.capped_by or self.later.capped_by:
            cut = self.after - self.before - sum(each.points for each in shares)
            shares.append(Share(KNOCK_OUT, None, None, 0.0, cut))
        return shares


def list_days_to_compare(day: date) -> list[date]:
    """The days a drop on `day` may be measured from: the last 14, then weekly points back to 90 days."""
    back = [*range(1, FAST_DAYS + 1), *range(FAST_DAYS + 7, SLOW_DAYS, 7), SLOW_DAYS]
    return [day - timedelta(days=each) for each in back]


def compare(earlier: DayScore, later: DayScore) -> Comparison | None:
    """The two days side by side; None where a score is unknown, or where less of the later day's weight is common
    to both than a score needs to be known.
    """
    if earlier.score is None or later.score is None:
        return None
    whole = total = before = after = 0.0
    for name, (x, weight) in later.factors.items():
        whole += weight
        known = earlier.factors.get(name)
        if known is not None:
            total, before, after = total + weight, before + known[0] * weight, after + x * weight
    if total <= 0 or total < LEAST_COVERAGE * whole:
        return None
    return Comparison(earlier, later, _cap(earlier, before / total), _cap(later, after / total))


def list_comparisons(day: date, scores: Mapping[date, DayScore]) -> list[Comparison]:
    """`day` against every day it may be measured from, latest first."""
    later = scores.get(day)
    if later is None:
        return []
    compared = (compare(scores[each], later) for each in list_days_to_compare(day) if each in scores)
    return [each for each in compared if each is not None]


def find_drop(comparisons: Sequence[Comparison], *, margin: float = 0.0) -> tuple[Criterion, Comparison] | None:
    """The drop, by the first criterion met, measured from its highest day (the latest of equals).

    With a `margin` (points) the thresholds are that much lower: no drop even then means it is surely over. Less than a
    point lost is no drop whatever the margin.
    """
    fallen = [each for each in comparisons if each.lost >= RED_POINTS]
    recent = [each for each in fallen if each.days <= FAST_DAYS]
    for criterion, among in (
        (Criterion.INTO_RED, recent),
        (Criterion.INTO_RED, fallen),
        (Criterion.BAND_LOST, recent),
        (Criterion.BAND_LOST, fallen),
        (Criterion.FAST, recent),
        (Criterion.SLOW, fallen),
    ):
        met = [each for each in among if _is_met(criterion, each, margin)]
        if met:
            return criterion, max(met, key=lambda each: (each.lost, each.earlier.day))
    return None


def _is_met(criterion: Criterion, each: Comparison, margin: float) -> bool:
    is_red_now = each.later.band is Band.RED
    match criterion:
        case Criterion.INTO_RED:
            return is_red_now and each.earlier.band in (Band.YELLOW, Band.GREEN) and each.lost >= RED_POINTS
        case Criterion.BAND_LOST:
            return _has_lost_band(each) and each.lost >= BAND_POINTS - margin
        case Criterion.FAST:
            return each.lost >= FAST_POINTS - margin
        case Criterion.SLOW:
            return each.lost >= SLOW_POINTS - margin


def _has_lost_band(each: Comparison) -> bool:
    before, after = _BAND_ORDER.get(each.earlier.band), _BAND_ORDER.get(each.later.band)
    return before is not None and after is not None and after < before


def _find_common(earlier: DayScore, later: DayScore) -> tuple[dict[str, float], float]:
    """The later day's weights of the factors known on both, and their sum."""
    common = {name: weight for name, (_x, weight) in later.factors.items() if name in earlier.factors}
    return common, sum(common.values())


def _cap(day: DayScore, score: float) -> float:
    return min(score, CAP) if day.capped_by else score


def _share(name: str, weight: float, total: float, earlier: DayScore, later: DayScore) -> Share:
    before, after = earlier.factors[name][0], later.factors[name][0]
    return Share(name, before, after, weight, weight * (after - before) / total)
