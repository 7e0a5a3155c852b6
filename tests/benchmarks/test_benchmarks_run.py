"""Each benchmark runs at a tiny size and prints figures of the shape it promises. No time is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.company import Company, make_company
from benchmarks.jobs import find_exponent
from benchmarks.names import make_name
from benchmarks.report import spread
from storage.accounts.accounts import AccountRow
from storage.db import Database
from storage.health.health import HealthScoreRow
from storage.health.usage import UsageEventRow
from storage.schema import METADATA

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "company": ["--accounts", "50"],
    "show": ["--accounts", "50", "--rounds", "2"],
    "jobs": ["--sizes", "20", "50"],
    "digests": ["--accounts", "60", "--people", "12"],
    "imports": ["--rows", "300"],
    "acks": ["--accounts", "50", "--idle-seconds", "1", "--messages", "20"],
    "slash": ["--accounts", "50", "--seconds", "0.3", "--kinds", "say", "commit", "word"],
    "start": ["--rounds", "1"],
    "noise": ["--weeks", "1"],
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('company') / 'company.db'}")
    yield make_company(database, 90)
    database.close()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_its_figures(name: str):
    command = [sys.executable, "-m", f"benchmarks.{name}", *PROGRAMS[name], "--json"]
    done = subprocess.run(  # our own program, our own arguments
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"]
    assert all(isinstance(value, int | float) for row in told["rows"] for value in list(row.values())[1:])


def test_copied_accounts_are_whole(company: Company):
    with company.database.reading(company.workspace_id) as tx:
        counts = {}
        for row in (UsageEventRow, HealthScoreRow):
            query = select(col(row.account_id), func.count()).where(col(row.workspace_id) == tx.workspace_id)
            counts[row] = dict(tx.session.execute(query.group_by(col(row.account_id))).all())
        rows = tx.session.execute(select(AccountRow).order_by(col(AccountRow.external_id))).scalars()
        ids = {row.name: row.id for row in rows}
    assert set(ids) == set(company.names)
    for found in counts.values():
        assert found[ids[make_name(0)]] == found[ids[make_name(40)]] == found[ids[make_name(80)]]


def test_copies_refer_to_what_exists_and_are_indexed(company: Company):
    with company.database.read() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        indexes = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'").scalars())
    assert {index.name for table in METADATA.sorted_tables for index in table.indexes} <= indexes


def test_a_name_is_given_once():
    names = [make_name(number) for number in range(20_000)]
    assert len(set(names)) == len(names)


def test_growth_is_a_power():
    assert find_exponent([(10, 1.0), (100, 100.0)]) == pytest.approx(2)
    assert find_exponent([(10, 5.0), (100, 5.0), (1000, 5.0)]) == pytest.approx(0)


def test_a_spread_of_durations():
    found = spread([each / 1000 for each in range(1, 101)])
    assert (found.count, found.p50, found.p95, found.p99, found.most) == (100, 50.5, 96, 100, 100)
