"""What is wrong with an account today: one observation per rule, from its scores and its use. Owns the list of
rules and what each sees; refuses to know what follows (`rules.alerts.conditions`, `rules.alerts.alerts`).

To add a rule: write a function from `Evidence` to `Observation` and add one entry to `RULES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date

from rules.alerts.conditions import Condition, Verdict
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.health.drops import MARGIN, Comparison, Criterion, find_drop, list_comparisons, list_days_to_compare
from rules.health.health import YELLOW_FROM, DayScore, show_score
from rules.health.usage import count_silent_days, is_silent
from rules.records import AlertKind, Band, Severity

HEARD_DAYS = 5
"""An account is heard again when its last use is at most so many working days before the feed's last day."""
SEASON_ACCOUNTS = 8
SEASON_SHARE = 0.25
"""Drops of more than this share of a country's accounts, where it has at least so many, are a season."""
SEASON_DAYS = 7
"""Drops that began within so many days happened together."""


def list_days(day: date) -> list[date]:
    """The days whose scores `Evidence.scores` should hold, latest first."""
    return [day, *list_days_to_compare(day)]


def observe_drop(evidence: Evidence) -> Observation:
    """Whether the score fell (see `rules.health.drops`). Level: points lost."""
    kind = AlertKind.HEALTH_DROP
    compared = list_comparisons(evidence.day, evidence.scores)
    if not compared:
        return Observation(kind, Verdict.NO_DATA)
    found = find_drop(compared)
    if found is None:
        is_over = find_drop(compared, margin=MARGIN) is None
        return Observation(kind, Verdict.GOOD if is_over else Verdict.BETWEEN)
    criterion, worst = found
    severity = _rate_drop(criterion, worst)
    return Observation(kind, Verdict.BAD, severity, worst.lost, _drop_facts(evidence, criterion, worst))


def observe_red(evidence: Evidence) -> Observation:
    """Whether the score is red: under 50 and the band red, which it leaves only with a margin. Level: points below."""
    kind = AlertKind.HEALTH_RED
    today = evidence.scores.get(evidence.day)
    if today is None or today.score is None:
        return Observation(kind, Verdict.NO_DATA)
    if today.band is not Band.RED:
        return Observation(kind, Verdict.GOOD)
    if show_score(today.score) >= YELLOW_FROM:
        return Observation(kind, Verdict.BETWEEN)
    facts = _day_facts(evidence, today) | {"factors": _list_factors(today)}
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
    if not is_silent(usage, feed, evidence.country, evidence.day):
        return Observation(kind, Verdict.GOOD if silent <= HEARD_DAYS else Verdict.BETWEEN)
    facts = _use_facts(evidence) | {"working_days": silent, "country": evidence.country}
    return Observation(kind, Verdict.BAD, Severity.HIGH, float(silent), facts)


RULES: tuple[Rule, ...] = (
    Rule(AlertKind.HEALTH_DROP, "drop-1", observe_drop),
    Rule(AlertKind.SILENCE, "silence-1", observe_silence, needed=1, worse_by=float("inf")),
    Rule(AlertKind.HEALTH_RED, "red-1", observe_red, muted_by=frozenset({AlertKind.HEALTH_DROP})),
)
"""Every rule, those that mute others first."""


def list_muted(conditions: Mapping[AlertKind, Condition], observations: Iterable[Observation]) -> frozenset[AlertKind]:
    """The kinds that need no alert of their own now: a condition that is on already tells of them, or a
    critical one outweighs them.
    """
    severities = {each.kind: each.severity for each in observations if each.verdict is Verdict.BAD}
    on = {kind for kind, condition in conditions.items() if condition.is_on}
    has_critical = any(severities.get(kind) is Severity.CRITICAL for kind in on)
    return frozenset(
        rule.kind
        for rule in RULES
        if rule.muted_by & on or (has_critical and severities.get(rule.kind) is not Severity.CRITICAL)
    )


def has_just_dropped(condition: Condition | None, day: date) -> bool:
    """Whether a drop that still lasts began within the days that count as together."""
    return bool(
        condition and condition.is_on and condition.openings and (day - condition.openings[-1]).days < SEASON_DAYS
    )


def find_seasons(drops: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """Countries whose accounts dropped together, with (dropped, all) accounts.

    `drops` has (country, has just dropped) per account; accounts without a country are in no season.
    """
    counts: dict[str, tuple[int, int]] = {}
    for country, has_dropped in drops:
        dropped, total = counts.get(country, (0, 0))
        counts[country] = (dropped + has_dropped, total + 1)
    return {
        country: (dropped, total)
        for country, (dropped, total) in counts.items()
        if country and total >= SEASON_ACCOUNTS and dropped > SEASON_SHARE * total
    }


def _rate_drop(criterion: Criterion, worst: Comparison) -> Severity:
    if criterion is Criterion.INTO_RED or worst.later.band is Band.RED:
        return Severity.CRITICAL
    return Severity.NOTICE if criterion is Criterion.SLOW else Severity.HIGH


def _drop_facts(evidence: Evidence, criterion: Criterion, worst: Comparison) -> dict[str, object]:
    return _day_facts(evidence, worst.later) | {
        "criterion": criterion.value,
        "from_day": worst.earlier.day.isoformat(),
        "days": worst.days,
        "before": round(worst.before, 4),
        "after": round(worst.after, 4),
        "score_before": worst.earlier.score,
        "band_before": worst.earlier.band.value,
        "capped_before": worst.earlier.capped_by,
        "shares": [asdict(share) for share in worst.list_shares()],
    }


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
