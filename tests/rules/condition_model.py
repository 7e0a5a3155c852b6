"""Conditions written a second time, from what was seen on which day: what the machine test compares them with. It looks
at the whole history each time, where the code under test keeps a little of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

BAD, BETWEEN, GOOD, NO_DATA = "bad", "between", "good", "no_data"
FLAPPING_DAYS, FLAPPING_OPENINGS = 14, 3


@dataclass
class History:
    """All that one rule saw of one subject. `needed`: distinct days, one after the other, to begin and to end."""

    needed: int
    seen: list[tuple[date, str]] = field(default_factory=list)

    def see(self, day: date, verdict: str) -> None:
        """No data is no look; a day that was looked at, or an earlier one, counts no more."""
        is_new = not self.seen or day > self.seen[-1][0]
        if verdict != NO_DATA and is_new:
            self.seen.append((day, verdict))

    def _tell(self) -> tuple[bool, int, list[date], list[date]]:
        """Whether it is on, how many days speak for the other side, the days it began, the days each side began."""
        is_on, run, openings, changes = False, 0, list[date](), list[date]()
        for day, verdict in self.seen:
            is_against = verdict == (GOOD if is_on else BAD)
            run = run + 1 if is_against else 0
            if run >= self.needed:
                is_on, run = not is_on, 0
                changes.append(day)
                if is_on:
                    openings.append(day)
        return is_on, run, openings, changes

    @property
    def state(self) -> str:
        is_on, run, _openings, _changes = self._tell()
        if is_on:
            return "clearing" if run else "firing"
        return "pending" if run else "ok"

    @property
    def streak(self) -> int:
        return self._tell()[1]

    @property
    def openings(self) -> tuple[date, ...]:
        return tuple(self._tell()[2][-FLAPPING_OPENINGS:])

    @property
    def is_initial(self) -> bool:
        return all(verdict == BAD for _day, verdict in self.seen)

    @property
    def is_flapping(self) -> bool:
        """Three openings within fourteen days, at some time, and never fourteen days without one since."""
        openings, last = self._tell()[2], self.seen[-1][0]
        for at in range(FLAPPING_OPENINGS - 1, len(openings)):
            is_often = (openings[at] - openings[at - FLAPPING_OPENINGS + 1]).days < FLAPPING_DAYS
            since = [*openings[at:], last]
            if is_often and all((later - earlier).days < FLAPPING_DAYS for earlier, later in pairwise(since)):
                return True
        return False
