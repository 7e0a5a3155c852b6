"""Every rule that looks at an account, and the guard over many accounts at once. Owns the list of rules and seasons;
refuses to own a rule (the `*_signals` beside it do) and to know what follows (`rules.alerts.looks`).

To add a rule: write a function from `Evidence` to `Observation`s and add one entry to the `RULES` of its subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from rules.alerts import data_signals, health_signals, journey_signals, renewal_signals, target_signals
from rules.alerts.conditions import Condition
from rules.alerts.evidence import Rule
from rules.records import AlertKind, ConditionState

SEASON_ACCOUNTS = 8
SEASON_SHARE = 0.25
"""Drops of more than this share of a country's accounts, where it has at least so many, are a season."""
SEASON_DAYS = 7
"""Drops that began within so many days happened together."""


def _list_kinds(rules: Iterable[Rule]) -> frozenset[AlertKind]:
    return frozenset(rule.kind for rule in rules)


RULES: tuple[Rule, ...] = (
    *health_signals.RULES,
    *data_signals.RULES,
    *renewal_signals.RULES,
    *target_signals.RULES,
    *journey_signals.RULES,
)
RULE_OF = {rule.kind: rule for rule in RULES}

HEALTH, RENEWALS, TARGETS, MILESTONES = "health", "renewals", "targets", "milestones"
GROUPS: Mapping[str, frozenset[AlertKind]] = {
    HEALTH: _list_kinds((*health_signals.RULES, *data_signals.RULES)),
    RENEWALS: _list_kinds(renewal_signals.RULES),
    TARGETS: _list_kinds(target_signals.RULES),
    MILESTONES: _list_kinds(journey_signals.RULES),
}
"""The kinds by subject, as people ask for them."""


def has_just_dropped(condition: Condition | None, day: date) -> bool:
    """Whether a drop that still lasts began within the days that count as together."""
    return bool(
        condition and condition.is_on and condition.openings and (day - condition.openings[-1]).days < SEASON_DAYS
    )


def may_have_dropped(state: ConditionState | None, opened_on: date | None, day: date) -> bool:
    """Whether `has_just_dropped` may hold after a look on `day` at a drop that stood in `state` (None: never looked at)
    and last began on `opened_on`. What was all right needs two days to begin, so its scores need not be read.
    """
    if state is None or state is ConditionState.PENDING:
        return True
    is_on = state in (ConditionState.FIRING, ConditionState.CLEARING)
    return is_on and opened_on is not None and (day - opened_on).days < SEASON_DAYS


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
