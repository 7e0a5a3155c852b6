"""How a team changes a rule without changing its code: a higher threshold, a pause, digests only. Owns which changes
there are and what they come to together; refuses to know why somebody wanted one (`rules.alerts.ledger`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.records import AlertKind

MUTE_TIME = timedelta(days=30)
MOST_RAISES = 3
"""A threshold is raised so often at most; a rule that is still too sensitive is for digests, or wrong."""


class Remedy(StrEnum):
    """What is done about a rule that people find too sensitive."""

    RAISE = "raise"
    MUTE = "mute"
    DIGEST = "digest"


@dataclass(frozen=True)
class Adjustment:
    """One change of a rule that is in force.

    Args:
        amount: what a RAISE adds to the threshold, in the rule's unit; 0 for the others.
        since: the day it began.
        by: id of the member who decided it.
        until: the last day of a MUTE; None: until somebody takes it back.
    """

    id: str
    kind: AlertKind
    remedy: Remedy
    since: date
    by: str
    amount: float = 0.0
    until: date | None = None

    def is_on(self, day: date) -> bool:
        """Whether it holds on `day`."""
        return self.since <= day and (self.until is None or day <= self.until)

    @property
    def facts(self) -> dict[str, object]:
        """What an alert raised under it keeps of it; JSON-able."""
        return {
            "remedy": self.remedy.value,
            "amount": self.amount,
            "since": self.since.isoformat(),
            "by": self.by,
            "until": self.until.isoformat() if self.until else None,
        }


@dataclass(frozen=True)
class Tuning:
    """All that people changed about one rule: points (or days …) on top of its threshold, and whether it is quiet."""

    adjustments: tuple[Adjustment, ...] = ()

    @property
    def raised(self) -> float:
        """What the threshold is higher by, in the rule's unit."""
        return sum(each.amount for each in self.adjustments if each.remedy is Remedy.RAISE)

    @property
    def is_quiet(self) -> bool:
        """Whether its alerts wait for digests. (Of a MUTE the mute itself takes care.)"""
        return any(each.remedy is Remedy.DIGEST for each in self.adjustments)

    def name_version(self, version: str) -> str:
        """The version of the rule as it judges now: "drop-1", or "drop-1+5" with a higher threshold."""
        return f"{version}+{self.raised:g}" if self.raised else version


AS_MADE = Tuning()
"""A rule that nobody changed."""


def tune(adjustments: Iterable[Adjustment], day: date) -> Mapping[AlertKind, Tuning]:
    """What the adjustments come to on `day`, by rule; rules that nobody changed are left out."""
    found: dict[AlertKind, tuple[Adjustment, ...]] = {}
    for each in sorted(adjustments, key=lambda one: (one.since, one.id)):
        if each.is_on(day):
            found[each.kind] = (*found.get(each.kind, ()), each)
    return {kind: Tuning(held) for kind, held in found.items()}
