"""The scheduler that holds the lease is killed or stopped, by right clocks and wrong ones: another goes on, what was
under way runs again, and what is done is not done twice.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from pipeline.scan import run as run_scan
from storage.alerts.alerts import AlertEventRow
from storage.alerts.conditions import ConditionRow
from storage.db import Database
from storage.delivery.leases import LeaseRow
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow, ensure_schedules
from storage.errors import BusyError
from tests.alert_rows import TODAY, add_account, add_scores, steady
from tests.conftest import NOW, add_workspace
from tests.crash.forked import Child, Forker
from tests.crash.others_children import LEASE_SECONDS
from tests.crash.test_others_clock import DAY, WRONG, name
from tests.crash.test_others_stop import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEDULE, SCAN = "tests.crash.others_children:schedule", "tests.crash.others_children:scan"
TAKE = "tests.crash.others_children:take_lease"
START = datetime(2026, 3, 10, 9, 1, tzinfo=UTC)
DUE = START + timedelta(minutes=5)
OCCURRENCE = datetime(2026, 3, 10, 9, 5, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
SCAN_DUE = datetime(2026, 3, 11, 6, 1, tzinfo=UTC)
ACCOUNTS = 20


def prepare(database: Database) -> str:
    """Schedules of which one is due at `DUE`; the workspace's id."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, START)
    return workspace_id


async def stop(holder: Child, database: Database) -> None:
    """Stop it between two transactions. It renews its lease ten times a second; in the middle of that it would keep
    everybody from writing: on SQLite the database, on PostgreSQL the row of the lease.
    """
    while True:
        holder.send(signal.SIGSTOP)
        try:
            with database.write(wait_seconds=0.5) as session:
                session.exec(select(LeaseRow).with_for_update()).all()
        except BusyError:
            holder.send(signal.SIGCONT)
            await asyncio.sleep(0.05)
        else:
            return


def list_runs(database: Database) -> list[ScheduleRunRow]:
    with database.read() as session:
        return list(session.exec(select(ScheduleRunRow)))


def get_epoch(database: Database) -> int:
    with database.read() as session:
        return session.exec(select(LeaseRow)).one().epoch


async def test_a_holder_killed_in_the_middle_is_followed_by_another(database: Database, forker: Forker):
    prepare(database)
    first = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat(), seconds=30.0)
    assert await first.hear() == f"begin {OCCURRENCE.isoformat()}"
    second = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat())
    await asyncio.sleep(1.5 * LEASE_SECONDS)
    assert second.said.empty(), "the holder lives and renews"
    await first.kill()
    killed_at = asyncio.get_running_loop().time()
    assert await second.hear() == f"begin {OCCURRENCE.isoformat()}"
    assert asyncio.get_running_loop().time() - killed_at < LEASE_SECONDS + 3.0
    await until(lambda: all(row.finished_at for row in list_runs(database)))
    await second.kill()
    third = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat())
    await until(lambda: get_epoch(database) == 3)
    await asyncio.sleep(0.5)
    await third.kill()
    assert third.said.empty(), "what is done stays done"
    (run,) = list_runs(database)
    assert (run.occurrence, run.attempts, run.epoch, run.error) == (OCCURRENCE, 2, 2, "")


async def test_a_holder_that_slept_past_its_lease_ends_nothing(database: Database, forker: Forker):
    """It wakes with its run done, while another is at it under the next epoch: only that one may end the run."""
    prepare(database)
    first = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat(), seconds=0.5)
    assert (await first.hear()).startswith("begin")
    await stop(first, database)
    second = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat(), seconds=2.0)
    assert (await second.hear()).startswith("begin")
    first.send(signal.SIGCONT)
    assert (await first.hear()).startswith("end")
    await asyncio.sleep(0.5)
    assert [row.finished_at for row in list_runs(database)] == [None], "the late end was refused"
    assert (await second.hear()).startswith("end")
    await until(lambda: all(row.finished_at for row in list_runs(database)))
    await first.kill()
    await second.kill()
    (run,) = list_runs(database)
    assert (run.attempts, run.epoch, run.error) == (2, 2, "")


async def test_who_is_stopped_while_taking_the_lease_holds_nobody_up_after_its_end(postgres_url: str, forker: Forker):
    """It has the row of the lease, for which the other waits."""
    database = Database(postgres_url)
    prepare(database)
    first = await forker.start(TAKE, url=database.url)
    assert await first.hear() == "in the middle"
    second = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat())
    assert await second.hear(LEASE_SECONDS + 5.0) == f"begin {OCCURRENCE.isoformat()}"
    first.send(signal.SIGCONT)
    assert await first.hear() == "cut off"
    await until(lambda: all(row.finished_at for row in list_runs(database)))
    await second.kill()
    database.close()


async def test_a_scan_that_slept_past_its_lease_writes_nothing_more(database: Database, forker: Forker, tmp_path: Path):
    """It wakes between two pages, while another is in the middle of the same scan."""
    prepare_scan(database)
    order = {"url": database.url, "business": SCAN_DUE.isoformat()}
    first = await forker.start(SCAN, **order, hold=str(tmp_path / "first"))
    assert [await first.hear(), await first.hear()] == ["page", "page"]
    await stop(first, database)
    second = await forker.start(SCAN, **order, hold=str(tmp_path / "second"))
    assert [await second.hear(), await second.hear()] == ["page", "page"]
    before = count_written(database)
    assert before["opened"] == 10, "what the first did stays, and is not done again"
    (tmp_path / "first").touch()
    first.send(signal.SIGCONT)
    assert await first.hear() == "LeaseLostError"
    await first.kill()  # it would have the lease again, should the second be slow
    assert count_written(database) == before
    assert first.said.empty()
    (tmp_path / "second").touch()
    await until(lambda: get_daily(database).finished_at is not None)
    assert (get_daily(database).attempts, get_daily(database).epoch, get_daily(database).error) == (2, 2, "")
    after = count_written(database)
    assert (after["opened"], after["held"]) == (ACCOUNTS, ACCOUNTS), "all are looked at, and held until somebody works"
    await second.kill()


def prepare_scan(database: Database) -> None:
    """Accounts that all have fallen by the next morning's scan, which is due at `SCAN_DUE`."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        for each in range(ACCOUNTS):
            add_account(tx, f"a{each:02}")
            add_scores(tx, f"a{each:02}", steady(TODAY - ONE_DAY, 90, 16) | {TODAY: 60, TODAY + ONE_DAY: 60})
    for offset in (-1, 0):
        run_scan(database, workspace_id, NOW + offset * ONE_DAY)
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, SCAN_DUE - timedelta(minutes=2))


def get_daily(database: Database) -> ScheduleRunRow:
    with database.read() as session:
        dailies = select(ScheduleRow.id).where(ScheduleRow.job == "daily")
        return session.exec(select(ScheduleRunRow).where(col(ScheduleRunRow.schedule_id).in_(dailies))).one()


def count_written(database: Database) -> Counter[str]:
    """All that a scan writes about accounts."""
    with database.read() as session:
        verbs = Counter(session.exec(select(AlertEventRow.verb)))
        return verbs + Counter(f"{row.rule} {row.state} {row.streak}" for row in session.exec(select(ConditionRow)))


@pytest.mark.parametrize("ahead", WRONG, ids=name)
async def test_a_lease_taken_by_a_wrong_clock_holds_nobody_up_after_its_end(
    sqlite_database: Database, forker: Forker, ahead: float
):
    database = sqlite_database
    prepare(database)
    wrong = await forker.start(SCHEDULE, url=database.url, business=START.isoformat(), ahead=ahead)
    await until(lambda: has_lease(database))
    await wrong.kill()
    right = await forker.start(SCHEDULE, url=database.url, business=DUE.isoformat())
    assert (await right.hear(LEASE_SECONDS + 5.0)).startswith("begin")
    await until(lambda: len(list_runs(database)) == 1 and all(row.finished_at for row in list_runs(database)))
    await right.kill()


def has_lease(database: Database) -> bool:
    with database.read() as session:
        return any(row.holder for row in session.exec(select(LeaseRow)))


@pytest.mark.parametrize("ahead", [-DAY, DAY], ids=name)
async def test_of_two_whose_clocks_differ_one_acts(postgres_url: str, forker: Forker, ahead: float):
    database = Database(postgres_url)
    prepare(database)
    order = {"url": database.url, "business": DUE.isoformat()}
    both = [await forker.start(SCHEDULE, **order, ahead=each) for each in (ahead, 0.0)]
    await until(lambda: has_lease(database) and all(row.finished_at for row in list_runs(database)))
    await asyncio.sleep(2 * LEASE_SECONDS)
    assert sum(each.said.qsize() for each in both) == 2, "one began and ended, once"
    for each in both:
        await each.kill()
    database.close()
