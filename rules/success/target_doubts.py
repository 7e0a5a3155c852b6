"""Whether a goal is to be questioned when it is set: it cannot be, or it lies far beyond what is known of the metric.

Owns the fences. Refuses to know where the figures come from and how they are told; a doubt is asked once, never a
refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import quantiles

from rules.records import TargetKind

LEAST_PEERS = 5
"""So many other accounts must have a value before they are a benchmark."""
FENCE = Decimal("1.5")
"""Beyond the nearer quartile by so many interquartile ranges is outside (Tukey, Exploratory Data Analysis, 1977)."""


class DoubtKind(StrEnum):
    """What is wrong with a goal."""

    IMPOSSIBLE = "impossible"
    BEYOND_RANGE = "beyond_range"
    BEYOND_PEERS = "beyond_peers"


@dataclass(frozen=True)
class Doubt:
    """Why a goal is questioned. `limit` is what it passes; `source` names the range, `accounts` counts the peers."""

    kind: DoubtKind
    limit: Decimal
    source: str = ""
    accounts: int = 0


@dataclass(frozen=True)
class Surroundings:
    """What is known of a metric, in its unit: the values it can have, a typical range with its source, and the latest
    values of other accounts.
    """

    lowest: Decimal | None = None
    highest: Decimal | None = None
    typical: tuple[Decimal, Decimal] | None = None
    source: str = ""
    peers: tuple[Decimal, ...] = ()


def question_goal(kind: TargetKind, baseline: Decimal | None, goal: Decimal, known: Surroundings) -> Doubt | None:
    """The first doubt about a goal. Totals have none: what is known is about single values."""
    if kind is TargetKind.CUMULATIVE:
        return None
    for edge, is_past in ((known.lowest, goal < (known.lowest or 0)), (known.highest, goal > (known.highest or 0))):
        if edge is not None and is_past:
            return Doubt(DoubtKind.IMPOSSIBLE, edge)
    is_down = kind is TargetKind.KEEP_BELOW or (baseline is not None and goal < baseline)
    return _question_range(goal, known, is_down=is_down) or _question_peers(goal, known.peers, is_down=is_down)


def _question_range(goal: Decimal, known: Surroundings, *, is_down: bool) -> Doubt | None:
    """Far is more than the width of the range beyond its better end."""
    if known.typical is None:
        return None
    low, high = known.typical
    far = low - (high - low) if is_down else high + (high - low)
    if not _is_beyond(goal, far, is_down=is_down):
        return None
    return Doubt(DoubtKind.BEYOND_RANGE, low if is_down else high, source=known.source)


def _question_peers(goal: Decimal, peers: tuple[Decimal, ...], *, is_down: bool) -> Doubt | None:
    if len(peers) < LEAST_PEERS:
        return None
    low, _median, high = quantiles(peers, n=4, method="inclusive")
    if low == high:
        return None  # where most accounts are alike there is no spread to measure "far" by
    far = low - FENCE * (high - low) if is_down else high + FENCE * (high - low)
    best = min(peers) if is_down else max(peers)
    if not (_is_beyond(goal, far, is_down=is_down) and _is_beyond(goal, best, is_down=is_down)):
        return None
    return Doubt(DoubtKind.BEYOND_PEERS, best, accounts=len(peers))


def _is_beyond(goal: Decimal, edge: Decimal, *, is_down: bool) -> bool:
    return goal < edge if is_down else goal > edge
