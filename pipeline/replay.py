"""A job run day by day over the past, and what came of it: bands per day and the alerts that would have come.

Owns the walk and its account; refuses to choose the database (the caller gives a scratch copy).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline import rollup
from pipeline.report import JobReport
from rules.records import AlertKind, Band
from storage.alerts.history import count_bands, list_opened
from storage.db import Database, Tx

RUN_AT = time(6)
Run = Callable[[Database, str, datetime], JobReport]


@dataclass(frozen=True)
class ReplayedDay:
    """One day: accounts per band, alerts opened and closed on it."""

    day: date
    bands: dict[Band, int]
    opened: int
    closed: int


@dataclass(frozen=True)
class ReplayedAlert:
    """One alert that would have come. `closed_on` is None while it is open on the last day."""

    day: date
    account: str
    kind: AlertKind
    severity: str
    closed_on: date | None
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Replay:
    """The whole walk."""

    days: tuple[ReplayedDay, ...]
    alerts: tuple[ReplayedAlert, ...]


def moment_of(day: date, zone: ZoneInfo) -> datetime:
    """When the day's jobs run: 06:00 in the workspace's zone, as UTC."""
    return datetime.combine(day, RUN_AT, zone).astimezone(UTC)


def replay(
    scratch: Database,
    workspace_id: str,
    run: Run,
    days: Sequence[date],
    zone: ZoneInfo,
    *,
    progress: Callable[[], None] = lambda: None,
) -> Replay:
    """Run the job once for each of `days` (in order) on `scratch`, after summing up all usage first."""
    rollup.run(scratch, workspace_id, moment_of(days[-1], zone))
    for day in days:
        run(scratch, workspace_id, moment_of(day, zone))
        progress()
    with scratch.reading(workspace_id) as tx:
        return _describe(tx, days, zone)


def _describe(tx: Tx, days: Sequence[date], zone: ZoneInfo) -> Replay:
    bands = count_bands(tx, days)
    alerts = tuple(
        ReplayedAlert(
            row.opened_at.astimezone(zone).date(),
            name,
            row.kind,
            row.severity.value,
            row.closed_at.astimezone(zone).date() if row.closed_at else None,
            row.facts.get("before"),
            row.facts.get("after"),
        )
        for row, name in list_opened(tx, moment_of(days[0], zone), moment_of(days[-1] + timedelta(days=1), zone))
    )
    opened = Counter(each.day for each in alerts)
    closed = Counter(each.closed_on for each in alerts if each.closed_on)
    return Replay(tuple(ReplayedDay(day, bands.get(day, {}), opened[day], closed[day]) for day in days), alerts)
