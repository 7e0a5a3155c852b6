"""Customers in several channels whose use falls, one group a day, and the files that tell of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline import daily
from pipeline.imports.mapping import Kind
from pipeline.imports.run import Job, run_import
from rules.alerts.noise_settings import ChangeNoise
from rules.records import Actor
from storage.alerts.noise_settings import apply_noise_settings
from storage.db import Database
from tests.channel_rows import look_at

START = datetime(2026, 3, 3, 7, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 5
CUSTOMERS = 30
CHANNELS = tuple(f"C000000000{number}" for number in range(6))


def name_of(customer: int) -> str:
    return f"Customer {customer:02}"


def use_of(customer: int, day: date) -> int:
    """Weekly active users: well used, until it falls on one of the days of the test."""
    falls_on = START.date() + customer % (DAYS - 2) * DAY
    return 6 if day >= falls_on else 40


def import_rows(
    database: Database, workspace_id: str, kind: str, rows: list[Mapping[str, object]], now: datetime
) -> None:
    path = Path(database.url.removeprefix("sqlite:///")).parent / f"{kind}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    run_import(database, workspace_id, Job(Kind(kind), path), now)


def import_use(database: Database, workspace_id: str, days: list[date], now: datetime) -> None:
    rows: list[Mapping[str, object]] = [
        {"account": f"N-{each}", "metric": metric, "day": day.isoformat(), "value": use_of(each, day) * factor}
        for day in days
        for each in range(CUSTOMERS)
        for metric, factor in (("weekly_active_users", 1), ("reports", 3))
    ]
    import_rows(database, workspace_id, "usage", rows, now)


def import_customers(database: Database, workspace_id: str) -> None:
    """Customers in several channels, with weeks of good use behind them, and looked at once."""
    accounts: list[Mapping[str, object]] = [
        {"external_id": f"N-{each}", "name": name_of(each), "tier": "A", "seats": 50, "channel": CHANNELS[each % 6]}
        for each in range(CUSTOMERS)
    ]
    import_rows(database, workspace_id, "accounts", accounts, START)
    look_at(database, workspace_id, *CHANNELS)
    days = [START.date() - back * DAY for back in range(42, 0, -1)]
    import_use(database, workspace_id, [day for day in days if day.weekday() < 5], START)
    with database.writing(workspace_id) as tx:  # what is found at six in the morning is told at once, every day
        always = {"is_quiet_off_hours": False, "is_quiet_off_days": False}
        apply_noise_settings(tx, ChangeNoise("", always), Actor("import", "noise"), START)
    daily.run(database, workspace_id, START - DAY)
