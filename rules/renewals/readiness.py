"""Readiness: what must be in place before a renewal is talked about. Owns the list of checks and what each takes;
refuses to say when that is asked (`rules.renewals.reminders`) and to word it.

To add a check: a member of `Check`, a field of `ReadinessFacts`, one entry in `_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from rules.records import RenewalVerdict


class Check(StrEnum):
    """What is looked at, in the order it is told; each is also the name of what lacks."""

    SPONSOR = "sponsor"
    TARGET = "target"
    VALUE = "value"
    RESULT = "result"
    VERDICT = "verdict"
    ALERTS = "alerts"
    TICKETS = "tickets"
    INVOICE = "invoice"
    TOUCH = "touch"


@dataclass(frozen=True)
class TargetProof:
    """A target in force. `is_fresh`: reached for good, or measured within its cadence; `is_good`: reached, ahead or on
    track; `is_judged`: far enough to tell good from bad.
    """

    is_fresh: bool = False
    is_good: bool = False
    is_judged: bool = False
    is_achieved: bool = False


@dataclass(frozen=True)
class ReadinessFacts:
    """What is known of an account on `today`. `unclaimed_alerts` are open critical and high ones nobody took;
    `urgent_tickets` open ones of high priority or escalated; `touch_days` the most days between two contacts that the
    service standard allows (None: none is promised).
    """

    today: date
    has_sponsor: bool = False
    targets: tuple[TargetProof, ...] = field(default=())
    verdict: RenewalVerdict | None = None
    unclaimed_alerts: int = 0
    urgent_tickets: int = 0
    is_overdue: bool = False
    last_touch: date | None = None
    touch_days: int | None = None


@dataclass(frozen=True)
class Lack:
    """One thing that is missing; `count` of how many where that can be several."""

    check: Check
    count: int = 1


@dataclass(frozen=True)
class Readiness:
    """What is missing, in the order of the checks."""

    missing: tuple[Lack, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def assess_readiness(facts: ReadinessFacts) -> Readiness:
    """All checks, none left out because another failed."""
    found = ((check, count(facts)) for check, count in _CHECKS.items())
    return Readiness(tuple(Lack(check, missing) for check, missing in found if missing))


def _count_untouched(facts: ReadinessFacts) -> int:
    if facts.touch_days is None:
        return 0
    return int(facts.last_touch is None or (facts.today - facts.last_touch).days > facts.touch_days)


def _lacks_value(facts: ReadinessFacts) -> int:
    return int(bool(facts.targets) and not any(each.is_fresh for each in facts.targets))


def _lacks_result(facts: ReadinessFacts) -> int:
    fresh = [each for each in facts.targets if each.is_fresh]
    return int(bool(fresh) and not any(each.is_good for each in fresh))


_CHECKS: dict[Check, Callable[[ReadinessFacts], int]] = {
    Check.SPONSOR: lambda facts: int(not facts.has_sponsor),
    Check.TARGET: lambda facts: int(not facts.targets),
    Check.VALUE: _lacks_value,
    Check.RESULT: _lacks_result,
    Check.VERDICT: lambda facts: int(facts.verdict is None),
    Check.ALERTS: lambda facts: facts.unclaimed_alerts,
    Check.TICKETS: lambda facts: facts.urgent_tickets,
    Check.INVOICE: lambda facts: int(facts.is_overdue),
    Check.TOUCH: _count_untouched,
}
"""How many of each are missing; 0: the check is passed."""
