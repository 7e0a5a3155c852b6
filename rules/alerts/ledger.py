"""The ledger: what became of the alerts of each rule, and which rules people find too sensitive. Owns these figures and
the rule that makes a proposal of them; refuses to count alerts (the database does: `storage.alerts.ledger`) and to
change rules (`rules.alerts.tuning`).

Precision is the share of alerts that somebody acted on, of those that can be judged. "Known and handled" is left out on
both sides: the rule was right, only late. So is an alert that still waits, and one whose account left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

from rules.alerts.alerts import ACCOUNT_GONE
from rules.records import AlertKind, DismissReason, EpisodeState

DEFAULT_DAYS, MOST_DAYS = 90, 365
PERIOD = timedelta(days=DEFAULT_DAYS)
IGNORED_AFTER = timedelta(days=7)
"""An open alert that nobody answered for so long counts as ignored."""
LEAST_JUDGED = 10
"""Of fewer alerts no precision is told."""
LEAST_CLOSED, LEAST_SHARE, LEAST_SURE = 5, 0.4, 0.2
"""A rule is found too sensitive when people closed at least so many of its alerts within 90 days, at least this share
of them as too sensitive, and the lower end of the share's interval is above the last."""
REST = timedelta(days=90)
"""For so long after a proposal was decided the rule gets no other."""
_NORMAL_QUANTILE = 1.959964
"""Of 97.5 %: two-sided 95 %."""


class Fate(StrEnum):
    """What became of an alert."""

    ACTED = "acted"
    DISMISSED = "dismissed"
    IGNORED = "ignored"
    WAITING = "waiting"
    MOOT = "moot"


@dataclass(frozen=True)
class Alike:
    """Alerts of one rule that are the same in all the ledger looks at.

    Args:
        count: how many there are, 1 or more.
        state, close_reason: as they are now; the reason is "" where it decides nothing.
        is_old: opened more than `IGNORED_AFTER` before the end of the period.
        is_acted: somebody took it, resolved it, or settled what it was about.
        is_closed_by_person: somebody resolved or dismissed it.
        is_told: people were told of it at once; it did not only stand in digests.
        is_answered: a person did something to it.
    """

    kind: AlertKind
    state: EpisodeState
    count: int = 1
    close_reason: str = ""
    is_old: bool = False
    is_acted: bool = False
    is_closed_by_person: bool = False
    is_told: bool = False
    is_answered: bool = False

    @property
    def fate(self) -> Fate:
        """What became of them by the end of the period."""
        if self.state is EpisodeState.DISMISSED:
            return Fate.DISMISSED
        if self.is_acted:
            return Fate.ACTED
        if self.state is EpisodeState.RESOLVED:
            return Fate.MOOT if self.close_reason == ACCOUNT_GONE else Fate.IGNORED
        return Fate.IGNORED if self.is_old and not self.is_answered else Fate.WAITING


@dataclass(frozen=True)
class Wait:
    """The median from being told to the first answer, of alerts that were told of and answered: hours by the clock, and
    in the working time of whoever answered. An answer that came before is at once.
    """

    hours: float
    working_hours: float


Waits = Mapping[AlertKind | None, Wait]
"""By rule, and of all of them by None; what has no answer is left out."""


@dataclass(frozen=True)
class Share:
    """`hits` of `n`, with the two ends of its 95 % interval (each 0...1)."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """0...1; 0 of nothing."""
        return self.hits / self.n if self.n else 0.0


def measure_share(hits: int, n: int) -> Share:
    """The share with its interval, which is 0...1 of nothing.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    Raises `ValueError` unless 0 <= hits <= n.
    """
    if not 0 <= hits <= n:
        raise ValueError("hits must be between 0 and n")
    if n == 0:
        return Share(0, 0, 0.0, 1.0)
    z2 = _NORMAL_QUANTILE**2
    middle = (hits + z2 / 2) / (n + z2)
    half = _NORMAL_QUANTILE * sqrt(hits * (n - hits) / n + z2 / 4) / (n + z2)
    return Share(hits, n, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True)
class Line:
    """One rule in the period, or all together (`kind` None).

    Args:
        fired, acted, ignored, waiting, moot: how many alerts; with those dismissed they add up to `fired`.
        dismissed: how many by reason.
        closed_by_people: how many a person resolved or dismissed.
        told, answered: how many were told of at once, and how many of these somebody answered.
        hours, working_hours: the median from being told to the first answer, of those answered; by the clock, and in
            the working time of whoever answered. None without an answer.
    """

    kind: AlertKind | None
    fired: int = 0
    acted: int = 0
    ignored: int = 0
    waiting: int = 0
    moot: int = 0
    dismissed: Mapping[DismissReason, int] = field(default_factory=dict)
    closed_by_people: int = 0
    told: int = 0
    answered: int = 0
    hours: float | None = None
    working_hours: float | None = None

    @property
    def dismissals(self) -> int:
        """Dismissed for whatever reason."""
        return sum(self.dismissed.values())

    @property
    def precision(self) -> Share:
        """The share of those acted on, of all that can be judged."""
        misses = self.ignored + self.dismissals - self.dismissed.get(DismissReason.KNOWN, 0)
        return measure_share(self.acted, self.acted + misses)

    @property
    def is_enough(self) -> bool:
        """Whether there are enough alerts to tell a precision."""
        return self.precision.n >= LEAST_JUDGED

    @property
    def sensitivity(self) -> Share:
        """Of the alerts that people closed, the share they found too sensitive."""
        return measure_share(self.dismissed.get(DismissReason.TOO_SENSITIVE, 0), self.closed_by_people)

    @property
    def is_too_sensitive(self) -> bool:
        """Whether a change of the rule should be proposed."""
        found = self.sensitivity
        return found.n >= LEAST_CLOSED and found.value >= LEAST_SHARE and found.low > LEAST_SURE


def draw_up(found: Iterable[Alike], waits: Waits) -> list[Line]:
    """A line for each rule that fired, the most frequent first."""
    by_kind: dict[AlertKind, list[Alike]] = {}
    for each in found:
        by_kind.setdefault(each.kind, []).append(each)
    lines = [_sum(kind, held, waits) for kind, held in by_kind.items()]
    return sorted(lines, key=lambda line: (-line.fired, str(line.kind)))


def sum_up(found: Iterable[Alike], waits: Waits) -> Line:
    """All rules together."""
    return _sum(None, list(found), waits)


def _sum(kind: AlertKind | None, found: Sequence[Alike], waits: Waits) -> Line:
    fates: Counter[Fate] = Counter()
    reasons: Counter[DismissReason] = Counter()
    for each in found:
        fates[each.fate] += each.count
        if each.fate is Fate.DISMISSED:
            reasons[DismissReason(each.close_reason)] += each.count
    wait = waits.get(kind)
    return Line(
        kind,
        fired=fates.total(),
        acted=fates[Fate.ACTED],
        ignored=fates[Fate.IGNORED],
        waiting=fates[Fate.WAITING],
        moot=fates[Fate.MOOT],
        dismissed=dict(reasons),
        closed_by_people=sum(each.count for each in found if each.is_closed_by_person),
        told=sum(each.count for each in found if each.is_told),
        answered=sum(each.count for each in found if each.is_told and each.is_answered),
        hours=wait.hours if wait else None,
        working_hours=wait.working_hours if wait else None,
    )


# ---------------------------------------------------------------- proposals


@dataclass(frozen=True)
class Proposal:
    """The latest proposal about a rule; `decided_at` is None while it waits for an answer."""

    made_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Propose:
    """Ask the lead about a rule: of `closed` alerts that people closed, `too_sensitive` were found so."""

    kind: AlertKind
    closed: int
    too_sensitive: int
    low: float


def decide_proposals(lines: Iterable[Line], known: Mapping[AlertKind, Proposal], now: datetime) -> tuple[Propose, ...]:
    """What to ask, of the lines of the last 90 days: each rule once until it is decided, then not again for as long."""
    return tuple(
        Propose(line.kind, line.sensitivity.n, line.sensitivity.hits, line.sensitivity.low)
        for line in lines
        if line.kind is not None and line.is_too_sensitive and _may_ask(known.get(line.kind), now)
    )


def _may_ask(before: Proposal | None, now: datetime) -> bool:
    return before is None or (before.decided_at is not None and now - before.decided_at >= REST)
