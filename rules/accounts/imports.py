"""What an imported row changes. Owns the comparison with what is stored; refuses to know any table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What became of one imported row, the strongest first."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True)
class Merge:
    """The decision about one row: its outcome, and the columns that differ, before and after."""

    outcome: Outcome
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def decide_merge(stored: Mapping[str, Any] | None, incoming: Mapping[str, Any]) -> Merge:
    """Compare `incoming` (only the columns the file has) with the `stored` row; None means there is none yet."""
    if stored is None:
        return Merge(Outcome.NEW, after=dict(incoming))
    changed = [name for name, value in incoming.items() if stored[name] != value]
    if not changed:
        return Merge(Outcome.SAME)
    before = {name: stored[name] for name in changed}
    return Merge(Outcome.CHANGED, before, {name: incoming[name] for name in changed})


def strongest(*outcomes: Outcome) -> Outcome:
    """The outcome of a row that touches several things: new before changed before same; same for none."""
    return min(outcomes, key=list(Outcome).index, default=Outcome.SAME)
