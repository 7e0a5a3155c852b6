"""Why a score changed: whole points per factor that add up to the change people see. Owns that sum; refuses to say
whether a change matters (`rules.health.drops`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from rules.health.health import DayScore, show_score, weigh

KNOCK_OUT = "knock_out"
"""Points taken or given back by the cap."""

COMPOSITION = "composition"
"""Points due to factors known on only one of the two days."""


@dataclass(frozen=True)
class Contribution:
    """What one factor (or `KNOCK_OUT`, `COMPOSITION`) did to the score.

    `points` are whole and, over all contributions, sum to the change shown; `exact` ones to the change itself.
    `before` and `after` are the factor's x, 0...100.
    """

    name: str
    points: int
    exact: float
    before: float | None = None
    after: float | None = None


def explain_change(before: DayScore, after: DayScore) -> tuple[Contribution, ...]:
    """The contributions that moved, largest first; empty if either score is unknown or nothing moved.

    A factor on both days contributes the change of wx / Σw, with the sum over the factors of both days.
    """
    if before.score is None or after.score is None:
        return ()
    exact = _exact_changes(before, after)
    moved = {name: points for name, points in exact.items() if abs(points) > _NOTHING}
    total = show_score(after.score) - show_score(before.score)
    shown = round_to_sum(moved, total)
    found = [Contribution(name, shown[name], points, *_sides(name, before, after)) for name, points in moved.items()]
    return tuple(sorted(found, key=lambda each: (-abs(each.exact), each.name)))


def round_to_sum(exact: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers that sum to `total`, each near its exact value (largest remainder).

    `total` must be within one per entry of the sum of the exact values; it is ignored without entries.
    """
    shown = {name: floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: shown[name] - exact[name])
    short = total - sum(shown.values())
    while short and shown:
        for name in by_remainder if short > 0 else reversed(by_remainder):
            if short:
                shown[name] += 1 if short > 0 else -1
                short += -1 if short > 0 else 1
    return shown


_NOTHING = 1e-9


def _exact_changes(before: DayScore, after: DayScore) -> dict[str, float]:
    common = [name for name in after.factors if name in before.factors]
    old, new = _parts(before, common), _parts(after, common)
    exact = {name: new[name] - old[name] for name in common}
    exact[COMPOSITION] = (_raw(after) - sum(new.values())) - (_raw(before) - sum(old.values()))
    exact[KNOCK_OUT] = ((after.score or 0) - _raw(after)) - ((before.score or 0) - _raw(before))
    return exact


def _parts(day: DayScore, common: list[str]) -> dict[str, float]:
    weight = sum(day.factors[name][1] for name in common)
    return {name: day.factors[name][0] * day.factors[name][1] / weight for name in common}


def _raw(day: DayScore) -> float:
    return weigh(day.factors) or 0.0


def _sides(name: str, before: DayScore, after: DayScore) -> tuple[float | None, float | None]:
    old, new = before.factors.get(name), after.factors.get(name)
    return old and old[0], new and new[0]
