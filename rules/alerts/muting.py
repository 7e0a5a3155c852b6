"""Which alerts need not be raised because another one of the account tells of it already. Owns inhibition; refuses to
close anything: an alert that is open goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.alerts.conditions import Condition, Topic, Verdict
from rules.alerts.episodes import Episode
from rules.alerts.evidence import Observation, Rule, find_object
from rules.records import AlertKind, Severity


@dataclass(frozen=True)
class _Known:
    """A condition that is on. `is_told`: an alert of it is open, or a person closed one while it lasted."""

    topic: Topic
    severity: Severity | None
    yields_to: frozenset[AlertKind]
    is_told: bool


def list_muted(
    rules: Mapping[AlertKind, Rule],
    conditions: Mapping[Topic, Condition],
    observations: Iterable[Observation],
    episodes: Mapping[Topic, Episode],
) -> frozenset[Topic]:
    """Of what was seen, what needs no alert of its own now.

    A condition that is on mutes those that its kind already tells of. A critical one mutes all lesser ones of the
    account that would interrupt somebody; what only stands in digests is left alone.
    """
    seen = {each.topic: each for each in observations if each.verdict is Verdict.BAD}
    on = [
        _know(topic, seen.get(topic), episodes.get(topic)) for topic, condition in conditions.items() if condition.is_on
    ]
    return frozenset(
        topic
        for topic, each in seen.items()
        if any(_mutes(other, each, rules[each.kind]) for other in on if other.topic != topic)
    )


def _know(topic: Topic, seen: Observation | None, episode: Episode | None) -> _Known:
    is_open = episode is not None and episode.is_open
    severity = seen.severity if seen else (episode.severity if episode and is_open else None)
    is_told = is_open or (episode is not None and episode.is_latched)
    return _Known(topic, severity, seen.yields_to if seen else frozenset(), is_told)


def _mutes(other: _Known, seen: Observation, rule: Rule) -> bool:
    kind, subject = other.topic
    if kind in seen.yields_to:
        return True
    if kind in rule.muted_by and _is_about_the_same(subject, seen.subject):
        return other.is_told or seen.kind not in other.yields_to
    is_loud = not (rule.is_digest_only or seen.is_digest_only)
    return is_loud and other.severity is Severity.CRITICAL and seen.severity is not Severity.CRITICAL


def _is_about_the_same(subject: str, other: str) -> bool:
    """The same object, or one of the two is about the account itself."""
    return not subject or not other or find_object(subject) == find_object(other)
