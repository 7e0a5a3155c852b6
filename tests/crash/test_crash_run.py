"""The running bot killed at any moment, while its daily job scans and while it delivers alerts, with Slack failing too:
no alert lost, none doubled, every channel in order.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import col, select, update

from bot.registry import SLICES
from bot.slack.manifest import build_manifest
from bot.wiring import with_help
from pipeline import daily
from playground.faults import Fault
from playground.installing import Installed
from playground.model import Channel, Team, User
from playground.seed import Seed
from playground.server import Playground
from rules.records import Enqueue
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import MESSAGE, EpisodeRow
from storage.copies import copy_database
from storage.db import Database
from storage.delivery.leases import LeaseRow
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow
from storage.revision import upgrade
from tests.alert_rows import add_account, add_episode
from tests.conftest import add_workspace
from tests.crash.run_customers import CHANNELS, CUSTOMERS, DAY, DAYS, START, import_customers, import_use

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("run_process.py")
LEAD = "U0000000LEAD"
KILLS_IN_A_RUN = 2  # a run that ends with its process a third time is given up, by design
FAULTS = (
    Fault.drop_after_accept(),
    Fault.drop_after_accept(),
    Fault.fail(500),
    Fault.answer_late(0.6),
    Fault.refuse("internal_error"),
    Fault.rate_limit(1),
)


def make_seed() -> Seed:
    """A lead and the channels of the customers."""
    lead = User(id=LEAD, name="lead", real_name="The lead", email="lead@example.com", tz="UTC", is_admin=True)
    channels = [Channel(id=each, name=each.lower(), members=[LEAD]) for each in CHANNELS]
    return Seed(team=Team(id="T0000CRASH", name="Crash", domain="crash"), users=[lead], channels=channels)


# ---------------------------------------------------------------- the bot


@dataclass
class Bot:
    """Starts servers over one database and one Slack, and kills them."""

    program: Process
    kills: int = 0

    async def start(self, moment: datetime) -> int:
        """A server whose business clock stands at `moment`, once it serves; its process id."""
        assert self.program.stdin is not None
        self.program.stdin.write(f"{moment.isoformat()}\n".encode())
        pid = int(await self._read())
        assert await self._read() == "ready"
        return pid

    async def _read(self) -> str:
        assert self.program.stdout is not None
        return (await asyncio.wait_for(self.program.stdout.readline(), 20)).decode().strip()

    def kill(self, pid: int) -> None:
        """As a machine that loses power."""
        os.kill(pid, signal.SIGKILL)
        self.kills += 1


def make_environment(app: Installed, slack: Playground, database: Database) -> dict[str, str]:
    """What `milepost run` is told."""
    return {
        "PYTHONPATH": str(ROOT),
        "HOME": str(Path(database.url.removeprefix("sqlite:///")).parent),
        "MILEPOST_DATABASE_URL": database.url,
        "MILEPOST_SLACK_BOT_TOKEN": app.bot_token,
        "MILEPOST_SLACK_APP_TOKEN": app.app_token,
        "MILEPOST_SLACK_API_URL": slack.api_url,
    }


@asynccontextmanager
async def open_bot(environment: dict[str, str]) -> AsyncIterator[Bot]:
    command = (sys.executable, str(PROGRAM))
    program = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    try:
        yield Bot(program)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        await program.wait()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what it waits for happens in another process
            await asyncio.sleep(0.02)


@contextmanager
def prepared(folder: Path, team_id: str) -> Iterator[tuple[Database, str]]:
    """A database with the customers in it, as the team that is about to connect will find it."""
    database = Database(f"sqlite:///{folder / 'milepost.db'}")
    upgrade(database)
    workspace_id = add_workspace(database, team_id)
    import_customers(database, workspace_id)
    yield database, workspace_id
    database.close()


# ---------------------------------------------------------------- what came of it


def list_rows(database: Database, row: Any) -> list[Any]:
    with database.read() as session:
        return list(session.exec(select(row)))


def list_runs(database: Database, moment: datetime) -> list[ScheduleRunRow]:
    """The run of the daily job on that day, if it has begun."""
    schedules = {row.id for row in list_rows(database, ScheduleRow) if row.job == "daily"}
    occurrence = moment.replace(hour=6)
    runs = list_rows(database, ScheduleRunRow)
    return [row for row in runs if row.schedule_id in schedules and row.occurrence == occurrence]


def has_begun(database: Database, moment: datetime) -> bool:
    return bool(list_runs(database, moment))


def is_done(database: Database, moment: datetime) -> bool:
    return any(row.finished_at for row in list_runs(database, moment))


def is_delivered(database: Database) -> bool:
    return all(row.state == "sent" for row in list_rows(database, OutboxRow))


def describe(database: Database) -> dict[str, Counter[tuple[object, ...]]]:
    """The alerts and what was to be said of them, without the ids made up on the way."""
    names = {row.id: row.name for row in list_rows(database, AccountRow)}
    episodes = {row.id: row for row in list_rows(database, EpisodeRow)}
    return {
        "alerts": Counter((names[each.account_id], each.kind, each.channel_id) for each in episodes.values()),
        "messages": Counter(
            (row.kind, row.channel, names[episodes[row.reference].account_id] if row.reference in episodes else "")
            for row in list_rows(database, OutboxRow)
        ),
    }


def list_keys(slack: Playground, channel: str) -> list[str]:
    """The metadata keys of what stands in a channel, in order."""
    standing = slack.core.workspace.messages.get(channel, {}).values()
    return [
        each.metadata["event_payload"]["key"] for each in sorted(standing, key=lambda each: each.ts) if each.metadata
    ]


# ---------------------------------------------------------------- the test


async def test_the_bot_killed_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path):
    chance = random.Random(11)
    async with Playground(make_seed(), port=0) as slack:
        manifest = build_manifest(with_help(SLICES), is_socket_mode=True, url="https://bot.example.com")
        app = slack.install(manifest, installer=LEAD)
        slack.faults.append(lambda method, _: fail_now_and_then(method, chance))
        with prepared(tmp_path, "T0000CRASH") as (database, workspace_id):
            copy_database(database, tmp_path / "calm.db")
            async with open_bot(make_environment(app, slack, database)) as bot:
                first = await bot.start(START)
                await until(lambda: bool(list_rows(database, ScheduleRow)))
                bot.kill(first)
                for number in range(1, DAYS + 1):
                    moment = START + number * DAY
                    import_use(database, workspace_id, [(moment - DAY).date()], moment - DAY)
                    await live_through(bot, database, moment, chance)
                slack.faults.clear()
                last = await bot.start(moment)
                await until(lambda: is_delivered(database))
                bot.kill(last)
            assert bot.kills >= 15
            assert any(row.attempts > 1 for row in list_rows(database, ScheduleRunRow)), "a job was hit"
            assert any(row.attempts > 1 for row in list_rows(database, OutboxRow)), "a delivery was hit"
            assert describe(database) == describe_calm(tmp_path, workspace_id)
            check_slack(slack, list_rows(database, OutboxRow))


def fail_now_and_then(method: str, chance: random.Random) -> Fault | None:
    return chance.choice(FAULTS) if method == "chat.postMessage" and chance.random() < 0.4 else None


async def live_through(bot: Bot, database: Database, moment: datetime, chance: random.Random) -> None:
    """A day on which the process ends again and again: in the job's run, and while its alerts go out."""
    for _ in range(KILLS_IN_A_RUN - 1):
        pid = await bot.start(moment)
        await asyncio.sleep(chance.uniform(0, 0.6))
        bot.kill(pid)
    pid = await bot.start(moment)
    await until(lambda: has_begun(database, moment))
    await asyncio.sleep(chance.uniform(0, 0.15))
    bot.kill(pid)
    pid = await bot.start(moment)
    await until(lambda: is_done(database, moment))
    await asyncio.sleep(chance.uniform(0, 0.3))
    bot.kill(pid)


def describe_calm(folder: Path, workspace_id: str) -> dict[str, Counter[tuple[object, ...]]]:
    """The same days where nothing went wrong."""
    calm = Database(f"sqlite:///{folder / 'calm.db'}")
    for number in range(1, DAYS + 1):
        moment = START + number * DAY
        import_use(calm, workspace_id, [(moment - DAY).date()], moment - DAY)
        daily.run(calm, workspace_id, moment.replace(hour=6))
    found = describe(calm)
    calm.close()
    assert len(found["alerts"]) == CUSTOMERS
    return found


def check_slack(slack: Playground, rows: list[OutboxRow]) -> None:
    """Each message stands once, where it should, in the order in which it was to be said."""
    ordered = sorted(rows, key=lambda row: row.seq)
    for channel in CHANNELS:
        assert list_keys(slack, channel) == [row.dedupe_key for row in ordered if row.channel == channel]
    assert sum(len(list_keys(slack, each)) for each in CHANNELS) == len(rows)


# ---------------------------------------------------------------- the command itself


async def test_milepost_run_killed_between_two_messages_goes_on_where_it_was(tmp_path: Path):
    """The very command, at its own pace; what waits for a lease to run out is made to have waited."""
    async with Playground(make_seed(), port=0) as slack:
        manifest = build_manifest(with_help(SLICES), is_socket_mode=True, url="https://bot.example.com")
        app = slack.install(manifest, installer=LEAD)
        database = Database(f"sqlite:///{tmp_path / 'milepost.db'}")
        upgrade(database)
        add_alerts(database, add_workspace(database, "T0000CRASH"))
        environment = make_environment(app, slack, database)
        slack.faults.append(lambda method, _: Fault.answer_late(0.3) if method == "chat.postMessage" else None)
        bot = await start_command(environment)
        await until(lambda: any(list_keys(slack, each) for each in CHANNELS))
        bot.kill()
        await bot.wait()
        assert not is_delivered(database)
        slack.faults.clear()
        let_leases_end(database)
        bot = await start_command(environment)
        async with asyncio.timeout(30):
            while not is_delivered(database):
                await asyncio.sleep(0.5)
                let_settle(database)
        bot.terminate()
        assert await asyncio.wait_for(bot.wait(), 12) == 0
        check_slack(slack, list_rows(database, OutboxRow))
        database.close()


def add_alerts(database: Database, workspace_id: str) -> None:
    """Two alerts in each of three channels, to be announced."""
    with database.writing(workspace_id) as tx:
        for number in range(6):
            account = add_account(tx, f"c{number}")
            row = add_episode(tx, account.id, channel_id=CHANNELS[number % 3])
            enqueue(tx, [Enqueue(MESSAGE, row.id, row.channel_id)], START)


async def start_command(environment: dict[str, str]) -> Process:
    """`milepost run`, once it says that it is ready."""
    program = "from bot.main import main; main(['run'])"
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, env=environment, stdout=DEVNULL, stderr=PIPE
    )
    assert bot.stderr is not None
    async with asyncio.timeout(20):
        while b"Milepost is ready in Crash over Socket Mode" not in (line := await bot.stderr.readline()):
            assert line, "it ended"
    return bot


def let_leases_end(database: Database) -> None:
    """As if a minute had passed since the process died."""
    with database.write() as session:
        session.execute(update(LeaseRow).values(expires_at=START))
        session.execute(update(OutboxRow).where(col(OutboxRow.state) == "sending").values(lease_until=START))


def let_settle(database: Database) -> None:
    """As if the settle time had passed."""
    with database.write() as session:
        session.execute(update(OutboxRow).where(col(OutboxRow.state) == "uncertain").values(uncertain_since=START))
