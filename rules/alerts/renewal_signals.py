"""What the rules about contracts see: notice received, and ended without a word. Owns these rules; refuses to know what
follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.records import AlertKind, Severity
from rules.renewals.renewals import RenewalFacts

PROVISIONAL_DAYS = 30
"""So long after the end a contract counts as expired and open; then as churned, until somebody says otherwise."""


def observe_notices(evidence: Evidence) -> Sequence[Observation]:
    """Whether a customer gave notice that nobody has answered with an outcome. Level: 1."""
    return [_observe_notice(evidence.day, each) for each in evidence.renewals]


def observe_expired(evidence: Evidence) -> Sequence[Observation]:
    """Whether a contract ended and nobody said how. Level: days since the end."""
    return [_observe_end(evidence.day, each) for each in evidence.renewals]


def make_object(contract_id: str) -> str:
    """The contract's id as subjects begin with it: it is another system's, and a colon ends it."""
    return contract_id.replace(":", ".")


def _observe_notice(day: date, renewal: RenewalFacts) -> Observation:
    kind, notice = AlertKind.NOTICE_RECEIVED, renewal.notice_received_on
    if notice is None or notice > day:
        return Observation(kind, Verdict.GOOD, subject=_subject(renewal, renewal.ends_on))
    facts = _facts(renewal) | {"notice_on": notice.isoformat()}
    return Observation(kind, Verdict.BAD, Severity.CRITICAL, 1.0, facts, _subject(renewal, notice))


def _observe_end(day: date, renewal: RenewalFacts) -> Observation:
    kind, days, subject = AlertKind.CONTRACT_EXPIRED, (day - renewal.ends_on).days, _subject(renewal, renewal.ends_on)
    if days <= 0:
        return Observation(kind, Verdict.GOOD, subject=subject)
    facts = _facts(renewal) | {"days": days, "is_provisional": days <= PROVISIONAL_DAYS}
    return Observation(kind, Verdict.BAD, Severity.HIGH, float(days), facts, subject)


def _facts(renewal: RenewalFacts) -> dict[str, object]:
    return {"contract": renewal.contract_id, "ends_on": renewal.ends_on.isoformat()}


def _subject(renewal: RenewalFacts, day: date) -> str:
    """The contract, whose id is another system's, and the day: one that moves is another subject."""
    return f"{make_object(renewal.contract_id)}:{day.isoformat()}"


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.NOTICE_RECEIVED, "notice-1", observe_notices, needed=1, worse_by=float("inf")),
    Rule(AlertKind.CONTRACT_EXPIRED, "expired-1", observe_expired, needed=1, worse_by=float("inf")),
)
