"""What the rules about health and silence see of an account. Owns these rules; refuses to know what follows
(`rules.alerts.conditions`, `rules.alerts.alerts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.health.drops import (
    BAND_POINTS,
    FAST_POINTS,
    MARGIN,
    RED_POINTS,
    SLOW_POINTS,
    Comparison,
    Criterion,
    find_drop,
    list_comparisons,
    list_days_to_compare,
)
from rules.health.health import YELLOW_FROM, DayScore, show_score
from rules.health.usage import (
    SILENT_WORKING_DAYS,
    Feed,
    Usage,
    count_lived_days,
    count_silent_days,
    is_silent,
)
from rules.records import AlertKind, Band, Severity

HEARD_DAYS = 5
"""An account is heard again when its last use is at most so many working days before the feed's last day."""


def list_days(day: date) -> list[date]:
    """The days whose scores `Evidence.scores` should hold, latest first."""
    return [day, *list_days_to_compare(day)]


def observe_drop(evidence: Evidence) -> Observation:
    """Whether the score fell (see `rules.health.drops`). Level: points lost."""
    kind = AlertKind.HEALTH_DROP
    compared = list_comparisons(evidence.day, evidence.scores)
    if not compared:
        return Observation(kind, Verdict.NO_DATA)
    raised = evidence.get_raised(kind)
    found = find_drop(compared, margin=-raised)
    if found is None:
        is_over = find_drop(compared, margin=MARGIN - raised) is None
        return Observation(kind, Verdict.GOOD if is_over else Verdict.BETWEEN)
    criterion, worst = found
    severity = _rate_drop(criterion, worst)
    facts = _drop_facts(evidence, criterion, worst)
    return Observation(kind, Verdict.BAD, severity, worst.lost, facts, yields_to=_yields_to(criterion))


def observe_red(evidence: Evidence) -> Observation:
    """Whether the score is red: under 50 and the band red, which it leaves only with a margin. Level: points below."""
    kind = AlertKind.HEALTH_RED
    today = evidence.scores.get(evidence.day)
    if today is None or today.score is None:
        return Observation(kind, Verdict.NO_DATA)
    limit, shown = YELLOW_FROM - evidence.get_raised(kind), show_score(today.score)
    if today.band is not Band.RED or (limit < YELLOW_FROM and shown >= limit + MARGIN):
        return Observation(kind, Verdict.GOOD)
    if shown >= limit:
        return Observation(kind, Verdict.BETWEEN)
    facts = _day_facts(evidence, today) | {"factors": _list_factors(today), "limit": limit}
    return Observation(kind, Verdict.BAD, Severity.HIGH, YELLOW_FROM - today.score, facts)


def observe_silence(evidence: Evidence) -> Observation:
    """Whether the product fell silent (see `rules.health.usage.is_silent`): counted to the feed's last day, so that a
    feed that stopped is no silence. Level: working days without use.
    """
    kind = AlertKind.SILENCE
    usage, feed = evidence.usage, evidence.feed
    if usage.last_use is None or feed.is_old(evidence.day):
        return Observation(kind, Verdict.NO_DATA)
    silent = count_silent_days(usage, feed, evidence.country)
    limit = SILENT_WORKING_DAYS + evidence.get_raised(kind)
    if silent < limit or not is_silent(usage, feed, evidence.country, evidence.day):
        return Observation(kind, Verdict.GOOD if silent <= HEARD_DAYS else Verdict.BETWEEN)
    facts = _use_facts(evidence) | {"working_days": silent, "country": evidence.country, "limit": limit}
    facts |= _gap_facts(usage, feed)
    return Observation(kind, Verdict.BAD, Severity.HIGH, float(silent), facts)


def _gap_facts(usage: Usage, feed: Feed) -> dict[str, object]:
    """What the usual gap between two days of use is made of, so that it can be divided again."""
    lived = count_lived_days(usage, feed)
    out = sum(usage.last_use is not None and usage.last_use < day for day in feed.outage)
    return {"lived_days": lived, "active_days": usage.active_days, "outage_days": out}


def _rate_drop(criterion: Criterion, worst: Comparison) -> Severity:
    if criterion is Criterion.INTO_RED or worst.later.band is Band.RED:
        return Severity.CRITICAL
    return Severity.NOTICE if criterion is Criterion.SLOW else Severity.HIGH


def _yields_to(criterion: Criterion) -> frozenset[AlertKind]:
    """Of an account known to be red, a slow drop is no news."""
    return frozenset({AlertKind.HEALTH_RED}) if criterion is Criterion.SLOW else frozenset()


def _alone(observe: Callable[[Evidence], Observation]) -> Callable[[Evidence], Sequence[Observation]]:
    """A rule about the account itself."""
    return lambda evidence: (observe(evidence),)


def _drop_facts(evidence: Evidence, criterion: Criterion, worst: Comparison) -> dict[str, object]:
    return _day_facts(evidence, worst.later) | {
        "criterion": criterion.value,
        "limit": _find_limit(criterion, evidence.get_raised(AlertKind.HEALTH_DROP)),
        "from_day": worst.earlier.day.isoformat(),
        "days": worst.days,
        "before": round(worst.before, 4),
        "after": round(worst.after, 4),
        "score_before": worst.earlier.score,
        "band_before": worst.earlier.band.value,
        "capped_before": worst.earlier.capped_by,
        "shares": [asdict(share) for share in worst.list_shares()],
    }


def _find_limit(criterion: Criterion, raised: float) -> float:
    """The points that had to be lost; into red no more than one, whatever people raised."""
    points = {Criterion.BAND_LOST: BAND_POINTS, Criterion.FAST: FAST_POINTS, Criterion.SLOW: SLOW_POINTS}
    return points[criterion] + raised if criterion in points else RED_POINTS


def _day_facts(evidence: Evidence, today: DayScore) -> dict[str, object]:
    """What every alert about a score tells of its day."""
    return {
        "day": today.day.isoformat(),
        "score": today.score,
        "band": today.band.value,
        "coverage": today.coverage,
        "capped_by": today.capped_by,
    } | _use_facts(evidence)


def _use_facts(evidence: Evidence) -> dict[str, object]:
    fed, used = evidence.feed.last_day, evidence.usage.last_use
    return {"data_day": fed.isoformat() if fed else None, "last_use": used.isoformat() if used else None}


def _list_factors(today: DayScore) -> list[dict[str, object]]:
    """The factors known, lowest first."""
    known = sorted((x, weight, name) for name, (x, weight) in today.factors.items())
    return [{"factor": name, "x": x, "weight": weight} for x, weight, name in known]


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.HEALTH_DROP, "drop-1", _alone(observe_drop), step=5.0),
    Rule(AlertKind.SILENCE, "silence-1", _alone(observe_silence), needed=1, worse_by=float("inf"), step=5.0),
    Rule(AlertKind.HEALTH_RED, "red-1", _alone(observe_red), muted_by=frozenset({AlertKind.HEALTH_DROP}), step=5.0),
)
