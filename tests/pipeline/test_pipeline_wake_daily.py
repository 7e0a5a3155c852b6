"""What comes every five minutes, in the middle of the daily scan: it leaves to the scan what that has found so far, so
that many alerts become one summary; but nothing waits for a run that failed, died, or takes for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from pipeline import scan, wake
from rules.alerts.alerts import Fired, decide
from rules.records import Actor, AlertKind, Severity
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, get_episode
from storage.db import JOB_WAIT_SECONDS, Database
from storage.delivery.leases import SCHEDULER, acquire
from storage.delivery.schedules import Run, ensure_schedules, fail_run, finish_run, start_due
from tests.alert_rows import TODAY, add_account, add_member, add_scores, list_outbox, steady

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SIX = datetime(2026, 3, 11, 6, tzinfo=UTC)
"""When the daily job is due; the owners, in Tokyo, are at work."""
OWNERS, EACH = 10, 3
ACCOUNTS = OWNERS * EACH


class Morning:
    """Accounts that have all fallen since the scan before, and a scheduler that has the lease."""

    def __init__(self, database: Database, workspace_id: str) -> None:
        self.database, self.workspace_id, self.epoch = database, workspace_id, 0
        with database.writing(workspace_id) as tx:
            for owner in range(OWNERS):
                add_member(tx, f"U{owner}", zone="Asia/Tokyo")
            for each in range(ACCOUNTS):
                add_account(tx, f"a{each:02}", owner_id=f"m-U{each // EACH}")
                add_scores(tx, f"a{each:02}", steady(TODAY - DAY, 90, 16) | {TODAY: 60, TODAY + DAY: 60})
        for days in (2, 1):
            scan.run(database, workspace_id, SIX - days * DAY)
        with database.writing(workspace_id) as tx:
            ensure_schedules(tx, SIX - 2 * MINUTE)

    def start(self, now: datetime, holder: str = "a") -> Run:
        """The daily run, begun (again) by a process that takes the lease if it has not got it."""
        with self.database.writing(self.workspace_id) as tx:
            epoch = acquire(tx.session, SCHEDULER, holder, now, 30)
            assert epoch is not None
            self.epoch = epoch
            return next(run for run in start_due(tx, now, epoch) if run.job == "daily")

    def finish(self, run: Run, now: datetime) -> None:
        with self.database.writing(self.workspace_id) as tx:
            assert finish_run(tx, run, self.epoch, now)

    def fail(self, run: Run, now: datetime) -> None:
        with self.database.writing(self.workspace_id) as tx:
            assert fail_run(tx, run, self.epoch, now, "out of memory")

    def open(self, account_id: str, by: str) -> str:
        """An alert of that moment; a critical one, which no budget stops."""
        fired = Fired(account_id, AlertKind.SILENCE, Severity.CRITICAL, 20.0, 10.0, "silence-1", {})
        with self.database.writing(self.workspace_id) as tx:
            [row] = apply_alerts(tx, decide(None, fired, SIX), Actor.job(by), SIX)
            return row.id

    def wake(self, now: datetime) -> None:
        wake.run(self.database, self.workspace_id, now)

    def scan(self, run: Run, after_page: Callable[[], None]) -> None:
        interrupted = _Interrupted(self.database.url)
        interrupted.after_page = after_page
        try:
            scan.run(interrupted, self.workspace_id, run.moment)
        finally:
            interrupted.close()

    def posts(self) -> Counter[str]:
        return Counter(row.kind for row in list_outbox(self.database, self.workspace_id) if not row.is_update)

    def sizes(self) -> list[int]:
        """Of the summaries."""
        with self.database.reading(self.workspace_id) as tx:
            mine = (EpisodeRow.workspace_id == tx.workspace_id, col(EpisodeRow.summary_id) != "")
            return sorted(Counter(tx.session.exec(select(EpisodeRow.summary_id).where(*mine))).values())

    def count_open(self) -> int:
        with self.database.reading(self.workspace_id) as tx:
            return len(tx.session.exec(select(EpisodeRow.id).where(EpisodeRow.workspace_id == tx.workspace_id)).all())


class _Interrupted(Database):
    """Lets something happen after the first commit, which is a page of the scan's."""

    after_page: Callable[[], None] | None

    @contextmanager
    def write(self, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Session]:
        with Database.write(self, wait_seconds=wait_seconds) as session:
            yield session
        happen, self.after_page = self.after_page, None
        if happen is not None:
            happen()


class _Dead(BaseException):
    """The process of the scan is gone."""


@pytest.fixture
def morning(database: Database, workspace_id: str) -> Morning:
    return Morning(database, workspace_id)


def test_in_the_middle_of_a_scan_it_leaves_the_one_summary_whole(morning: Morning):
    run = morning.start(SIX)

    def look() -> None:
        assert 5 < morning.count_open() < ACCOUNTS, "more than a page, less than all"
        morning.wake(SIX + 5 * MINUTE)
        assert not morning.posts()

    morning.scan(run, look)
    assert morning.posts() == {"alert_summary": 1}
    assert morning.sizes() == [ACCOUNTS]
    morning.finish(run, SIX + 6 * MINUTE)
    morning.wake(SIX + 10 * MINUTE)
    assert morning.posts() == {"alert_summary": 1}


def test_what_waited_for_its_hour_and_what_others_opened_is_told_meanwhile(morning: Morning):
    held, other = (morning.open(name, by) for name, by in (("a00", "scan"), ("a03", "test")))
    with morning.database.writing(morning.workspace_id) as tx:
        get_episode(tx, held).held_until = SIX + 4 * MINUTE

    def look() -> None:
        morning.wake(SIX + 5 * MINUTE)
        assert {row.reference for row in list_outbox(morning.database, morning.workspace_id)} == {held, other}

    morning.scan(morning.start(SIX), look)
    assert morning.posts() == {"alert": 2, "alert_summary": 1}


def die_after_a_page(morning: Morning, run: Run) -> int:
    """The scan dies; returns how many alerts it has opened."""

    def die() -> None:
        raise _Dead

    with pytest.raises(_Dead):
        morning.scan(run, die)
    return morning.count_open()


def test_what_a_failed_run_found_is_told_by_the_next_look(morning: Morning):
    run = morning.start(SIX)
    found = die_after_a_page(morning, run)
    morning.wake(SIX + 5 * MINUTE)
    assert not morning.posts(), "nobody knows yet"
    morning.fail(run, SIX + 6 * MINUTE)
    morning.wake(SIX + 10 * MINUTE)
    assert morning.sizes() == [found]
    again = morning.start(SIX + 12 * MINUTE)
    morning.scan(again, lambda: morning.wake(SIX + 15 * MINUTE))
    assert morning.sizes() == sorted([found, ACCOUNTS - found])


def test_what_a_dead_process_found_is_told_by_the_run_that_takes_over(morning: Morning):
    die_after_a_page(morning, morning.start(SIX))
    again = morning.start(SIX + MINUTE, holder="b")
    morning.scan(again, lambda: morning.wake(SIX + 5 * MINUTE))
    assert morning.sizes() == [ACCOUNTS]


def test_nothing_waits_for_a_dead_process_of_which_another_took_the_lease(morning: Morning):
    found = die_after_a_page(morning, morning.start(SIX))
    with morning.database.writing(morning.workspace_id) as tx:
        assert acquire(tx.session, SCHEDULER, "b", SIX + MINUTE, 30) == morning.epoch + 1
    morning.wake(SIX + 5 * MINUTE)
    assert morning.sizes() == [found]


def test_nothing_waits_longer_than_an_hour(morning: Morning):
    found = die_after_a_page(morning, morning.start(SIX))
    for minutes in range(5, 60, 5):
        morning.wake(SIX + minutes * MINUTE)
    assert not morning.posts()
    morning.wake(SIX + 60 * MINUTE)
    assert morning.sizes() == [found]
