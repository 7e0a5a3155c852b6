"""What a rule looks at and what it sees: the shapes between evidence and conditions. Owns no rule
(`rules.alerts.signals` lists them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from rules.alerts.conditions import OBSERVATIONS, Topic, Verdict
from rules.alerts.tuning import AS_MADE, Tuning
from rules.health.health import DayScore
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Severity, Tier
from rules.renewals.renewals import RenewalFacts
from rules.success.journeys import JourneyFacts
from rules.success.targets import Assessment, TargetFacts, assess


@dataclass(frozen=True)
class Evidence:
    """All that is known about one account on `day`.

    Args:
        day: the day of the scan; its score is made of data up to the day before.
        scores: the account's scores by day, of `day` and of the days it may be compared with.
        usage: the account's use, up to the feed's last day.
        feed: the workspace's usage feed, which may have stopped.
        tier: the account's service tier, None where nobody said.
        country: ISO 3166 code whose public holidays are no working days; "" for none.
        targets: the account's targets in force, with their values up to `day`.
        journey: the account's journey under way, with all its milestones.
        renewals: the account's renewals that are not decided.
        tunings: what people changed about the rules, by rule.
    """

    day: date
    scores: Mapping[date, DayScore] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    feed: Feed = field(default_factory=lambda: Feed(None))
    country: str = ""
    tier: Tier | None = None
    targets: tuple[TargetSeen, ...] = ()
    journey: JourneyFacts | None = None
    renewals: tuple[RenewalFacts, ...] = ()
    tunings: Mapping[AlertKind, Tuning] = field(default_factory=dict)

    @cached_property
    def standings(self) -> tuple[tuple[TargetSeen, Assessment], ...]:
        """Each target as it stands on `day`, judged once for all rules that ask."""
        return tuple((seen, assess(seen.facts, self.day)) for seen in self.targets)

    def get_tuning(self, kind: AlertKind) -> Tuning:
        """What people changed about the rule."""
        return self.tunings.get(kind, AS_MADE)

    def get_raised(self, kind: AlertKind) -> float:
        """What the rule's threshold is higher by than it was made, in its own unit."""
        return self.get_tuning(kind).raised


@dataclass(frozen=True)
class TargetSeen:
    """A target of the account, with the name and unit of its metric for the words of an alert."""

    id: str
    metric: str
    unit: str
    facts: TargetFacts
    metric_key: str = ""
    customer_owner: str = ""


@dataclass(frozen=True)
class Observation:
    """What one rule sees of one subject on one day.

    Args:
        kind, verdict, severity: the rule's, and what it says.
        level: how bad it is, in the rule's own unit (more is worse).
        facts: JSON-able; enough to do the sum again by hand, and all that the alert's words need.
        subject: the object it is about, "" for the account itself. It begins with the object's id; where a date matters
            the date follows behind a colon, so that a moved date is another subject and ends the earlier one's alert.
        is_digest_only: it interrupts nobody as it stands, though others of its rule may.
        yields_to: kinds whose condition, while on, already tells of this one, besides the rule's `muted_by`.
    """

    kind: AlertKind
    verdict: Verdict
    severity: Severity = Severity.NOTICE
    level: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""
    is_digest_only: bool = False
    yields_to: frozenset[AlertKind] = frozenset()

    @property
    def topic(self) -> Topic:
        """Kind and subject."""
        return self.kind, self.subject

    def under(self, tuning: Tuning) -> Observation:
        """As it counts with what people changed about its rule, which its facts then tell: for digests only where they
        wanted that, unless it is critical.
        """
        if not tuning.adjustments:
            return self
        is_quiet = tuning.is_quiet and self.severity is not Severity.CRITICAL
        facts = {**self.facts, "adjusted": [each.facts for each in tuning.adjustments]}
        return replace(self, facts=facts, is_digest_only=self.is_digest_only or is_quiet)


def find_object(subject: str) -> str:
    """The id of the object a subject is about, without the date behind it; "" for the account itself."""
    return subject.partition(":")[0]


@dataclass(frozen=True)
class Rule:
    """One rule: how it looks at an account and what its machine needs.

    Args:
        kind: the kind of its alerts; one rule per kind.
        version: changes whenever the rule would judge the same facts otherwise.
        observe: the look itself: one observation per object it can judge, the good ones included. A condition whose
            object is not among them is over: the object is gone, settled or has another date.
        needed: distinct daily observations to begin and to end; 1 where the rule counts days itself.
        worse_by: an alert grew worse when its `level` rose by so much (or its severity rose).
        muted_by: kinds whose condition, while on, already tells of this one: of the same object, or where either
            is about the account itself.
        is_digest_only: its alerts interrupt nobody: they stand in digests, lists and on the Home tab.
        step: what people may raise its threshold by at a time, in the unit of `level`; 0: it has no threshold to raise.
    """

    kind: AlertKind
    version: str
    observe: Callable[[Evidence], Sequence[Observation]]
    needed: int = OBSERVATIONS
    worse_by: float = 10.0
    muted_by: frozenset[AlertKind] = frozenset()
    is_digest_only: bool = False
    step: float = 0.0
