"""What one health factor says of an account on a day: present, missing or not applicable. Owns the distinction and
the reasons; refuses to word them.

"No data is not ok": a factor whose data stopped is *missing* (it lowers coverage), never zero and never dropped. A
factor that cannot apply to the account (no seats agreed, no targets agreed) leaves the score altogether.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

Fact = str | int | float | None
"""What a fact may be: it is stored as JSON, days as ISO text."""


class ReadingState(StrEnum):
    """Whether a factor counts."""

    PRESENT = "present"
    MISSING = "missing"
    NOT_APPLICABLE = "not_applicable"


class Gap(StrEnum):
    """Why a factor is not present; the reason a person is told, with how to supply what lacks."""

    NO_SEATS = "no_seats"
    NO_ACTIVE_USERS = "no_active_users"
    NO_USAGE = "no_usage"
    OLD_USAGE = "old_usage"
    OLD_ACTIVE_USERS = "old_active_users"
    SHORT_HISTORY = "short_history"
    RARE_USE = "rare_use"
    NO_CORE_FEATURES = "no_core_features"
    NO_TARGETS = "no_targets"
    TARGETS_TOO_EARLY = "targets_too_early"
    OLD_TARGETS = "old_targets"
    NO_TICKETS = "no_tickets"
    OLD_TICKETS = "old_tickets"
    NO_INVOICES = "no_invoices"


@dataclass(frozen=True)
class Reading:
    """One factor on one day: `x` is 0...100 (two decimals) when present, else None; `facts` tell what it came from,
    with the reason under "why" (a `Gap`) when it is not present.
    """

    state: ReadingState
    x: float | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @classmethod
    def present(cls, x: float, **facts: Fact) -> Reading:
        """A value, held within 0...100."""
        return cls(ReadingState.PRESENT, round(min(100.0, max(0.0, x)), 2), facts)

    @classmethod
    def missing(cls, why: Gap, **facts: Fact) -> Reading:
        """It should be known and is not."""
        return cls(ReadingState.MISSING, None, {"why": why.value, **facts})

    @classmethod
    def not_applicable(cls, why: Gap, **facts: Fact) -> Reading:
        """It cannot be known of this account."""
        return cls(ReadingState.NOT_APPLICABLE, None, {"why": why.value, **facts})


def between(value: float, *points: tuple[float, float]) -> float:
    """Piecewise-linear through (value, x) points sorted by value; flat outside them."""
    if value <= points[0][0]:
        return points[0][1]
    for (low, x_low), (high, x_high) in pairwise(points):
        if value <= high:
            return x_low + (x_high - x_low) * (value - low) / (high - low)
    return points[-1][1]
