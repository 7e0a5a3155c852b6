"""Sources of usage that stop: then it is the integration that is silent, and none of its accounts. Owns when a source
counts as stopped and what follows; refuses to read usage and to word the notice.

A source stops when nothing came of it for as long as makes its data too old to score (`rules.health.usage.FEED_DAYS`),
while accounts rely on it alone. One that stopped long ago was retired, and nobody is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from rules.health.usage import WINDOW_DAYS, Feed

RETIRED_DAYS = 120
RELIANCE_DAYS = 2 * WINDOW_DAYS
"""An account relies on a source that reported of it within so many days before it stopped."""


@dataclass(frozen=True)
class Source:
    """A source of usage as of a day: its last day with any event, and how many accounts rely on it alone."""

    name: str
    last_day: date
    accounts: int = 0

    def is_stopped(self, day: date) -> bool:
        """Whether its data is too old to judge by on `day`."""
        return Feed(self.last_day).is_old(day)

    def is_retired(self, day: date) -> bool:
        """Whether it stopped so long ago that somebody must have meant it."""
        return (day - self.last_day).days > RETIRED_DAYS


@dataclass(frozen=True)
class Stop:
    """A stop that is known and lasts."""

    id: str
    source: str
    last_day: date
    accounts: int


@dataclass(frozen=True)
class OpenStop:
    """Tell that the source has stopped."""

    source: Source


@dataclass(frozen=True)
class ChangeStop:
    """Show the notice anew: other accounts rely on the source by now."""

    stop_id: str
    accounts: int


@dataclass(frozen=True)
class EndStop:
    """Data flows again; or, `is_replaced`, no account relies on the source any more."""

    stop_id: str
    resumed_on: date
    is_replaced: bool = False


StopIntent = OpenStop | ChangeStop | EndStop


def decide_stops(sources: Iterable[Source], known: Mapping[str, Stop], day: date) -> tuple[StopIntent, ...]:
    """What to do about each source on `day`; `known` are the stops that last, by source. Run again, it does nothing."""
    found = (_decide(source, known.get(source.name), day) for source in sources)
    return tuple(each for each in found if each is not None)


def _decide(source: Source, stop: Stop | None, day: date) -> StopIntent | None:
    if stop is None:
        is_news = source.is_stopped(day) and not source.is_retired(day) and source.accounts > 0
        return OpenStop(source) if is_news else None
    if not source.is_stopped(day):
        return EndStop(stop.id, source.last_day)
    if not source.accounts:
        return EndStop(stop.id, day, is_replaced=True)
    return ChangeStop(stop.id, source.accounts) if source.accounts != stop.accounts else None


def reliance_since(source: Source) -> date:
    """The first day whose events make an account one that relies on the source."""
    return source.last_day - timedelta(RELIANCE_DAYS)
