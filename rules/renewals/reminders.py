"""When a renewal is spoken of: 120, 90, 30 and 14 days before its decision date. Owns these days and what is said on
which; refuses working days (the job runs on those only) and channels.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from rules.renewals.renewals import COMING_DAYS

OFFSETS = (COMING_DAYS, 90, 30, 14)
"""Days before the decision date, the earliest reminder first."""
_OPENING, _ALWAYS, _IF_NOT_READY, _IF_UNDECIDED = OFFSETS


@dataclass(frozen=True)
class Reminder:
    """The reminder of `days_before`. `is_said`: it has something to say; else it is only ticked off."""

    days_before: int
    is_said: bool


def find_offset(decides_on: date, today: date) -> int | None:
    """The latest offset reached, also after the decision date; None before the first."""
    left = (decides_on - today).days
    return min((each for each in OFFSETS if left <= each), default=None)


def find_reminder(
    decides_on: date, today: date, given: Collection[int], *, has_thread: bool, is_ready: bool
) -> Reminder | None:
    """What is due for an undecided renewal, where `given` are the offsets looked at for this decision date.

    Of several that were missed only the latest counts. The first one of all opens the thread, whichever it is; in a
    thread, 90 days before is always said, 30 only while something is missing, 14 always: it is still undecided.
    """
    offset = find_offset(decides_on, today)
    if offset is None or offset in given:
        return None
    speaks = {_OPENING: False, _ALWAYS: True, _IF_NOT_READY: not is_ready, _IF_UNDECIDED: True}
    return Reminder(offset, not has_thread or speaks[offset])
