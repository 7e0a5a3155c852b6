"""Noise control: which of the waiting alerts are told at once, which are held until somebody works again, which are
left to digests and why, and which are muted. Owns these decisions over plain data; refuses to detect, post and word.

Every waiting alert comes out exactly once. The rules, in their order: a mute silences; quiet hours, weekends and public
holidays of the reader (for a summary of many: of the workspace) hold, also what is critical; digest-only tiers and what
the reader does not want at once go to the digest, as does what is over a reader's or a channel's budget of the day, the
least urgent first. What is critical passes all but mutes and quiet hours. More than a few messages of one run for a
channel become one summary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.alerts.announcements import (
    Announcement,
    Group,
    Waiting,
    announce_together,
    find_season,
    group_by_account,
    group_by_batch,
)
from rules.alerts.mutes import Mute, find_cover
from rules.alerts.noise_settings import DEFAULTS, NoiseSettings
from rules.alerts.quiet_times import find_release
from rules.people.working_time import WorkingTime
from rules.records import QuietReason, Severity

_RANK = list(Severity)


@dataclass(frozen=True)
class Told:
    """An account's part of a message about alerts, posted at `at` in `channel`. `reader_id` "" for that of a batch's
    summary, which is nobody's in particular.
    """

    message: str
    channel: str
    account_id: str
    reader_id: str
    at: datetime


@dataclass(frozen=True)
class Desk:
    """When somebody works, and what they want to be told."""

    times: WorkingTime
    settings: NoiseSettings = DEFAULTS


@dataclass(frozen=True)
class House:
    """All that decisions of a workspace rest on: its own hours and settings, those of its people, the mutes that are
    on, and what was told lately.
    """

    home: Desk
    people: Mapping[str, Desk] = field(default_factory=dict)
    mutes: Sequence[Mute] = ()
    told: Sequence[Told] = ()

    def find_desk(self, reader_id: str) -> Desk:
        """The reader's, else the workspace's."""
        return self.people.get(reader_id, self.home)


@dataclass(frozen=True)
class Hold:
    """Not before `until`; then it is decided afresh."""

    episode_id: str
    until: datetime


@dataclass(frozen=True)
class Quieten:
    """Only digests and lists tell of it. Where a budget was spent, `count` of `limit` were told that day."""

    episode_id: str
    reason: QuietReason
    count: int = 0
    limit: int = 0


@dataclass(frozen=True)
class Silence:
    """A mute covers it."""

    episode_id: str
    mute_id: str


Decision = Announcement | Hold | Quieten | Silence


def decide_noise(waiting: Iterable[Waiting], house: House, now: datetime) -> list[Decision]:
    """What becomes of each waiting alert at `now`."""
    found: list[Decision] = []
    left: list[Waiting] = []
    for each in waiting:
        decision = _find_silence(each, house)
        if decision is None:
            left.append(each)
        else:
            found.append(decision)
    batches, alone = group_by_batch(left)
    ready = [batch for batch in batches if find_release(now, house.home.times, house.home.settings) <= now]
    held = [_hold(each, house.home, now) for batch in batches if batch not in ready for each in batch]
    desks = [(each, house.find_desk(each.reader_id)) for each in alone]
    holds = [_hold(each, desk, now) for each, desk in desks]
    audible = [each for (each, _desk), hold in zip(desks, holds, strict=True) if hold.until <= now]
    held += [hold for hold in holds if hold.until > now]
    return [*found, *held, *_Day(house, now).tell(ready, audible)]


def _find_silence(each: Waiting, house: House) -> Silence | Quieten | None:
    """A mute, or a tier of which only digests tell; a season is told of whatever the tier of its accounts."""
    mute = find_cover(house.mutes, each.account_id, each.kind)
    if mute is not None:
        return Silence(each.episode_id, mute.id)
    is_plain = not each.is_critical and not find_season(each.batch)
    is_for_digests = is_plain and each.tier in house.find_desk(each.reader_id).settings.digest_tiers
    return Quieten(each.episode_id, QuietReason.TIER) if is_for_digests else None


def _hold(each: Waiting, desk: Desk, now: datetime) -> Hold:
    return Hold(each.episode_id, find_release(now, desk.times, desk.settings))


class _Day:
    """The budgets of the day, spent while messages are decided on."""

    def __init__(self, house: House, now: datetime) -> None:
        self._house, self._now = house, now
        today = {each for each in house.told if each.reader_id and self._is_today(each.at, each.reader_id)}
        posts = {(each.channel, each.message) for each in house.told if self._is_today(each.at, "")}
        self._of_reader = Counter(
            reader_id for reader_id, *_about in {(each.reader_id, each.message, each.account_id) for each in today}
        )
        self._of_channel = Counter(channel for channel, _message in posts)

    def tell(self, batches: Sequence[Group], alone: Sequence[Waiting]) -> Iterator[Decision]:
        """Summaries of batches first, then what people are told one by one."""
        for batch in batches:
            yield from self._post(batch, is_summary=True)
        wanted: list[Group] = []
        for group in group_by_account(alone):
            reason = self._find_objection(group)
            if reason is None:
                wanted.append(group)
            else:
                yield from _quieten(group, *reason)
        yield from self._tell_channels(wanted)

    def _is_today(self, at: datetime, reader_id: str) -> bool:
        times = self._house.find_desk(reader_id).times
        return times.to_local(at).date() == times.to_local(self._now).date()

    def _find_objection(self, group: Group) -> tuple[QuietReason, int, int] | None:
        """Why a reader is not told at once; spends one of their day where they are."""
        reader_id, settings = group[0].reader_id, self._house.find_desk(group[0].reader_id).settings
        count = self._of_reader[reader_id]
        if not group[0].is_critical:
            is_unwished = reader_id and settings.owner_daily == 0
            if is_unwished or _RANK.index(group[0].severity) < _RANK.index(settings.at_once_from):
                return QuietReason.SEVERITY, 0, 0
            if reader_id and count >= settings.owner_daily:
                return QuietReason.BUDGET, count, settings.owner_daily
        self._of_reader[reader_id] += 1
        return None

    def _tell_channels(self, groups: Sequence[Group]) -> Iterator[Decision]:
        most = self._house.home.settings.summary_above
        for channel in sorted({group[0].channel for group in groups}):
            own = [group for group in groups if group[0].channel == channel]
            if len(own) > most:
                together = sorted((each for group in own for each in group), key=lambda each: each.urgency)
                yield from self._post(tuple(together), is_summary=True)
                continue
            for group in own:
                yield from self._post(group, is_summary=False)

    def _post(self, group: Group, *, is_summary: bool) -> Iterator[Decision]:
        """One message, if the channel has one left today or something in it is critical."""
        channel, count = group[0].channel, self._of_channel[group[0].channel]
        limit = self._house.home.settings.channel_daily
        if count >= limit and not group[0].is_critical:
            yield from _quieten(group, QuietReason.CHANNEL, count, limit)
            return
        self._of_channel[channel] += 1
        yield announce_together(group, is_summary=is_summary)


def _quieten(group: Group, reason: QuietReason, count: int, limit: int) -> Iterator[Decision]:
    return (Quieten(each.episode_id, reason, count, limit) for each in group)
