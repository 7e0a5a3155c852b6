"""The scheduler over time: clock changes, clocks that jump, days slept over, a long job, a tick that hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clocks import Clocks, read_wall
from bot.registry import LANES
from bot.scheduler import Scheduler
from bot.watchdog import Watchdog
from pipeline.report import JobReport
from storage.db import Database
from storage.people.workspaces import get_workspace
from tests.conftest import NOW, add_workspace

ROOT = Path(__file__).resolve().parents[2]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JOBS = ("daily", "wake", "cleanup", "checkins", "digest", "renewals")


class Stage:
    """A scheduler whose business clock stands where it is put, and what ran at which moment."""

    def __init__(self, database: Database, zone: str = "UTC", start: datetime = NOW) -> None:
        self.workspace_id = add_workspace(database)
        with database.writing(self.workspace_id) as tx:
            get_workspace(tx).zone = zone
        self.now = start
        self.ran: list[tuple[str, datetime, datetime]] = []
        jobs = {name: self.note(name) for name in JOBS}
        self.scheduler = Scheduler(database, jobs, Clocks(lambda: self.now, read_wall), LANES)

    def note(self, name: str):
        def run(_database: Database, _workspace_id: str, moment: datetime) -> JobReport:
            self.ran.append((name, moment, self.now))
            return JobReport(name, {})

        return run

    async def at(self, moment: datetime) -> list[str]:
        """The names of what runs when the clock shows that."""
        before = len(self.ran)
        self.now = moment
        await self.scheduler.tick()
        return [name for name, _, _ in self.ran[before:]]

    def moments(self, job: str) -> list[datetime]:
        return [moment for name, moment, _ in self.ran if name == job]


def nights(zone: str) -> list[datetime]:
    """The midnights (UTC) before the days of 2026 on which the zone's clock changes, or one day if it never does."""
    local = ZoneInfo(zone)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + number * DAY for number in range(364)]
    return [
        day for day in days if day.astimezone(local).utcoffset() != (day + DAY).astimezone(local).utcoffset()
    ] or days[:1]


@pytest.mark.parametrize("zone", ZONES)
async def test_ticked_every_hour_over_each_change_of_the_clock_a_day_has_one_run(sqlite_database: Database, zone: str):
    """Rules are tried over the whole year (test_rules_schedules); here the rows and the tick, around the changes."""
    stage = Stage(sqlite_database, zone, nights(zone)[0] - 2 * DAY)
    for night in nights(zone):
        await stage.at(night - 2 * DAY)
        await stage.at(night - 12 * HOUR)  # makes up for the day between, which may end elsewhere by then
        stage.ran.clear()
        for hour in range(-6, 34):
            await stage.at(night + hour * HOUR)
        for job in ("daily", "cleanup", "renewals"):
            days = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in stage.moments(job))
            assert (night + 12 * HOUR).astimezone(ZoneInfo(zone)).date() in days
            assert set(days.values()) == {1}


@pytest.mark.parametrize("jump", [-DAY, -HOUR, HOUR, DAY], ids=str)
async def test_a_clock_that_jumps_takes_no_day_and_doubles_none(sqlite_database: Database, jump: timedelta):
    stage = Stage(sqlite_database)
    await stage.at(NOW)
    jumped = NOW + 20 * HOUR  # before the daily job
    await stage.at(jumped)
    await stage.at(jumped + jump)
    await stage.at(jumped + jump + timedelta(minutes=10))
    for hour in range(0, 24 * 4, 4):
        await stage.at(jumped + hour * HOUR)
    days = Counter(moment.date() for moment in stage.moments("daily"))
    assert {(NOW + number * DAY).date() for number in range(1, 5)} <= set(days)
    assert set(days.values()) == {1}
    assert len(stage.moments("wake")) >= 24


async def test_after_days_of_sleep_each_job_runs_once_the_digest_after_the_scan(sqlite_database: Database):
    stage = Stage(sqlite_database)
    await stage.at(NOW)
    ran = await stage.at(NOW + 5 * DAY + HOUR)
    assert Counter(ran) == Counter(JOBS)
    assert ran.index("daily") < min(ran.index(each) for each in ("digest", "checkins", "renewals"))
    assert stage.moments("daily") == [datetime(2026, 3, 15, 6, tzinfo=UTC)]
    assert stage.moments("digest")[0].date() == date(2026, 3, 15)


async def test_a_long_job_does_not_hold_up_what_comes_every_five_minutes(sqlite_database: Database):
    stage = Stage(sqlite_database)
    await stage.at(NOW)
    begun, hold = threading.Event(), threading.Event()

    def scan(_database: Database, _workspace_id: str, _moment: datetime) -> JobReport:
        begun.set()
        hold.wait(30)
        return JobReport("daily", {})

    stage.scheduler.jobs = {**stage.scheduler.jobs, "daily": scan}
    stage.scheduler.tick_seconds = 0.05
    stage.now = NOW + 21 * HOUR
    stage.scheduler.start()
    assert await asyncio.to_thread(begun.wait, 10)
    try:
        async with asyncio.timeout(20):
            for count in range(1, 4):
                while len(stage.moments("wake")) < count:  # noqa: ASYNC110  # the scheduler's own tick
                    await asyncio.sleep(0.01)
                stage.now += timedelta(minutes=5)
        assert stage.moments("digest") == []
    finally:
        hold.set()
        stage.scheduler.stop()
        await stage.scheduler.drain(10)


async def test_what_a_workspace_is_told_in_the_morning_does_not_wait_for_the_daily_run_of_another(
    sqlite_database: Database,
):
    stage = Stage(sqlite_database)
    other = add_workspace(sqlite_database, "T0000002")
    with sqlite_database.writing(other) as tx:
        get_workspace(tx).zone = "Asia/Kolkata"
    await stage.at(NOW)
    await stage.at(NOW + 16 * HOUR)  # in Kolkata it is half past six
    begun, hold = threading.Event(), threading.Event()
    told: list[str] = []

    def scan(_database: Database, workspace_id: str, _moment: datetime) -> JobReport:
        assert workspace_id == stage.workspace_id
        begun.set()
        hold.wait(30)
        return JobReport("daily", {})

    def tell(_database: Database, workspace_id: str, _moment: datetime) -> JobReport:
        told.append(workspace_id)
        return JobReport("digest", {})

    stage.scheduler.jobs = {**stage.scheduler.jobs, "daily": scan, "digest": tell}
    stage.now = NOW + 21 * HOUR
    stage.scheduler.start()
    try:
        assert await asyncio.to_thread(begun.wait, 10)
        async with asyncio.timeout(10):
            while not told:  # noqa: ASYNC110  # the scheduler's own tick
                await asyncio.sleep(0.01)
        assert told == [other]
    finally:
        hold.set()
        stage.scheduler.stop()
        await stage.scheduler.drain(10)


def test_the_wall_clock_put_back_makes_the_tick_be_set_anew():
    ahead, told = [timedelta()], threading.Event()
    dog = Watchdog(0.01, lambda: 0.0, lambda: read_wall() + ahead[0], lambda: None, told.set)
    dog.start()
    assert not told.wait(0.1)
    ahead[0] = -HOUR
    assert told.wait(5)
    dog.stop()


_HANGS = """
import asyncio, sys, time
from bot.clocks import real_clocks
from bot.scheduler import Scheduler
from bot.serving import _give_up
from storage.db import Database

async def main():
    scheduler = Scheduler(Database(sys.argv[1]), {}, real_clocks(), tick_seconds=0.1, on_stale=_give_up)
    scheduler.start()
    await asyncio.sleep(0.5)
    print("ticking", flush=True)
    time.sleep(60)

asyncio.run(main())
"""


def test_a_process_whose_tick_hangs_ends_itself(sqlite_database: Database):
    """So that whatever supervises it starts a new one."""
    command = [sys.executable, "-c", _HANGS, sqlite_database.url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert "ticking" in done.stdout
    assert done.returncode == 70
