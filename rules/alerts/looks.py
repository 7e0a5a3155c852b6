"""One day's look at one account: from evidence through observations and conditions to what happens to its alerts. Owns
the order of these steps; refuses to own any of them (`signals`, `conditions` and `alerts` beside it do).

What should be is worked out afresh at every look and compared with what is, so a look that was missed or cut short is
made good by the next one, and a second look on the same day changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rules.alerts.alerts import Cleared, Episode, Fired, Intent, decide
from rules.alerts.announcements import choose_batch
from rules.alerts.conditions import Condition, Verdict, observe
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.alerts.signals import RULES, has_just_dropped, list_muted
from rules.records import AlertKind

Conditions = Mapping[AlertKind, Condition]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Look:
    """What was seen of an account on `day`; of rules that never saw it, also what they see of the day before. `country`
    is the account's own, "" where unknown.
    """

    account_id: str
    owner_id: str | None
    country: str
    day: date
    seen: tuple[Observation, ...]
    seen_before: Mapping[AlertKind, Observation]


def look_at(
    account_id: str, owner_id: str | None, country: str, evidence: Evidence, known: Collection[AlertKind]
) -> Look:
    """Ask every rule; `known` are those that have looked at the account before."""
    earlier = replace(evidence, day=evidence.day - _DAY)
    return Look(
        account_id,
        owner_id,
        country,
        evidence.day,
        tuple(rule.observe(evidence) for rule in RULES),
        {rule.kind: rule.observe(earlier) for rule in RULES if rule.kind not in known},
    )


def advance(look: Look, conditions: Conditions) -> dict[AlertKind, Condition]:
    """The account's conditions after the look. Where a rule never saw the account before, the day before counts as
    its first look, so that what is long so need not wait for tomorrow.
    """
    found = dict(conditions)
    for rule, seen in zip(RULES, look.seen, strict=True):
        known = found.get(rule.kind) or _look_back(rule, look)
        after = observe(known, seen.verdict, look.day, needed=rule.needed)
        if after is not None and seen.verdict is not Verdict.NO_DATA:
            found[rule.kind] = after
    return found


def _look_back(rule: Rule, look: Look) -> Condition | None:
    """The condition as the day before would have left it; one day alone begins nothing."""
    before = look.seen_before.get(rule.kind)
    if before is None:
        return None
    return observe(None, before.verdict, look.day - _DAY, needed=rule.needed + 1)


def has_dropped(look: Look, conditions: Conditions) -> bool:
    """Whether the account counts as dropped when a season is looked for."""
    return has_just_dropped(advance(look, conditions).get(AlertKind.HEALTH_DROP), look.day)


def decide_look(
    look: Look,
    conditions: Conditions,
    episodes: Mapping[AlertKind, Episode],
    seasons: Collection[str],
    now: datetime,
) -> list[Intent]:
    """What happens to the account's alerts.

    `conditions` are those after the look, `episodes` the latest of each kind, `seasons` the countries
    whose accounts dropped together.
    """
    muted = list_muted(conditions, look.seen)
    found: list[Intent] = []
    for rule, seen in zip(RULES, look.seen, strict=True):
        condition, episode = conditions.get(rule.kind), episodes.get(rule.kind)
        if condition is None:
            continue
        if not condition.is_on:
            found += decide(episode, Cleared(), now)
        elif seen.verdict is Verdict.BAD and (rule.kind not in muted or (episode and episode.is_open)):
            found += decide(episode, _fired(rule, look, seen, condition, seasons), now)
    return found


def _fired(rule: Rule, look: Look, seen: Observation, condition: Condition, seasons: Collection[str]) -> Fired:
    is_first_look = condition.is_first_look(look.day)
    return Fired(
        look.account_id,
        rule.kind,
        seen.severity,
        seen.level,
        rule.worse_by,
        rule.version,
        seen.facts,
        owner_id=look.owner_id,
        batch=choose_batch(rule.kind, look.country, seasons, is_first_look=is_first_look),
        is_quiet=condition.is_flapping,
    )
