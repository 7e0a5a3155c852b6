"""How alerts are announced: each alone, or many in one summary. Owns the two rules against a flood of messages; refuses
to know who reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from rules.records import AlertKind, Severity

MOST_POSTS = 5
"""More alerts of one run for a channel become one summary."""
FIRST_LOOK = "first"
"""Batch of what was so already when an account was first looked at."""
_SEASON = "season:"
_RANK = list(Severity)


def season_batch(country: str) -> str:
    """The batch of a country's season."""
    return _SEASON + country


def find_season(batch: str) -> str:
    """The country of a season's batch, "" for any other batch."""
    return batch.removeprefix(_SEASON) if batch.startswith(_SEASON) else ""


def choose_batch(kind: AlertKind, country: str, seasons: Iterable[str], *, is_first_look: bool) -> str:
    """The batch of a new alert: that of the first look, else of a season it is part of, else none."""
    if is_first_look:
        return FIRST_LOOK
    is_season = kind is AlertKind.HEALTH_DROP and country in seasons
    return season_batch(country) if is_season else ""


@dataclass(frozen=True)
class Waiting:
    """An alert to be announced in `channel`."""

    episode_id: str
    channel: str
    severity: Severity
    level: float
    batch: str = ""


@dataclass(frozen=True)
class Announcement:
    """Alerts to be announced together: in one summary, or each in a message of its own."""

    channel: str
    episode_ids: tuple[str, ...]
    is_summary: bool


def decide_announcements(waiting: Iterable[Waiting]) -> list[Announcement]:
    """Who is told what: one summary per channel and batch (but a first look that found one thing is told as it is);
    without a batch up to `MOST_POSTS` messages, the most urgent first, or one summary.
    """
    ordered = sorted(waiting, key=lambda each: (each.channel, each.batch, *_urgency(each)))
    found = []
    for (channel, batch), group in groupby(ordered, key=lambda each: (each.channel, each.batch)):
        ids = tuple(each.episode_id for each in group)
        is_many = len(ids) > MOST_POSTS or (bool(batch) and (len(ids) > 1 or bool(find_season(batch))))
        found.append(Announcement(channel, ids, is_many))
    return found


def _urgency(each: Waiting) -> tuple[int, float, str]:
    return -_RANK.index(each.severity), -each.level, each.episode_id
