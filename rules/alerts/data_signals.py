"""What the rule about data sees: too little is known of an account to score it, though data comes. Owns this rule;
refuses to know what follows. Where the whole feed or the account's own source has stopped, it is the integration that
is silent: then this rule sees nothing, and the admin is told (`rules.health.feeds`). Nor does it where no usage ever
came: what else a score is made of has alerts of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.health.health import LEAST_COVERAGE, DayScore
from rules.health.usage import is_silent
from rules.records import AlertKind, Severity

MARGIN = 0.05
"""Coverage this much above the least ends it."""


def observe_thin(evidence: Evidence) -> Sequence[Observation]:
    """Whether too little is known of the account for a score. Of one of which nothing was ever known there is nothing
    to miss; one that fell silent is told of as silent. Level: percent of coverage lacking.
    """
    today = evidence.scores.get(evidence.day)
    return (Observation(AlertKind.DATA_THIN, Verdict.NO_DATA) if today is None else _judge(evidence, today),)


def _judge(evidence: Evidence, today: DayScore) -> Observation:
    kind = AlertKind.DATA_THIN
    if today.coverage >= LEAST_COVERAGE:
        is_over = today.coverage >= LEAST_COVERAGE + MARGIN
        return Observation(kind, Verdict.GOOD if is_over else Verdict.BETWEEN)
    if is_silent(evidence.usage, evidence.feed, evidence.country, evidence.day):
        return Observation(kind, Verdict.GOOD)
    known = [day for day, score in evidence.scores.items() if score.score is not None]
    if evidence.feed.is_old(evidence.day) or not (known or today.coverage):
        return Observation(kind, Verdict.NO_DATA)
    facts = {
        "day": today.day.isoformat(),
        "coverage": today.coverage,
        "limit": LEAST_COVERAGE,
        "known": sorted(today.factors),
        "known_until": max(known).isoformat() if known else None,
    }
    lacking = 100 * (LEAST_COVERAGE - today.coverage)
    return Observation(kind, Verdict.BAD, Severity.NOTICE, lacking, facts)


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.DATA_THIN, "data-2", observe_thin, worse_by=float("inf"), is_digest_only=True),
)
