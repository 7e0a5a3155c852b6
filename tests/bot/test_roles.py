"""Several processes on one PostgreSQL: payloads through any web, alerts by whichever scheduler has the lease, messages
by any worker, each once; and what becomes of it when one is killed or told to stop.
"""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession
from sqlmodel import col, delete, select, update

from bot.registry import SLICES
from bot.slack.manifest import PATH, build_manifest
from bot.wiring import with_help
from playground.server import Installed, Playground
from storage.accounts.notes import NoteRow
from storage.alerts.alerts import EpisodeRow
from storage.db import Database
from storage.delivery.leases import LeaseRow
from storage.delivery.outbox import OutboxRow
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow
from storage.people.workspaces import get_workspace
from storage.revision import upgrade
from tests.alert_rows import add_account, add_episode
from tests.conftest import NOW, add_workspace
from tests.crash.forked import Child, Forker, open_forker
from tests.crash.test_crash_run import LEAD, make_seed, until

CHANNEL = "C0000000000"


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[Database]:
    """A PostgreSQL database made by the migrations, as the processes expect it."""
    name = f"roles_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = postgres.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?")
    database = Database(url)
    upgrade(database)
    yield database
    database.close()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Stage:
    """A Slack, a database and processes between them."""

    slack: Playground
    app: Installed
    database: Database
    workspace_id: str
    forker: Forker
    session: ClientSession
    environment: dict[str, str]
    children: list[Child] = field(default_factory=list)

    async def start(self, role: str, **more: str) -> tuple[Child, int]:
        """A process of that role, once it is ready, and the port of a web."""
        child = await self.forker.start(
            "tests.bot.role_process:serve_role",
            role=role,
            environment={**self.environment, **more},
            moment=NOW.isoformat(),
        )
        return child, json.loads(await child.hear(60))["port"]

    async def type(self, web_port: int, text: str) -> None:
        """A command that Slack sends to that web."""
        self.slack.set_request_url(self.app.app_id, f"http://127.0.0.1:{web_port}{PATH}")
        command = {"user": LEAD, "channel": CHANNEL, "text": f"/cs {text}", "wait_seconds": 5}
        async with self.session.post("/_play/command", json=command) as response:
            assert response.status == 200, await response.text()

    def open_episode(self, name: str) -> str:
        """An alert that nobody was told of yet; its id."""
        with self.database.writing(self.workspace_id) as tx:
            account = add_account(tx, name, tier="A")
            return add_episode(tx, account.id, channel_id=CHANNEL, announced_at=None).id

    def make_due(self, job: str) -> None:
        """As if the job had not run yet."""
        with self.database.write() as session:
            session.execute(delete(ScheduleRunRow))
            session.execute(
                update(ScheduleRow).where(col(ScheduleRow.job) == job).values(next_at=NOW - timedelta(minutes=5))
            )

    def list(self, row: type[Any]) -> list[Any]:
        with self.database.read() as session:
            return list(session.exec(select(row)))

    def posts(self) -> Counter[str]:
        """How often each message stands in the channel, by its key."""
        standing = self.slack.core.workspace.messages.get(CHANNEL, {}).values()
        return Counter(each.metadata["event_payload"]["key"] for each in standing if each.metadata)

    def is_posted(self, episode_id: str) -> bool:
        return any(row.reference == episode_id and row.state == "sent" for row in self.list(OutboxRow))


@asynccontextmanager
async def open_stage(database: Database, folder: Path) -> AsyncIterator[Stage]:
    async with Playground(make_seed(), port=0) as slack, ClientSession(slack.url) as session:
        manifest = build_manifest(with_help(SLICES), is_socket_mode=False, url="https://bot.example.com")
        app = slack.install(manifest, installer=LEAD)
        slack.join(CHANNEL, app.bot_user_id)
        environment = {
            "HOME": str(folder),
            "MILEPOST_DATABASE_URL": database.url,
            "MILEPOST_SLACK_BOT_TOKEN": app.bot_token,
            "MILEPOST_SLACK_SIGNING_SECRET": app.signing_secret,
            "MILEPOST_SLACK_API_URL": slack.api_url,
            "MILEPOST_HTTP_PORT": "0",
            "MILEPOST_LOG_FORMAT": "json",
        }
        workspace_id = add_workspace(database, "T0000CRASH")
        with database.writing(workspace_id) as tx:
            get_workspace(tx).team_channel_id = CHANNEL
        async with open_forker(folder / "log.jsonl") as forker:
            yield Stage(slack, app, database, workspace_id, forker, session, environment)


def holder(stage: Stage) -> str:
    return next((row.holder for row in stage.list(LeaseRow) if row.name == "scheduler"), "")


def has_run(stage: Stage, job: str, count: int) -> Callable[[], bool]:
    def has() -> bool:
        wanted = {row.id for row in stage.list(ScheduleRow) if row.job == job}
        done = [row for row in stage.list(ScheduleRunRow) if row.schedule_id in wanted and row.finished_at]
        return len(done) >= count

    return has


async def test_two_of_each_role_share_the_work_and_one_scheduler_follows_the_other(
    empty_postgres: Database, tmp_path: Path
):
    async with open_stage(empty_postgres, tmp_path) as stage:
        first, _ = await stage.start("scheduler")
        await until(lambda: bool(stage.list(ScheduleRow)))
        led_by = holder(stage)
        started = await asyncio.gather(*(stage.start(role) for role in ("scheduler", "web", "web", "worker", "worker")))
        webs = [port for _, port in started[1:3]]
        assert len(set(webs)) == 2

        acme = stage.open_episode("Acme")
        stage.make_due("wake")
        await until(lambda: stage.is_posted(acme))
        assert holder(stage) == led_by

        began = asyncio.get_running_loop().time()
        await stage.type(webs[0], "alerts take Acme")
        await until(lambda: all(row.state == "sent" for row in stage.list(OutboxRow)))
        assert asyncio.get_running_loop().time() - began < 5, "the other process heard of it"
        (row,) = [each for each in stage.list(EpisodeRow) if each.id == acme]
        assert row.state == "acked"
        await stage.type(webs[1], "note Acme they will call back")
        assert [row.text for row in stage.list(NoteRow)] == ["they will call back"]

        await first.kill()
        zenith = stage.open_episode("Zenith")
        stage.make_due("wake")
        with stage.database.write() as session:  # as if its 30 seconds were over
            session.execute(update(LeaseRow).values(expires_at=NOW - timedelta(days=365)))
        await until(lambda: stage.is_posted(zenith))
        assert holder(stage) != led_by
        assert set(stage.posts().values()) == {1}

        for child, _ in started:
            child.send(signal.SIGTERM)
        assert [await child.wait(20) for child, _ in started] == [0] * 5
        (lease,) = stage.list(LeaseRow)
        with stage.database.read() as session:
            assert lease.expires_at <= session.exec(select(LeaseRow)).one().expires_at
        assert not [row for row in stage.list(OutboxRow) if row.state == "sending"]
