"""A sample company of any size, written straight into a database: `uv run python -m benchmarks.company`.

Up to 40 accounts are made row by row through storage, cared for by people (`benchmarks.care`), their usage rolled up,
their past scored and scanned by the real jobs. The rest are copies of these, under other names, made by the database.
The same seed gives the same company. Owns the sample; refuses to measure anything but its own making.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from sqlalchemy import Table, func, select
from sqlmodel import col

from benchmarks.care import Cared, care_for
from benchmarks.copies import Copy, copy_accounts
from benchmarks.names import make_name
from benchmarks.report import Report, read_arguments
from pipeline import checkins, renewals, rollup, scan, score
from rules.health.drops import list_days_to_compare
from rules.records import Role
from storage.accounts.accounts import AccountRow
from storage.db import Database, Tx
from storage.health.tickets import TicketRow
from storage.health.usage import UsageDirtyRow, insert_events
from storage.people.members import MemberRow
from storage.people.workspaces import WorkspaceRow
from storage.renewals.contracts import ContractRow
from storage.revision import upgrade
from storage.schema import METADATA
from storage.success.metrics import MetricRow
from storage.success.targets import MeasurementRow, TargetRow, TargetStepRow
from storage.upsert import upsert
from words.names import slug

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
TODAY = NOW.date()
USAGE_DAYS = 90
ORIGINALS = 40
OWNERS = ("U0000000ANA", "U0000000BEN", "U0000000CHE", *(f"U00000{n:05}" for n in range(17)))
"""Slack ids of the members; the first three are people of the local Slack's default workspace."""
FEATURES = ("Reports", "Export", "Sharing", "Automation")

_COUNTRIES = ("DE", "US", "GB", "FR", "CN", "JP")


@dataclass(frozen=True)
class Company:
    """A workspace full of accounts. `names` are the accounts' names, in the order they were made."""

    database: Database
    workspace_id: str
    names: tuple[str, ...]


@contextmanager
def open_company(accounts: int, *, seed: int = 7) -> Iterator[Company]:
    """A company in a temporary directory, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder:
        database = Database(f"sqlite:///{folder}/company.db")
        try:
            yield make_company(database, accounts, seed=seed)
        finally:
            database.close()


def make_company(database: Database, accounts: int, *, seed: int = 7) -> Company:
    """Fill an empty SQLite database with a company as it stands on the morning of `NOW`, before the daily jobs."""
    upgrade(database)
    with database.write() as session:
        row = WorkspaceRow(name="Benchmark", zone="UTC", country="DE", team_channel_id="C0000GENERAL", created_at=NOW)
        session.add(row)
    names = [make_name(number) for number in range(accounts)]
    originals = min(accounts, ORIGINALS)
    with database.writing(row.id) as tx:
        _add_people_and_metrics(tx)
        for number in range(originals):
            _add_account(tx, _Sketch(number, names[number], Random(f"{seed}:{number}")))
            care_for(tx, Cared(number, account_id(number), owner_of(number), TODAY))
    _work_through_past(database, row.id)
    database.close()
    path = Path(database.url.removeprefix("sqlite:///"))
    copy_accounts(path, [Copy(account_id(at), name, owner_of(at)) for at, name in enumerate(names)], originals)
    return Company(database, row.id, tuple(names))


def account_id(number: int) -> str:
    """32 hex digits, in no order, as real ids are."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def owner_of(number: int) -> str:
    """The id of the member who looks after the account of that number; the copies of one go to different ones."""
    return hashlib.sha256(OWNERS[(number + number // ORIGINALS) % len(OWNERS)].encode()).hexdigest()[:32]


def mark_last_day(company: Company) -> int:
    """Let the usage of the last day count as just come in, for every account; returns how many there are."""
    last = TODAY - timedelta(1)
    with company.database.writing(company.workspace_id) as tx:
        ids = tx.session.execute(select(col(AccountRow.id)).where(col(AccountRow.workspace_id) == tx.workspace_id))
        rows = [{"account_id": id_, "day": last} for id_ in ids.scalars()]
        return upsert(tx, UsageDirtyRow, rows, keys=["workspace_id", "account_id", "day"])


# ---------------------------------------------------------------- one account


@dataclass(frozen=True)
class _Sketch:
    """An account to be: most are steady, some in twenty fall, some fell silent, some owe money or gave notice."""

    number: int
    name: str
    random: Random

    @property
    def id(self) -> str:
        return account_id(self.number)

    @property
    def seats(self) -> int:
        return 20 + 7 * (self.number % 40)

    def share_on(self, day: date) -> float:
        """Share of the seats in use on `day`."""
        age = (TODAY - day).days
        match self.number % 40:
            case 3 | 17:
                return 0.2 if age <= 12 else 0.8
            case 11:
                return 0.0 if age <= 25 else 0.6
            case _:
                return 0.3 + (self.number % 13) / 20


def _add_people_and_metrics(tx: Tx) -> None:
    people = [
        {
            "id": hashlib.sha256(slack_id.encode()).hexdigest()[:32],
            "slack_id": slack_id,
            "name": slack_id,
            "email": f"{slack_id.lower()}@example.com",
            "role": Role.ADMIN,
            "refreshed_at": NOW,
        }
        for slack_id in OWNERS
    ]
    upsert(tx, MemberRow, people, keys=["id"])
    features = [{"key": slug(each), "name": each, "unit": "", "role": "feature", "is_core": True} for each in FEATURES]
    outcome = {"key": "conversion", "name": "Conversion", "unit": "%", "role": "outcome", "is_core": False}
    upsert(tx, MetricRow, [*features, outcome], keys=["workspace_id", "key"])


def _add_account(tx: Tx, of: _Sketch) -> None:
    row = {
        "id": of.id,
        "external_id": f"acc-{of.number:06}",
        "slug": slug(of.name),
        "name": of.name,
        "tier": "ABCD"[of.number % 4],
        "country": _COUNTRIES[of.number % len(_COUNTRIES)],
        "owner_id": owner_of(of.number),
        "started_on": TODAY - timedelta(500),
        "created_at": NOW - timedelta(500),
    }
    upsert(tx, AccountRow, [row], keys=["id"])
    _add_contract_and_tickets(tx, of)
    _add_targets(tx, of)
    insert_events(tx, _list_events(of))


def _add_contract_and_tickets(tx: Tx, of: _Sketch) -> None:
    contract = {
        "external_id": f"contract-{of.number:06}",
        "account_id": of.id,
        "start_on": TODAY - timedelta(400),
        "end_on": TODAY + timedelta(30 + of.number % 330),
        "notice_received_on": TODAY - timedelta(9) if of.number % 40 == 29 else None,
        "yearly_minor": 100_000 * (1 + of.number % 90),
        "seats": of.seats,
        "is_payment_known": True,
        "overdue_since": TODAY - timedelta(40) if of.number % 40 == 23 else None,
    }
    upsert(tx, ContractRow, [contract], keys=["workspace_id", "external_id"])
    tickets = []
    for at in range(of.number % 6):
        opened_at = NOW - timedelta(days=1 + of.random.randrange(80), hours=of.random.randrange(24))
        is_closed = of.random.random() < 0.8
        tickets.append(
            {
                "external_id": f"ticket-{of.number:06}-{at}",
                "account_id": of.id,
                "title": "Export takes long",
                "priority": of.random.choice(("low", "normal", "high")),
                "satisfaction": of.random.randint(3, 5) if is_closed else None,
                "opened_at": opened_at,
                "closed_at": min(NOW, opened_at + timedelta(days=2)) if is_closed else None,
            }
        )
    upsert(tx, TicketRow, tickets, keys=["workspace_id", "external_id"])


def _add_targets(tx: Tx, of: _Sketch) -> None:
    """Conversion from 4 % to 8 % in 300 days, with monthly values near the line."""
    start = TODAY - timedelta(180)
    target = {
        "id": account_id(1_000_000 + of.number),
        "account_id": of.id,
        "external_id": f"target-{of.number:06}",
        "metric_key": "conversion",
        "unit": "%",
        "baseline": Decimal(4),
        "goal": Decimal(8),
        "start_on": start,
        "due_on": start + timedelta(300),
        "agreed_on": start,
        "created_at": NOW - timedelta(180),
    }
    upsert(tx, TargetRow, [target], keys=["id"])
    steps = [{"target_id": target["id"], "day": start + timedelta(150), "value": Decimal(6)}]
    upsert(tx, TargetStepRow, steps, keys=["target_id", "day"])
    values = [
        {
            "id": account_id(2_000_000 + 10 * of.number + month),
            "account_id": of.id,
            "metric_key": "conversion",
            "value": Decimal(400 + 40 * month + of.random.randint(-15, 25)) / 100,
            "measured_on": start + timedelta(30 * month),
            "created_at": NOW - timedelta(180 - 30 * month),
        }
        for month in range(6)
    ]
    upsert(tx, MeasurementRow, values, keys=["id"])


def _list_events(of: _Sketch) -> list[dict[str, Any]]:
    """A feature on each working day, active users once a week."""
    rows: list[dict[str, Any]] = []
    for age in range(USAGE_DAYS, 0, -1):
        day = TODAY - timedelta(age)
        active = of.seats * of.share_on(day)
        metrics = [slug(FEATURES[age % len(FEATURES)])] if day.weekday() < 5 else []
        metrics += ["weekly_active_users"] if day.weekday() == 0 else []
        rows += [
            {
                "source": "file",
                "message_id": f"{of.number:06}-{age:02}-{metric}",
                "account_id": of.id,
                "team": "",
                "metric_key": metric,
                "person": "",
                "day": day,
                "value": float(round(active)) if "users" in metric else round(active * of.random.uniform(2, 6), 1),
            }
            for metric in metrics
            if active
        ]
    return rows


def _work_through_past(database: Database, workspace_id: str) -> None:
    """The days a scan compares with, scored and scanned as they would have been; yesterday's renewals and check-ins."""
    rollup.run(database, workspace_id, NOW)
    for day in reversed(list_days_to_compare(TODAY)):
        morning = datetime.combine(day, time(6), UTC)
        score.run(database, workspace_id, morning)
        scan.run(database, workspace_id, morning)
    noon = NOW - timedelta(hours=18)
    renewals.run(database, workspace_id, noon)
    checkins.run(database, workspace_id, noon)


# ---------------------------------------------------------------- the program


def main() -> None:
    """Make one and say what is in it."""
    given = read_arguments(__doc__, 20_000).parse_args()
    began = perf_counter()
    with open_company(given.accounts, seed=given.seed) as company:
        seconds = perf_counter() - began
        report = Report(f"A company of {given.accounts} accounts", ("table", "rows"))
        with company.database.reading(company.workspace_id) as tx:
            report.rows += [(table.name, _count(tx, table)) for table in METADATA.sorted_tables if _is_owned(table)]
        size = Path(company.database.url.removeprefix("sqlite:///")).stat().st_size
        report.notes.append(f"made in {seconds:.1f} s, {size / 1e6:.0f} MB")
    report.show(is_json=given.json)


def _is_owned(table: Table) -> bool:
    """Whether its rows belong to accounts."""
    return table.name == "accounts" or "account_id" in table.columns


def _count(tx: Tx, table: Table) -> int:
    query = select(func.count()).select_from(table).where(table.c.workspace_id == tx.workspace_id)
    return int(tx.session.execute(query).scalar_one())


if __name__ == "__main__":
    main()
