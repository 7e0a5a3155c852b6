"""What product usage says of an account: utilisation, trend, breadth, silence. Owns those readings and their windows;
refuses to sum events (`storage.health.usage_days` does) and to weigh one reading against another.

All windows end on the feed's last day (`Feed.last_day`), not on the day before the score: between two imports an
account does not look quieter than it was. A feed older than `FEED_DAYS` makes every reading *missing*; an account
silent while the feed runs has zero use. Days on which the whole workspace's feed was out are left out of the windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from rules.calendar import count_working_days, is_working_day
from rules.health.readings import Gap, Reading, between

WINDOW_DAYS = 28
"""Four whole weeks, so that two windows hold the same weekdays."""

FEED_DAYS = 10
"""A feed that is older says nothing of today: one weekly file may be three days late."""

OUTAGE_DAYS = 5
"""So many days in a row without one event in the whole workspace are an outage of the feed, not a long weekend."""

LEAST_OBSERVED_DAYS = 14
"""Each window needs so many days outside outages."""

LEAST_ACTIVE_DAYS = 4
"""Days of use, over both windows, below which a trend would be chance."""

FULL_UTILISATION = 0.8
"""Share of the seats active in a week that is as good as all: people are on leave."""

SILENT_WORKING_DAYS = 14
RARE_GAPS = 3.0
"""Accounts that come by rarely are silent only after so many of their usual gaps."""

WEEKLY, DAILY, MONTHLY = "weekly-active-users", "daily-active-users", "monthly-active-users"
"""Keys of the active-user gauges: the names files use (weekly_active_users), as the catalogue spells every key."""

GAUGE_DAYS: Mapping[str, int] = {WEEKLY: 14, DAILY: 7, MONTHLY: 35}
"""Age in days after which each gauge expires, best gauge first."""


@dataclass(frozen=True)
class Feed:
    """The workspace's usage feed as of a score: its last day with any event, and the days it was out before that."""

    last_day: date | None
    outage: frozenset[date] = frozenset()

    def is_old(self, day: date) -> bool:
        """Whether the feed says nothing any more on score day `day`."""
        return self.last_day is None or (day - timedelta(1) - self.last_day).days > FEED_DAYS

    def observed_days(self, since: date, until: date) -> int:
        """Days of [since, until] on which the feed ran."""
        return (until - since).days + 1 - sum(since <= day <= until for day in self.outage)


@dataclass(frozen=True)
class Gauge:
    """An active-user gauge of an account: its latest value with its day, the peak of the feed's last seven days, and
    the means of both windows (None: no value there).
    """

    day: date
    value: float
    week_peak: float | None = None
    current_mean: float | None = None
    previous_mean: float | None = None


@dataclass(frozen=True)
class Usage:
    """An account's use up to the feed's last day.

    Args:
        first_use, last_use: days of the first and last event with a value above 0; None without any.
        current, previous: feature key to sum over the last `WINDOW_DAYS`, and over those before.
        active_days: distinct days of use in both windows together.
        gauges: by key, those with a value in both windows.
        is_gauged: whether active users of the account were ever known.
    """

    first_use: date | None = None
    last_use: date | None = None
    current: Mapping[str, float] = field(default_factory=dict)
    previous: Mapping[str, float] = field(default_factory=dict)
    active_days: int = 0
    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    is_gauged: bool = False


def find_outage(seen: Iterable[date], since: date, until: date) -> frozenset[date]:
    """The days of [since, until] in runs of at least `OUTAGE_DAYS` days not in `seen`."""
    known = set(seen)
    runs: list[list[date]] = [[]]
    for offset in range((until - since).days + 1):
        day = since + timedelta(offset)
        if day in known:
            runs.append([])
        else:
            runs[-1].append(day)
    return frozenset(day for run in runs if len(run) >= OUTAGE_DAYS for day in run)


def read_utilisation(usage: Usage, feed: Feed, seats: int | None, day: date) -> Reading:
    """Weekly active users per seat; `FULL_UTILISATION` of the seats or more is 100.

    Without a weekly gauge the peak of a week's daily one serves (a lower bound), else the monthly one. An account
    not used for a week has none; one that is used while its gauge has stopped is missing.
    """
    if not seats:
        return Reading.not_applicable(Gap.NO_SEATS)
    if not usage.is_gauged:
        return Reading.not_applicable(Gap.NO_ACTIVE_USERS, seats=seats)
    if feed.last_day is None or feed.is_old(day):
        return _old_feed(feed)
    found = _fresh_gauge(usage, feed.last_day)
    is_quiet = not _is_used_since(usage, feed.last_day - timedelta(6))
    if is_quiet and (found is None or found[0] != MONTHLY):
        found = WEEKLY, 0.0
    if found is None:
        return Reading.missing(Gap.OLD_ACTIVE_USERS, seats=seats)
    key, active = found
    x = 100 * active / seats / FULL_UTILISATION
    return Reading.present(x, active=active, seats=seats, gauge=key, last_day=feed.last_day.isoformat())


def _fresh_gauge(usage: Usage, last_day: date) -> tuple[str, float] | None:
    for key, days in GAUGE_DAYS.items():
        gauge = usage.gauges.get(key)
        if gauge and (last_day - gauge.day).days < days:
            return key, gauge.value if key != DAILY or gauge.week_peak is None else gauge.week_peak
    return None


def _is_used_since(usage: Usage, day: date) -> bool:
    return usage.last_use is not None and usage.last_use >= day


def read_trend(usage: Usage, feed: Feed, day: date) -> Reading:
    """Use of the last 28 days against the 28 before, per day the feed ran: the sum of all features, or the mean of
    the active-user gauge where no features are known. No change is 80, a fifth more 100, three fifths less 0.
    """
    if usage.first_use is None:
        return Reading.not_applicable(Gap.NO_USAGE)
    if feed.last_day is None or feed.is_old(day):
        return _old_feed(feed)
    middle = feed.last_day - timedelta(WINDOW_DAYS)
    start = middle - timedelta(WINDOW_DAYS)
    if usage.first_use > start:
        return Reading.missing(Gap.SHORT_HISTORY, first_use=usage.first_use.isoformat(), days=2 * WINDOW_DAYS)
    ran = feed.observed_days(middle + timedelta(1), feed.last_day), feed.observed_days(start + timedelta(1), middle)
    if min(ran) < LEAST_OBSERVED_DAYS:
        return Reading.missing(Gap.OLD_USAGE, last_day=feed.last_day.isoformat())
    if usage.active_days == 0:
        return Reading.present(0, current=0.0, previous=0.0)
    if usage.active_days < LEAST_ACTIVE_DAYS and MONTHLY not in usage.gauges:
        return Reading.missing(Gap.RARE_USE, active_days=usage.active_days, days=2 * WINDOW_DAYS)
    return _compare_windows(usage, *ran)


def _compare_windows(usage: Usage, current_days: int, previous_days: int) -> Reading:
    current, previous = sum(usage.current.values()), sum(usage.previous.values())
    if current == previous == 0:
        means = [(each.current_mean or 0.0, each.previous_mean or 0.0) for each in usage.gauges.values()]
        current, previous = means[0] if means else (0.0, 0.0)
        current_days = previous_days = 1
    facts = {"current": round(current, 1), "previous": round(previous, 1)}
    if previous == 0:
        return Reading.present(100.0 if current else 0.0, **facts)
    change = (current / current_days) / (previous / previous_days) - 1
    return Reading.present(between(change, (-0.6, 0), (0, 80), (0.2, 100)), **facts, change=round(change, 4))


def read_breadth(usage: Usage, feed: Feed, core: frozenset[str], day: date) -> Reading:
    """Core features used in the last 28 days, of the workspace's core features."""
    if not core:
        return Reading.not_applicable(Gap.NO_CORE_FEATURES)
    if usage.first_use is None:
        return Reading.not_applicable(Gap.NO_USAGE)
    if feed.is_old(day):
        return _old_feed(feed)
    used = sum(usage.current.get(key, 0) > 0 for key in core)
    return Reading.present(100 * used / len(core), used=used, core=len(core))


def count_silent_days(usage: Usage, feed: Feed, country: str) -> int:
    """Working days of the account's country without use, from its last use to the feed's last day, outages left out."""
    if usage.last_use is None or feed.last_day is None:
        return 0
    quiet = count_working_days(usage.last_use, feed.last_day, country)
    out = sum(usage.last_use < day <= feed.last_day and is_working_day(day, country) for day in feed.outage)
    return quiet - out


def is_silent(usage: Usage, feed: Feed, country: str, day: date) -> bool:
    """Whether an account that used the product has not for 14 working days, and for `RARE_GAPS` of its usual gaps.

    An account that comes by every ten days is not silent after three weeks. False while the feed is old.
    """
    if usage.last_use is None or feed.last_day is None or feed.is_old(day):
        return False
    if count_silent_days(usage, feed, country) < SILENT_WORKING_DAYS:
        return False
    usual_gap = count_lived_days(usage, feed) / usage.active_days if usage.active_days else 0.0
    return (feed.last_day - usage.last_use).days >= RARE_GAPS * usual_gap


def count_lived_days(usage: Usage, feed: Feed) -> int:
    """Days from the first use to the last, within the two windows that `Usage.active_days` are counted in."""
    if usage.last_use is None or feed.last_day is None:
        return 0
    start = feed.last_day - timedelta(2 * WINDOW_DAYS)
    return (usage.last_use - max(start, usage.first_use or start)).days


def _old_feed(feed: Feed) -> Reading:
    return Reading.missing(Gap.OLD_USAGE, last_day=feed.last_day.isoformat() if feed.last_day else None)
