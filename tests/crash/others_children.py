"""What the children of `forked` do in the tests of other faults: deliver, schedule, back up, restore, upgrade. Each may
be stopped or killed anywhere, and may live by a clock that is wrong.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import alembic.command  # noqa: F401  # imported lazily in production; here once, before the forks
import psycopg  # noqa: F401  # likewise
from sqlmodel import Session

import pipeline.scan
from bot.clocks import Clocks, read_wall
from bot.scheduler import Job, Scheduler
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message
from pipeline.report import JobReport
from rules.delivery.outbox import Pace
from storage.clock import read_clock
from storage.copies import back_up, restore
from storage.db import JOB_WAIT_SECONDS, Database, Tx
from storage.delivery.leases import SCHEDULER, acquire
from storage.errors import CutOffError
from storage.revision import upgrade
from tests.crash.forked import Say
from words.reader import Reader

# As in production, in a smaller scale: the settle time is longer than a request of the fake Slack takes to land.
PACE = Pace(lease=1.0, settle=0.4, spacing=0.01, poll=0.05, timeout=0.4, sweep=60.0)
LEASE_SECONDS, TICK_SECONDS = 1.5, 0.1


def deliver(say: Say, url: str, slack: str, ahead: float = 0.0, hold: str = "") -> None:
    """Deliver for ever, by a wall clock that is `ahead` by so many seconds. With `hold`, a path: say what is being
    rendered, and go on only once there is a file of that name.
    """

    def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
        say(reference)
        while hold and not Path(hold).exists():
            time.sleep(0.01)  # noqa: TID251  # it waits for a test in another process
        return Message(reference)

    client = open_client("xoxb-test", slack)
    delivery = Delivery(Database(url), {"note": render}, lambda _: client, clocks(ahead), pace=PACE)
    asyncio.run(delivery.run())


def schedule(say: Say, url: str, business: str, ahead: float = 0.0, seconds: float = 0.0) -> None:
    """Tick for ever at the business moment `business`; a run of the job says that it begins, and that it is done after
    so many seconds.
    """

    def run(_database: Database, _workspace_id: str, now: datetime) -> JobReport:
        say(f"begin {now.isoformat()}")
        time.sleep(seconds)  # noqa: TID251  # a job that takes a while
        say(f"end {now.isoformat()}")
        return JobReport("wake", {})

    asyncio.run(_tick(Database(url), {"wake": run}, business, ahead))


def take_lease(say: Say, url: str) -> None:
    """Take the scheduler's lease, and stop in the middle; who is woken says what became of it."""
    try:
        with Database(url).write() as session:
            acquire(session, SCHEDULER, "stopped", read_clock(session, read_wall()), LEASE_SECONDS)
            say("in the middle")
            signal.raise_signal(signal.SIGSTOP)
    except CutOffError:
        say("cut off")
    else:
        say("taken")


def scan(say: Say, url: str, business: str, hold: str) -> None:
    """Tick for ever; the daily job is a scan in small pages, which says what it has committed and how it ended. After
    two of its commits it goes on only once there is a file `hold`.
    """
    pipeline.scan._WRITE_PAGE = 5

    def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
        try:
            report = pipeline.scan.run(database, workspace_id, now)
        except BaseException as error:
            say(type(error).__name__)
            raise
        say("done")
        return report

    database = _HaltingDatabase(url)
    database.say, database.hold = say, Path(hold)
    asyncio.run(_tick(database, {"daily": run}, business))


class _HaltingDatabase(Database):
    """Tells of what jobs commit, and halts after their second commit, between two transactions."""

    say: Say
    hold: Path
    count = 0

    @contextmanager
    def write(self, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Session]:
        with Database.write(self, wait_seconds=wait_seconds) as session:
            yield session
        if self.fence is not None:
            self.count += 1
            self.say("page")
        while self.count == 2 and not self.hold.exists():
            time.sleep(0.01)  # noqa: TID251  # it waits for a test in another process


async def _tick(database: Database, jobs: Mapping[str, Job], business: str, ahead: float = 0.0) -> None:
    """Tick for ever; what is not among the jobs does nothing."""
    moment = datetime.fromisoformat(business)
    names = ("wake", "daily", "cleanup", "checkins", "digest", "renewals")
    quiet: dict[str, Job] = {name: lambda *_: JobReport("quiet", {}) for name in names}
    two = Clocks(lambda: moment, clocks(ahead).wall)
    scheduler = Scheduler(database, {**quiet, **jobs}, two, tick_seconds=TICK_SECONDS, lease_seconds=LEASE_SECONDS)
    scheduler.start()
    if scheduler._timer is not None:  # which goes by the machine's clock, that is right
        scheduler._timer.get_jobs()[0].modify(next_run_time=read_wall())
    await asyncio.Event().wait()


def clocks(ahead: float) -> Clocks:
    """The machine's clocks, ahead by so many seconds."""

    def wall() -> datetime:
        return read_wall() + timedelta(seconds=ahead)

    return Clocks(wall, wall)


def copy_out(say: Say, url: str, path: str, dies_after: float = 0.0) -> None:
    _dying(dies_after)
    begun = time.perf_counter()
    back_up(Database(url), Path(path))
    say(str(time.perf_counter() - begun))


def copy_back(say: Say, url: str, path: str, dies_after: float = 0.0) -> None:
    _dying(dies_after)
    begun = time.perf_counter()
    restore(Database(url), Path(path))
    say(str(time.perf_counter() - begun))


def migrate(say: Say, url: str, dies_after: float = 0.0) -> None:
    _dying(dies_after)
    begun = time.perf_counter()
    upgrade(Database(url))
    say(str(time.perf_counter() - begun))


def _dying(after: float) -> None:
    """End this process so many seconds from now, wherever it is, even in the middle of SQLite's own code."""
    if after:
        signal.setitimer(signal.ITIMER_REAL, after)
