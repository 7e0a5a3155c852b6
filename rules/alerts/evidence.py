"""What a rule looks at and what it sees: the shapes between evidence and conditions. Owns no rule
(`rules.alerts.signals` lists them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from rules.alerts.conditions import OBSERVATIONS, Verdict
from rules.health.health import DayScore
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Severity
from rules.renewals.renewals import RenewalFacts
from rules.success.journeys import JourneyFacts
from rules.success.targets import TargetFacts


@dataclass(frozen=True)
class Evidence:
    """All that is known about one account on `day`.

    Args:
        day: the day of the scan; its score is made of data up to the day before.
        scores: the account's scores by day, of `day` and of the days it may be compared with.
        usage: the account's use, up to the feed's last day.
        feed: the workspace's usage feed, which may have stopped.
        country: ISO 3166 code whose public holidays are no working days; "" for none.
        targets: the account's targets in force, with their values up to `day`.
        journey: the account's journey under way, with all its milestones.
        renewals: the account's renewals that are not decided.
    """

    day: date
    scores: Mapping[date, DayScore] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    feed: Feed = field(default_factory=lambda: Feed(None))
    country: str = ""
    targets: tuple[TargetSeen, ...] = ()
    journey: JourneyFacts | None = None
    renewals: tuple[RenewalFacts, ...] = ()


@dataclass(frozen=True)
class TargetSeen:
    """A target of the account, with the name and unit of its metric for the words of an alert."""

    id: str
    metric: str
    unit: str
    facts: TargetFacts


@dataclass(frozen=True)
class Observation:
    """What one rule sees on one day. `level` is how bad it is, in the rule's own unit (more is worse); `facts` is
    JSON-able and enough to do the sum again by hand.
    """

    kind: AlertKind
    verdict: Verdict
    severity: Severity = Severity.NOTICE
    level: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One rule: how it looks at an account and what its machine needs.

    Args:
        kind: the kind of its alerts; one rule per kind.
        version: changes whenever the rule would judge the same facts otherwise.
        observe: the look itself.
        needed: distinct daily observations to begin and to end; 1 where the rule counts days itself.
        worse_by: an alert grew worse when its `level` rose by so much (or its severity rose).
        muted_by: kinds whose condition, while on, already tells of this one.
    """

    kind: AlertKind
    version: str
    observe: Callable[[Evidence], Observation]
    needed: int = OBSERVATIONS
    worse_by: float = 10.0
    muted_by: frozenset[AlertKind] = frozenset()
