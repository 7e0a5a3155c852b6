"""The health score: from factor readings to a number, a band and the limits on it. Owns the arithmetic of score,
coverage, knock-outs and bands; refuses to know where facts come from (`rules.health.factors`) and to explain changes
(`rules.health.contributions`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from math import floor

from rules.health.factors import FACTORS, PAYMENT_DAYS, AccountFacts
from rules.health.readings import Reading, ReadingState
from rules.health.usage import is_silent
from rules.records import Band

LEAST_COVERAGE = 0.5
"""Under this share of the applicable weight the score is unknown."""

CAP = 49.0
"""No score is above this while a knock-out holds."""

GREEN_FROM, YELLOW_FROM = 75, 50
MARGIN = 5
"""Points beyond the limit that it takes to leave a band."""

MOST_USAGE_WEIGHT = 40.0


class KnockOut(StrEnum):
    """What caps a score, the most telling first."""

    NOTICE = "notice"
    OVERDUE = "overdue"
    SILENCE = "silence"


@dataclass(frozen=True)
class HealthModel:
    """Weights by factor, under a name that is stored with every score made by it.

    Raises `ValueError` for an unknown factor, a weight that is not positive, or usage above `MOST_USAGE_WEIGHT`.
    """

    name: str
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        known = {factor.slug for factor in FACTORS}
        if not self.weights or not set(self.weights) <= known:
            raise ValueError(f"unknown health factors: {sorted(set(self.weights) - known)}")
        if min(self.weights.values()) <= 0:
            raise ValueError("a weight must be above 0")
        if sum(self.weights.get(factor.slug, 0) for factor in FACTORS if factor.is_usage) > MOST_USAGE_WEIGHT:
            raise ValueError(f"usage factors may weigh at most {MOST_USAGE_WEIGHT:g} in all")


DEFAULT_MODEL = HealthModel("default-1", {factor.slug: factor.weight for factor in FACTORS})


@dataclass(frozen=True)
class DayScore:
    """The health of one account on one day, as far as a comparison needs it.

    Args:
        day: the day it was scored for (usage counted up to the day before).
        score: 0...100, or None where coverage is under one half.
        band: after the margin, so it may differ from what the score alone says.
        coverage: 0...1, weight present of weight applicable.
        capped_by: slug of the knock-out that holds ("" if none does), whether or not the score was above the cap.
        factors: name to (x in 0...100, weight > 0), of the factors present only.
    """

    day: date
    score: float | None
    band: Band
    coverage: float
    capped_by: str = ""
    factors: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """A day's score with the readings it was made of; `weights` are those of the model."""

    score: DayScore
    readings: Mapping[str, Reading]
    weights: Mapping[str, float]


def decide_health(facts: AccountFacts, previous: Band = Band.UNKNOWN, model: HealthModel = DEFAULT_MODEL) -> Health:
    """Score an account. `previous` is its band at the score before, for the margin."""
    readings = {factor.slug: factor.read(facts) for factor in FACTORS if factor.slug in model.weights}
    present = {name: (each.x, model.weights[name]) for name, each in readings.items() if each.x is not None}
    coverage = measure_coverage(readings, model)
    capped_by = find_knock_out(facts)
    score = weigh(present) if coverage >= LEAST_COVERAGE else None
    if score is not None and capped_by:
        score = min(score, CAP)
    band = decide_band(score, previous, is_capped=bool(capped_by))
    return Health(DayScore(facts.day, score, band, coverage, capped_by, present), readings, model.weights)


def weigh(factors: Mapping[str, tuple[float, float]]) -> float | None:
    """Σ wx / Σ w over (x, w); None without any factor."""
    weight = sum(w for _, w in factors.values())
    return min(100.0, sum(x * w for x, w in factors.values()) / weight) if weight else None


def measure_coverage(readings: Mapping[str, Reading], model: HealthModel) -> float:
    """Weight present of weight applicable, 0...1; 0 when nothing applies."""
    applicable = {name: each for name, each in readings.items() if each.state != ReadingState.NOT_APPLICABLE}
    present = sum(model.weights[name] for name, each in applicable.items() if each.state == ReadingState.PRESENT)
    total = sum(model.weights[name] for name in applicable)
    return present / total if total else 0.0


def find_knock_out(facts: AccountFacts) -> str:
    """Slug of the first knock-out that holds, "" for none."""
    if facts.has_notice:
        return KnockOut.NOTICE.value
    if (facts.overdue_days or 0) > PAYMENT_DAYS:
        return KnockOut.OVERDUE.value
    if is_silent(facts.usage, facts.feed, facts.country, facts.day):
        return KnockOut.SILENCE.value
    return ""


def show_score(score: float) -> int:
    """The whole number people see; halves go up."""
    return floor(score + 0.5)


def decide_band(score: float | None, previous: Band = Band.UNKNOWN, *, is_capped: bool = False) -> Band:
    """The band of the score as shown; the `previous` band holds until the score is `MARGIN` points past its limit.

    A knock-out needs no margin: a capped account is red at once.
    """
    if score is None:
        return Band.UNKNOWN
    shown = show_score(score)
    if is_capped:
        return Band.RED
    low = {Band.GREEN: GREEN_FROM - MARGIN, Band.YELLOW: YELLOW_FROM - MARGIN}.get(previous, 0)
    high = {Band.YELLOW: GREEN_FROM + MARGIN, Band.RED: YELLOW_FROM + MARGIN}.get(previous, 101)
    if previous != Band.UNKNOWN and low <= shown < high:
        return previous
    return _plain_band(shown)


def _plain_band(shown: int) -> Band:
    if shown >= GREEN_FROM:
        return Band.GREEN
    return Band.YELLOW if shown >= YELLOW_FROM else Band.RED
