"""How alerts are announced together: what a summary and a message hold. Owns the batches, and gathering alerts into
messages; refuses to know who may be told when (`rules.alerts.noise`) and who reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from rules.records import AlertKind, Severity, Tier

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
    """An alert that nobody was told of.

    Args:
        channel: where it would be told.
        reader_id: the member who is to act on it now: who is responsible, their cover while they are away, the lead
            where it is nobody's; "" where there is none of these.
        owner_id: who is responsible; "" where it is nobody's.
        batch: the summary it belongs to, "" for none.
    """

    episode_id: str
    account_id: str
    kind: AlertKind
    severity: Severity
    level: float
    channel: str
    reader_id: str = ""
    owner_id: str = ""
    tier: Tier | None = None
    batch: str = ""

    @property
    def is_critical(self) -> bool:
        """Whether it passes budgets and tiers."""
        return self.severity is Severity.CRITICAL

    @property
    def urgency(self) -> tuple[int, float, str]:
        """For sorting: the most urgent first."""
        return -_RANK.index(self.severity), -self.level, self.episode_id


@dataclass(frozen=True)
class Announcement:
    """One message in `channel`: a summary, or an alert with the others of its account. The most urgent comes first.

    `readers` are the member each one is told to, by alert ("" for nobody in particular), `stand_ins` those of them who
    read in place of the responsible member: by alert the one they stand in for.
    """

    channel: str
    episode_ids: tuple[str, ...]
    is_summary: bool
    readers: Mapping[str, str] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)


def announce_together(alerts: Iterable[Waiting], *, is_summary: bool) -> Announcement:
    """One message of alerts of one channel, at least one."""
    ordered = sorted(alerts, key=lambda each: each.urgency)
    return Announcement(
        ordered[0].channel,
        tuple(each.episode_id for each in ordered),
        is_summary,
        {each.episode_id: each.reader_id for each in ordered if each.reader_id},
        {each.episode_id: each.owner_id for each in ordered if each.owner_id not in ("", each.reader_id)},
    )


Group = tuple[Waiting, ...]
"""Alerts of one account and channel, the most urgent first."""


def group_by_account(alerts: Iterable[Waiting]) -> list[Group]:
    """What is told in one message each, the most urgent first."""
    ordered = sorted(alerts, key=lambda each: (each.channel, each.account_id, *each.urgency))
    groups = [tuple(group) for _key, group in groupby(ordered, key=lambda each: (each.channel, each.account_id))]
    return sorted(groups, key=lambda group: group[0].urgency)


def group_by_batch(alerts: Iterable[Waiting]) -> tuple[list[Group], list[Waiting]]:
    """What is told in one summary per channel and batch, and what is told by itself: without a batch, or all that a
    first look found.
    """
    ordered = sorted(alerts, key=lambda each: (each.channel, each.batch, *each.urgency))
    groups = [tuple(group) for _key, group in groupby(ordered, key=lambda each: (each.channel, each.batch))]
    batches = [each for each in groups if each[0].batch and (len(each) > 1 or find_season(each[0].batch))]
    return batches, [each for group in groups if group not in batches for each in group]
