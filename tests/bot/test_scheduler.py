"""The scheduler runs what is due, once, whoever asks and whatever the job does."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from prometheus_client import Counter
from sqlmodel import select

from bot.clocks import Clocks, MovableClock, real_clocks
from bot.metrics import JOB_RUNS
from bot.scheduler import Scheduler
from pipeline import cleanup
from pipeline.report import JobReport
from storage.db import Database
from storage.delivery.leases import SCHEDULER, acquire
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow
from storage.people.members import get_member
from storage.people.team import list_people
from tests.alert_rows import add_member
from tests.conftest import add_workspace


class Jobs:
    """What ran, and jobs that behave and misbehave."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str, datetime]] = []

    def note(self, name: str):
        def run(_database: Database, workspace_id: str, now: datetime) -> JobReport:
            self.ran.append((name, workspace_id, now))
            return JobReport(name, {})

        return run

    def fail(self, _database: Database, _workspace_id: str, _now: datetime) -> JobReport:
        raise ValueError("no data")


def travel() -> tuple[MovableClock, Clocks]:
    wall = real_clocks().wall
    business = MovableClock(wall)
    return business, Clocks(business, wall)


def runs(database: Database, workspace_id: str) -> list[ScheduleRunRow]:
    with database.reading(workspace_id) as tx:
        return list(tx.session.exec(select(ScheduleRunRow).where(ScheduleRunRow.workspace_id == tx.workspace_id)))


def audiences(database: Database, workspace_id: str) -> set[str]:
    """For whom digests are made."""
    with database.reading(workspace_id) as tx:
        rows = tx.session.exec(select(ScheduleRow).where(ScheduleRow.workspace_id == tx.workspace_id))
        return {row.audience for row in rows if row.job == "digest"}


async def test_due_jobs_run_once_and_a_failing_one_stops_nobody(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    business, clocks = travel()
    jobs, nudges = Jobs(), []
    people = {name: jobs.note("of people") for name in ("checkins", "digest", "renewals")}
    known = {"wake": jobs.note("wake"), "daily": jobs.fail, "cleanup": cleanup.run, **people}
    scheduler = Scheduler(sqlite_database, known, clocks, on_run=lambda: nudges.append(1))
    await scheduler.tick()
    assert jobs.ran == []
    business.move_to(business() + timedelta(days=1, hours=1))
    await scheduler.tick()
    await scheduler.tick()
    assert [name for name, _, _ in jobs.ran if name != "of people"] == ["wake"]
    ended = {row.error for row in runs(sqlite_database, workspace_id)}
    assert ended == {"", "ValueError: no data"}
    assert len(nudges) == len(runs(sqlite_database, workspace_id))


async def test_who_ticks_waits_for_what_the_timer_started_as_well(sqlite_database: Database):
    add_workspace(sqlite_database)
    business, clocks = travel()
    has_begun, may_end, ended = threading.Event(), threading.Event(), []

    def run(_database: Database, _workspace_id: str, _now: datetime) -> JobReport:
        has_begun.set()
        may_end.wait(5)
        ended.append(1)
        return JobReport("wake", {})

    scheduler = Scheduler(sqlite_database, {"wake": run}, clocks, tick_seconds=0.05)
    await scheduler.tick()
    scheduler.start()
    business.move_to(business() + timedelta(minutes=6))
    await asyncio.to_thread(has_begun.wait, 5)
    ticking = asyncio.create_task(scheduler.tick())
    await asyncio.sleep(0.2)
    assert not ticking.done()
    may_end.set()
    await ticking
    assert ended == [1]
    scheduler.stop()
    await scheduler.drain(1.0)


async def test_a_person_in_a_new_zone_has_a_morning_without_a_restart(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    _, clocks = travel()
    scheduler = Scheduler(sqlite_database, {}, clocks)
    await scheduler.tick()
    with sqlite_database.writing(workspace_id) as tx:
        person = add_member(tx, "U1", zone="Asia/Tokyo")
    await scheduler.tick()
    assert "Asia/Tokyo 09:10" in audiences(sqlite_database, workspace_id)
    with sqlite_database.writing(workspace_id) as tx:
        get_member(tx, person.id).digest_at = "08:30"
    await scheduler.tick()
    assert {"Asia/Tokyo 08:30"} == {each for each in audiences(sqlite_database, workspace_id) if "Tokyo" in each}


async def test_another_process_does_not_trust_what_it_knew(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    _, clocks = travel()
    one, two = Scheduler(sqlite_database, {}, clocks), Scheduler(sqlite_database, {}, clocks)
    await one.tick()
    one.stop()
    await one.drain(1.0)
    await two.tick()
    with sqlite_database.writing(workspace_id) as tx:
        tx.session.delete(tx.session.exec(select(ScheduleRow).where(ScheduleRow.job == "digest")).one())
    two.stop()
    await two.drain(1.0)
    three = replace(one)
    three._ensured, three._epoch = one._ensured, one._epoch
    await three.tick()
    assert audiences(sqlite_database, workspace_id) == {"UTC 09:10"}


async def test_an_unknown_job_is_marked_not_forgotten(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    business, clocks = travel()
    scheduler = Scheduler(sqlite_database, {}, clocks)
    await scheduler.tick()
    business.move_to(business() + timedelta(minutes=6))
    await scheduler.tick()
    assert "there is no job wake" in {row.error for row in runs(sqlite_database, workspace_id)}


async def test_of_two_processes_one_acts_until_it_lets_go(sqlite_database: Database):
    add_workspace(sqlite_database)
    business, clocks = travel()
    first, second = Jobs(), Jobs()
    one = Scheduler(sqlite_database, {"wake": first.note("wake")}, clocks)
    two = Scheduler(sqlite_database, {"wake": second.note("wake")}, clocks)
    await one.tick()
    business.move_to(business() + timedelta(minutes=6))
    await two.tick()
    await one.tick()
    assert (len(first.ran), len(second.ran)) == (1, 0)
    one.stop()
    await one.drain(1.0)
    business.move_to(business() + timedelta(minutes=6))
    await two.tick()
    assert len(second.ran) == 1


async def test_a_run_that_another_process_took_over_writes_nothing_and_ends_nothing(
    database: Database, workspace_id: str
):
    business, clocks = travel()
    outcome = JOB_RUNS.labels("wake", "taken over")
    began = read_counter(outcome)

    def sleep_too_long(behind_fence: Database, workspace_id: str, _now: datetime) -> JobReport:
        with behind_fence.writing(workspace_id) as tx:
            add_member(tx, "U1")
        with database.write() as session:
            assert acquire(session, SCHEDULER, "another", clocks.wall() + timedelta(seconds=31), 10) == 2
        with behind_fence.writing(workspace_id) as tx:
            add_member(tx, "U2")
        return JobReport("wake", {})

    scheduler = Scheduler(database, {"wake": sleep_too_long}, clocks)
    await scheduler.tick()
    business.move_to(business() + timedelta(minutes=6))
    await scheduler.tick()
    with database.reading(workspace_id) as tx:
        assert [row.slack_id for row in list_people(tx)] == ["U1"]
    (run,) = (row for row in runs(database, workspace_id) if row.attempts == 1 and not row.finished_at)
    assert (run.epoch, run.error) == (1, "")
    assert read_counter(outcome) == began + 1


def read_counter(counter: Counter) -> float:
    return next(sample.value for metric in counter.collect() for sample in metric.samples)


async def test_the_timer_ticks_by_itself_and_stops(sqlite_database: Database):
    add_workspace(sqlite_database)
    business, clocks = travel()
    jobs = Jobs()
    done = asyncio.Event()
    scheduler = Scheduler(sqlite_database, {"wake": jobs.note("wake")}, clocks, tick_seconds=0.1, on_run=done.set)
    await scheduler.tick()
    business.move_to(business() + timedelta(minutes=6))
    scheduler.start()
    async with asyncio.timeout(5):
        await done.wait()
    scheduler.stop()
    await scheduler.drain(2.0)
    assert len(jobs.ran) == 1


async def test_a_run_cut_off_by_the_end_of_its_process_runs_in_the_next(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    business, clocks = travel()
    hold, held = threading.Event(), threading.Event()

    def hang(_database: Database, _workspace_id: str, _now: datetime) -> JobReport:
        held.set()
        hold.wait(5)
        return JobReport("wake", {})

    one = Scheduler(sqlite_database, {"wake": hang}, clocks, tick_seconds=0.1)
    await one.tick()
    business.move_to(business() + timedelta(minutes=6))
    one.start()
    await asyncio.to_thread(held.wait, 5)
    one.stop()
    await one.drain(0.1)
    jobs = Jobs()
    two = Scheduler(sqlite_database, {"wake": jobs.note("wake")}, clocks)
    await two.tick()
    hold.set()
    assert len(jobs.ran) == 1
    assert {row.attempts for row in runs(sqlite_database, workspace_id)} >= {2}


async def test_the_watchdog_tells_when_the_tick_stands_still(sqlite_database: Database):
    _, clocks = travel()
    hold, told = threading.Event(), threading.Event()
    scheduler = Scheduler(sqlite_database, {}, clocks, tick_seconds=0.1, on_stale=told.set)
    scheduler.start()
    with sqlite_database.write():
        assert await asyncio.to_thread(told.wait, 5)
    hold.set()
    scheduler.stop()
    await scheduler.drain(2.0)
