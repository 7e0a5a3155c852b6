"""The health score: from factor readings to a number, a band and the reasons of a change. Owns the arithmetic of
score, coverage, knock-outs, bands and contributions; refuses to know where facts come from (see `rules.factors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from rules.records import Band


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
