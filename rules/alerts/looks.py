"""One day's look at one account: from evidence through observations and conditions to what happens to its alerts. Owns
the order of these steps; refuses to own any of them (`signals`, `conditions`, `muting` and `alerts` beside it do).

What should be is worked out afresh at every look and compared with what is, so a look that was missed or cut short is
made good by the next one, and a second look on the same day changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from rules.alerts.alerts import GONE, Cleared, Fired, Intent, decide
from rules.alerts.announcements import choose_batch
from rules.alerts.conditions import Condition, Topic, Verdict, observe
from rules.alerts.episodes import Episode
from rules.alerts.evidence import Evidence, Observation, Rule
from rules.alerts.muting import list_muted
from rules.alerts.signals import RULE_OF, RULES, has_just_dropped
from rules.alerts.tuning import AS_MADE, Tuning
from rules.records import AlertKind, ConditionState, QuietReason

Conditions = Mapping[Topic, Condition]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Look:
    """What was seen of an account on `day`; by rules that never looked at it, also what they see of the day before.
    `country` is the account's own, "" where unknown.
    """

    account_id: str
    country: str
    day: date
    seen: tuple[Observation, ...]
    seen_before: Mapping[Topic, Observation]
    tunings: Mapping[AlertKind, Tuning] = field(default_factory=dict)


def look_at(account_id: str, country: str, evidence: Evidence, known: Collection[Topic]) -> Look:
    """Ask every rule; `known` are the topics of its conditions."""
    seen = tuple(each.under(evidence.get_tuning(rule.kind)) for rule in RULES for each in rule.observe(evidence))
    new = {each.kind for each in seen} - {kind for kind, _subject in known}
    earlier = replace(evidence, day=evidence.day - _DAY)
    before = (each for rule in RULES if rule.kind in new for each in rule.observe(earlier))
    known_before = {each.topic: each for each in before}
    return Look(account_id, country, evidence.day, seen, known_before, evidence.tunings)


def advance(look: Look, conditions: Conditions) -> dict[Topic, Condition]:
    """The account's conditions after the look: those of what was seen, and no others.

    Where a kind never looked at the account before, the day before counts as its first look, so that what is long so
    need not wait for tomorrow. What a kind finds later, on a new object or a date that moved, is no first look.
    """
    kinds = {kind for kind, _subject in conditions}
    found: dict[Topic, Condition] = {}
    for seen in look.seen:
        known = conditions.get(seen.topic) or (None if seen.kind in kinds else _look_back(look, seen.topic))
        needed = RULE_OF[seen.kind].needed
        after = observe(known, seen.verdict, look.day, needed=needed, level=round(seen.level, 2))
        if after is not None:
            is_later = known is None and seen.kind in kinds
            found[seen.topic] = replace(after, is_initial=False) if is_later else after
    return found


def list_to_keep(moved: Conditions, known: Conditions, day: date) -> dict[Topic, Condition]:
    """Of the conditions after a look those worth a row; `known` are those before it.

    An object that is all right, and was so lately, needs none, so that thousands of them cost nothing: one row of the
    kind, without a subject, says that its objects were looked at.
    """
    kept = {topic: each for topic, each in moved.items() if not topic[1] or not each.is_forgettable(day)}
    for kind in {kind for kind, _subject in (*moved, *known)}:
        looked_at = known.get((kind, "")) or Condition(ConditionState.OK, 0, day, day)
        kept.setdefault((kind, ""), looked_at)
    return kept


def _look_back(look: Look, topic: Topic) -> Condition | None:
    """The condition as the day before would have left it; one day alone begins nothing."""
    before = look.seen_before.get(topic)
    if before is None:
        return None
    needed, level = RULE_OF[topic[0]].needed + 1, round(before.level, 2)
    return observe(None, before.verdict, look.day - _DAY, needed=needed, level=level)


def has_dropped(look: Look, conditions: Conditions) -> bool:
    """Whether the account counts as dropped when a season is looked for."""
    drop = replace(look, seen=tuple(each for each in look.seen if each.kind is AlertKind.HEALTH_DROP))
    return has_just_dropped(advance(drop, conditions).get((AlertKind.HEALTH_DROP, "")), look.day)


def decide_look(
    look: Look,
    conditions: Conditions,
    episodes: Mapping[Topic, Episode],
    seasons: Collection[str],
    now: datetime,
) -> list[Intent]:
    """What happens to the account's alerts.

    `conditions` are those after the look, `episodes` the latest of each topic, `seasons` the countries whose accounts
    dropped together. Alerts about what is no longer seen end first: a moved date ends the alert of the old one.
    """
    muted = list_muted(RULE_OF, conditions, look.seen, episodes)
    gone = sorted(set(episodes) - {each.topic for each in look.seen})
    found = [intent for topic in gone for intent in decide(episodes[topic], Cleared(GONE), now)]
    for seen in look.seen:
        condition, episode = conditions.get(seen.topic), episodes.get(seen.topic)
        if condition is None:
            continue
        if not condition.is_on:
            found += decide(episode, Cleared(), now)
        elif seen.verdict is Verdict.BAD and (seen.topic not in muted or (episode and episode.is_open)):
            found += decide(episode, _fired(look, seen, condition, seasons), now)
    return found


def _fired(look: Look, seen: Observation, condition: Condition, seasons: Collection[str]) -> Fired:
    rule, is_first_look = RULE_OF[seen.kind], condition.is_first_look(look.day)
    quiet_reason = _find_quiet_reason(condition, rule, seen)
    return Fired(
        look.account_id,
        seen.kind,
        seen.severity,
        seen.level,
        rule.worse_by,
        look.tunings.get(seen.kind, AS_MADE).name_version(rule.version),
        _tell(look, seen, condition, rule),
        subject=seen.subject,
        batch=choose_batch(seen.kind, look.country, seasons, is_first_look=is_first_look),
        is_quiet=bool(quiet_reason),
        quiet_reason=quiet_reason,
    )


def _find_quiet_reason(condition: Condition, rule: Rule, seen: Observation) -> str:
    if condition.is_flapping:
        return QuietReason.FLAPPING
    return QuietReason.DIGEST_KIND if rule.is_digest_only or seen.is_digest_only else ""


def _tell(look: Look, seen: Observation, condition: Condition, rule: Rule) -> dict[str, object]:
    """What the alert keeps of the look: the facts, on which day they were seen, and which days made it begin."""
    sightings = [[day.isoformat(), level] for day, level in condition.sightings]
    return {**seen.facts, "seen_on": look.day.isoformat(), "needed": rule.needed, "sightings": sightings}
