"""The rollup and score jobs over stored rows: expected figures are worked out here, by hand, beside their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col, select

from pipeline import rollup, score
from pipeline.rollup import LEAST_DAYS, MOST_DAYS, PageSize
from rules.health.usage import WEEKLY
from rules.records import Band
from storage.accounts.accounts import AccountRow
from storage.db import Database
from storage.health.health import (
    HealthScoreRow,
    find_latest,
    list_bands,
    list_day_scores,
    list_latest,
    list_scores,
    to_day_score,
)
from storage.health.tickets import TicketRow
from storage.health.usage import insert_events
from storage.renewals.contracts import ContractRow
from storage.success.metrics import MetricRow
from storage.success.targets import MeasurementRow, TargetRow
from tests.conftest import NOW

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(1)


class Company:
    """A workspace's rows, added as imports would."""

    def __init__(self, database: Database, workspace_id: str) -> None:
        self.database, self.workspace_id = database, workspace_id
        self._number = 0

    def add(self, *rows: Any) -> None:
        with self.database.writing(self.workspace_id) as tx:
            for row in rows:
                row.workspace_id = self.workspace_id
                tx.session.add(row)
                tx.session.flush()

    def add_account(self, account_id: str, **more: Any) -> None:
        self.add(AccountRow(id=account_id, slug=account_id, name=account_id.title(), created_at=NOW, **more))

    def add_use(self, account_id: str, metric: str, by_age: Mapping[int, float], *, person: str = "") -> None:
        """Events so many days before today."""
        rows = []
        for age, value in by_age.items():
            self._number += 1
            day = TODAY - timedelta(age)
            key = {"source": "test", "message_id": str(self._number), "account_id": account_id, "team": ""}
            rows.append({**key, "metric_key": metric, "person": person, "day": day, "value": value})
        with self.database.writing(self.workspace_id) as tx:
            insert_events(tx, rows)

    def score(self, now: datetime = NOW) -> dict[str, int]:
        rollup.run(self.database, self.workspace_id, now)
        return dict(score.run(self.database, self.workspace_id, now).counts)

    def read(self, account_id: str, on: date = TODAY) -> HealthScoreRow:
        with self.database.reading(self.workspace_id) as tx:
            found = find_latest(tx, account_id, on)
            tx.session.expunge_all()
        assert found is not None
        return found


@pytest.fixture
def company(database: Database, workspace_id: str) -> Company:
    return Company(database, workspace_id)


def daily(since: int, until: int, value: float) -> dict[int, float]:
    """The same value on each day from `since` to `until` days ago."""
    return dict.fromkeys(range(until, since + 1), value)


def test_a_whole_account_scored_from_its_rows(company: Company):
    company.add_account("acme", seats=10)
    company.add(
        MetricRow(key="export", name="Export", role="feature", is_core=True),
        MetricRow(key="share", name="Share", role="feature", is_core=True),
        MetricRow(key="conversion", name="Conversion", unit="%"),
        ContractRow(
            external_id="c1", account_id="acme", start_on=date(2025, 1, 1), end_on=date(2026, 12, 31), seats=60
        ),
        ContractRow(
            external_id="c0", account_id="acme", start_on=date(2024, 1, 1), end_on=date(2024, 12, 31), seats=500
        ),
    )
    company.add(
        ContractRow(
            external_id="c2",
            account_id="acme",
            start_on=date(2025, 6, 1),
            seats=20,
            is_payment_known=True,
            overdue_since=TODAY - timedelta(6),
        ),
        TicketRow(external_id="t1", account_id="acme", opened_at=NOW - timedelta(9), priority="high"),
        TicketRow(
            external_id="t2",
            account_id="acme",
            opened_at=NOW - timedelta(20),
            closed_at=NOW - timedelta(18),
            satisfaction=4,
        ),
    )
    target = TargetRow(
        id="t",
        account_id="acme",
        metric_key="conversion",
        baseline=5,
        goal=10,
        start_on=date(2025, 7, 1),
        due_on=date(2026, 6, 30),
        agreed_on=date(2025, 7, 1),
        created_at=datetime(2025, 7, 1, tzinfo=UTC),
    )
    company.add(target)
    company.add(_measured("acme", 9.9, TODAY - timedelta(3)))
    company.add_use("acme", "export", {**daily(28, 1, 9), **daily(60, 29, 10)})
    company.add_use("acme", WEEKLY, {1: 32, 8: 40})
    assert company.score() == {"accounts": 1, "green": 0, "yellow": 1, "red": 0, "unknown": 0}

    found = company.read("acme")
    x = {
        "utilisation": 100 * 32 / (60 + 20) / 0.8,
        "trend": 80 - 10 / 60 * 80,  # a tenth less, of the three fifths that are worth nothing
        "breadth": 50,  # export of export and share
        "targets": 100,  # far ahead of the line from 5 to 10
        "support": 0.7 * (100 - 2 * 10) + 0.3 * 75,
        "payment": 100 - 6 / 30 * 100,
    }
    weights = {"utilisation": 15, "trend": 15, "breadth": 10, "targets": 20, "support": 10, "payment": 5}
    assert {name: each["x"] for name, each in found.factors.items()} == pytest.approx(x, abs=0.01)
    assert found.score == pytest.approx(sum(weights[name] * x[name] for name in x) / 75, abs=0.01)
    assert (found.day, found.band, found.coverage, found.capped_by) == (TODAY, Band.YELLOW, 1.0, "")
    assert to_day_score(found).factors["breadth"] == (50.0, 10.0)


def _measured(account_id: str, value: float, day: date) -> MeasurementRow:
    return MeasurementRow(
        account_id=account_id, metric_key="conversion", value=value, measured_on=day, created_at=NOW - timedelta(2)
    )


def test_only_what_was_known_that_day_counts(company: Company):
    company.add_account("acme", seats=10)
    company.add(
        TicketRow(external_id="later", account_id="acme", opened_at=NOW, priority="urgent"),
        TicketRow(
            external_id="open",
            account_id="acme",
            opened_at=NOW - timedelta(2),
            closed_at=NOW + timedelta(1),
            satisfaction=1,
        ),
        ContractRow(
            external_id="c",
            account_id="acme",
            start_on=date(2025, 1, 1),
            notice_received_on=TODAY + timedelta(1),
            is_payment_known=True,
            overdue_since=TODAY + timedelta(1),
        ),
    )
    company.add_use("acme", "export", {**daily(90, 0, 5), 0: 500})
    company.score()
    found = company.read("acme")
    assert found.factors["support"]["facts"] | {"running": 1, "answers": 0} == found.factors["support"]["facts"]
    assert found.factors["payment"]["x"] == 100
    assert found.factors["trend"]["x"] == 80
    assert found.capped_by == ""


def test_a_stopped_feed_is_missing_and_a_silent_account_is_zero(company: Company):
    for each in ("busy", "gone", "never"):
        company.add_account(each, seats=10)
        company.add_use(each, WEEKLY, {} if each == "never" else daily(120, 1 if each == "busy" else 40, 8))
    assert company.score() == {"accounts": 3, "green": 1, "yellow": 0, "red": 1, "unknown": 1}
    gone = company.read("gone")
    assert (gone.capped_by, gone.factors["utilisation"]["x"], gone.factors["trend"]["x"]) == ("silence", 0, 0)
    assert company.read("never").factors["utilisation"]["state"] == "not_applicable"

    later = NOW + timedelta(30)
    assert company.score(later) == {"accounts": 3, "green": 0, "yellow": 0, "red": 0, "unknown": 3}
    stale = company.read("gone", later.date())
    assert (stale.score, stale.capped_by, stale.factors["trend"]["state"]) == (None, "", "missing")


def test_a_feed_that_was_out_for_a_while_is_no_fall(company: Company):
    company.add_account("acme")
    company.add_use("acme", "export", {**daily(9, 1, 10), **daily(90, 20, 10)})
    company.score()
    assert company.read("acme").factors["trend"]["x"] == 80


def test_the_same_day_again_gives_the_same_rows_and_the_margin_looks_at_the_day_before(company: Company):
    company.add_account("acme", seats=100)
    company.add_use("acme", WEEKLY, daily(90, 2, 60))  # utilisation 75, trend 80
    company.score(NOW - timedelta(1))
    company.add_use("acme", WEEKLY, {1: 52})
    company.score()
    first = company.read("acme")
    assert (first.factors["utilisation"]["x"], round(first.score or 0, 1), first.band) == (65, 72.2, Band.GREEN)
    company.score()
    second = company.read("acme")
    assert second.model_dump() == first.model_dump()
    with company.database.reading(company.workspace_id) as tx:
        assert list(list_scores(tx, "acme", TODAY - timedelta(5), TODAY)) == [YESTERDAY, TODAY]
        assert {day: row.band for day, row in list_day_scores(tx, ["acme"], [YESTERDAY, TODAY])["acme"].items()} == {
            YESTERDAY: Band.GREEN,
            TODAY: Band.GREEN,
        }
        assert list_bands(tx, ["acme"], YESTERDAY - timedelta(1)) == {}
        assert list_latest(tx, ["acme", "nobody"], YESTERDAY)["acme"].day == YESTERDAY


def test_scores_of_earlier_versions_are_read_from_their_factors(company: Company):
    company.add_account("acme", seats=100)
    company.add_use("acme", WEEKLY, daily(90, 1, 60))
    company.score()
    known = company.read("acme")
    with company.database.writing(company.workspace_id) as tx:
        short = list_day_scores(tx, ["acme"], [TODAY])["acme"][TODAY]
        tx.session.execute(update(HealthScoreRow).values(present=""))
        assert list_day_scores(tx, ["acme"], [TODAY])["acme"][TODAY] == short == to_day_score(known)
    assert short.factors


def test_accounts_not_started_archived_or_lost_are_left_out(company: Company):
    company.add_account("later", started_on=TODAY + timedelta(1))
    company.add_account("archived", archived_at=NOW)
    company.add_account("lost", state="lost")
    company.add_account("new", started_on=TODAY)
    assert company.score()["accounts"] == 1


def test_nothing_to_score_is_no_error(company: Company):
    report = score.run(company.database, company.workspace_id, NOW)
    assert set(report.counts.values()) == {0}
    assert report.lines == ("No usage has been imported: usage factors do not apply.",)


def test_the_score_day_is_the_workspaces(database: Database, workspace_id: str):
    company = Company(database, workspace_id)
    company.add_account("acme")
    late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    with database.reading(workspace_id) as tx:
        setting = score.read_setting(tx, late)
    assert (setting.day, setting.at) == (TODAY, datetime(2026, 3, 10, tzinfo=UTC))
    with database.writing(workspace_id) as tx:
        score.get_workspace(tx).zone = "Asia/Shanghai"
    with database.reading(workspace_id) as tx:
        setting = score.read_setting(tx, late)
    assert (setting.day, setting.at) == (date(2026, 3, 11), datetime(2026, 3, 10, 16, tzinfo=UTC))


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engines = {database._reader, database._writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_the_number_of_queries_does_not_depend_on_the_number_of_accounts(company: Company):
    company.add_account("a000", seats=5)
    company.add_use("a000", "export", daily(3, 1, 1))
    with counted_queries(company.database) as few:
        company.score()
    for number in range(1, 60):
        company.add_account(f"a{number:03}", seats=5)
    company.add_use("a059", "export", daily(3, 1, 1))
    with counted_queries(company.database) as many:
        company.score()
    assert len(many) == len(few)
    assert len(many) < 45


def test_pages_join_without_a_gap(company: Company):
    with company.database.writing(company.workspace_id) as tx:
        for number in range(score.PAGE + 3):
            name = f"a{number:04}"
            row = AccountRow(id=name, workspace_id=tx.workspace_id, slug=name, name=name, created_at=NOW)
            tx.session.add(row)
    assert company.score()["accounts"] == score.PAGE + 3
    with company.database.reading(company.workspace_id) as tx:
        days = tx.session.exec(
            select(HealthScoreRow.account_id).where(col(HealthScoreRow.workspace_id) == company.workspace_id)
        ).all()
    assert len(set(days)) == score.PAGE + 3


def test_rollup_pages_shrink_when_they_hold_the_writer_long_and_grow_back():
    size = PageSize()
    size.learn(0.2)
    assert size.days == 25
    for _ in range(20):
        size.learn(5)
    assert size.days == LEAST_DAYS
    for _ in range(20):
        size.learn(0.001)
    assert size.days == MOST_DAYS
