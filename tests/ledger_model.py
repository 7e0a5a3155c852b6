"""The ledger worked out plainly, alert by alert, as the measure of what the database counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from rules.alerts.alerts import ACCOUNT_GONE
from rules.alerts.ledger import IGNORED_AFTER, Fate, Line
from rules.people.working_time import WorkingTime, measure_working_time
from rules.records import AlertKind, DismissReason, EpisodeState

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Record:
    """One alert: as it is now, what somebody did to it (`is_acted`: took it, resolved it, or settled what it was
    about), when people were told of it at once, and the first answer.
    """

    kind: AlertKind
    state: EpisodeState
    opened_at: datetime
    close_reason: str = ""
    is_acted: bool = False
    is_closed_by_person: bool = False
    told_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str = ""

    def find_fate(self, now: datetime) -> Fate:
        """What became of it by `now`."""
        if self.state is EpisodeState.DISMISSED:
            return Fate.DISMISSED
        if self.is_acted:
            return Fate.ACTED
        if self.state is EpisodeState.RESOLVED:
            return Fate.MOOT if self.close_reason == ACCOUNT_GONE else Fate.IGNORED
        is_answered = self.answered_at is not None
        return Fate.WAITING if is_answered or now - self.opened_at <= IGNORED_AFTER else Fate.IGNORED


def draw_up(records: Iterable[Record], times: Mapping[str, WorkingTime], now: datetime) -> list[Line]:
    """A line for each rule that fired, the most frequent first. `times` are by member id; whoever is not in it works
    Monday to Friday, nine to half past five, in UTC.
    """
    by_kind: dict[AlertKind, list[Record]] = {}
    for each in records:
        by_kind.setdefault(each.kind, []).append(each)
    lines = [_sum(kind, held, times, now) for kind, held in by_kind.items()]
    return sorted(lines, key=lambda line: (-line.fired, str(line.kind)))


def sum_up(records: Iterable[Record], times: Mapping[str, WorkingTime], now: datetime) -> Line:
    """All rules together."""
    return _sum(None, list(records), times, now)


def _sum(kind: AlertKind | None, records: Sequence[Record], times: Mapping[str, WorkingTime], now: datetime) -> Line:
    fates = Counter(each.find_fate(now) for each in records)
    reasons = Counter(DismissReason(each.close_reason) for each in records if each.find_fate(now) is Fate.DISMISSED)
    told = [each for each in records if each.told_at is not None]
    waits = [wait for each in told if (wait := _measure_wait(each, times)) is not None]
    return Line(
        kind,
        fired=len(records),
        acted=fates[Fate.ACTED],
        ignored=fates[Fate.IGNORED],
        waiting=fates[Fate.WAITING],
        moot=fates[Fate.MOOT],
        dismissed=dict(reasons),
        closed_by_people=sum(each.is_closed_by_person for each in records),
        told=len(told),
        answered=len(waits),
        hours=median(hours for hours, _worked in waits) if waits else None,
        working_hours=median(worked for _hours, worked in waits) if waits else None,
    )


def _measure_wait(record: Record, times: Mapping[str, WorkingTime]) -> tuple[float, float] | None:
    """Hours from being told to the first answer, by the clock and of work; an answer that came before is at once."""
    if record.told_at is None or record.answered_at is None:
        return None
    until = max(record.told_at, record.answered_at)
    working = times.get(record.answered_by, WorkingTime())
    return (until - record.told_at) / _HOUR, measure_working_time(record.told_at, until, working) / _HOUR
