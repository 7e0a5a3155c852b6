"""The product's main line in small, as a process that may die at any point of it: messages of every fate, a scan that
opens alerts, a morning that announces them and tells digests, buttons pressed, a noon at which snoozed alerts wake, and
a next day on which what nobody took is told again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg  # noqa: F401  # imported lazily in production; here once, before the forks
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlmodel import col, or_, select

import pipeline.announcing
import pipeline.digest
import pipeline.scan
import pipeline.wake
from bot.clocks import Clocks, read_wall
from bot.registry import JOBS, SLICES
from bot.scheduler import Scheduler
from bot.slack.delivery import Delivery
from bot.slack.handling import Handling
from bot.slack.installation import Installation
from bot.slack.payloads import read_action
from bot.slack.people import People
from bot.slack.routes import build_routes
from commands.blocks.alerts import TAKE
from commands.slice import Message, Ref, Render
from pipeline import scan
from rules.alerts.alerts import Snooze, decide
from rules.delivery.outbox import Pace
from rules.records import Actor, Enqueue, EpisodeState, Role
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow
from storage.people.members import MemberRow
from tests.alert_rows import TODAY
from tests.conftest import NOW
from tests.crash.forked import Say
from tests.crash.points_seam import Point, Points, WatchedClient, WatchedDatabase
from words.reader import Reader

TEAM = "T0000001"
CHAPTERS = 7
_PAGES = (
    (pipeline.scan, "_WRITE_PAGE", 5),
    (pipeline.announcing, "_PAGE", 2),
    (pipeline.digest, "_PAGE", 1),
    (pipeline.wake, "_PAGE", 2),
)
"""Pages small enough for a small team to have several."""
# Leases longer than any chapter: that one is over is made so by whoever finds somebody dead (`points_worlds`).
PACE = Pace(lease=300.0, settle=0.1, spacing=0.005, poll=0.05, timeout=10.0, sweep=0.4)
LEASE_SECONDS = 300.0
DAY = NOW + timedelta(days=1)
TAKEN, SNOOZED = ("a0", "a1", "a2"), ("a3", "a4", "a5")
DIGEST_TIMES = {"daily": "09:11", "morning": "09:12", "noon": "09:13", "next day": "09:14"}
"""Somebody changes when their digest comes, so that each tick has schedules to change."""


def tell(
    say: Say, url: str, slack: str, chapters: list[int], death: tuple[str, str] | None = None, hit: int = 1
) -> None:
    """Live through some chapters of the story; at the `hit`-th time of the point `death`, die. At the end say how often
    each point was reached.
    """
    for module, page, size in _PAGES:
        assert hasattr(module, page), f"{module.__name__} has no {page} any more"
        setattr(module, page, size)
    points = Points(Point(*death) if death else None, hit)
    watched, plain = _open(url)
    watched.points = points
    asyncio.run(_Story(watched, plain, slack, points).tell(chapters))
    say(json.dumps([[*point, count] for point, count in points.counts.items()]))
    watched.close()
    plain.close()


_opened: dict[bool, tuple[WatchedDatabase, Database]] = {}
"""Databases whose engines have worked their statements out before the fork, by whether they are SQLite's."""


def _open(url: str) -> tuple[WatchedDatabase, Database]:
    """The warm databases, connecting to `url` from now on."""
    target = make_url(url)
    is_sqlite = target.get_backend_name() == "sqlite"
    if is_sqlite not in _opened:
        _opened[is_sqlite] = WatchedDatabase(url), Database(url)
    for engine in {each for both in _opened[is_sqlite] for each in (both._writer, both._reader)}:

        @event.listens_for(engine, "do_connect")
        def _redirect(_dialect: Any, _record: Any, cargs: list[Any], cparams: dict[str, Any]) -> None:
            if is_sqlite:
                cargs[0] = target.database
            else:
                cparams["dbname"] = target.database

    return _opened[is_sqlite]


class _Story:
    def __init__(self, database: WatchedDatabase, plain: Database, slack: str, points: Points) -> None:
        self.database, self.plain = database, plain
        self.client = WatchedClient(token="xoxb-test", base_url=slack, timeout=10, retry_handlers=[])
        self.client.points = points
        self.now = DAY
        with self.plain.read() as session:
            self.workspace_id = session.exec(select(OutboxRow.workspace_id)).first() or ""

    async def tell(self, numbers: list[int]) -> None:
        chapters: list[tuple[datetime, Callable[[], Any]]] = [
            (DAY.replace(hour=5), self.wait),
            (DAY.replace(hour=5, minute=30), self.speak),
            (DAY.replace(hour=6, minute=1), lambda: self.tick("daily")),
            (DAY.replace(hour=9, minute=16), lambda: self.tick("morning")),
            (DAY.replace(hour=10), self.press),
            (DAY.replace(hour=12, minute=1), lambda: self.tick("noon")),
            (DAY.replace(hour=10, minute=31) + timedelta(days=1), lambda: self.tick("next day")),
        ]
        for number in numbers:
            self.now, chapter = chapters[number]
            await chapter()
            await self.deliver()

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, read_wall)

    # ------------------------------------------------------------ chapters

    async def wait(self) -> None:
        """Nothing happens but what is to be delivered already."""

    async def speak(self) -> None:
        """One channel alone has something to say: one message after the other, each written down by itself."""
        names = [f"{kind}-alone{each}" for each in range(3) for kind in ("good", "gone")]
        with self.plain.writing(self.workspace_id) as tx:
            enqueue(tx, [Enqueue("note", name, channel="CS1") for name in names], self.now)

    async def tick(self, name: str) -> None:
        """The scheduler runs what is due, once the lease of whoever died is over."""
        with self.plain.writing(self.workspace_id) as tx:
            tx.session.exec(select(MemberRow).where(MemberRow.slack_id == "U2")).one().digest_at = DIGEST_TIMES[name]
        jobs = {**JOBS, "daily": scan.run}
        scheduler = Scheduler(self.database, jobs, self.clocks(), lease_seconds=LEASE_SECONDS)
        while not await asyncio.to_thread(self._is_done):
            await scheduler.tick()
            await asyncio.sleep(0.01)
        scheduler.stop()
        await scheduler.drain(1.0)

    def _is_done(self) -> bool:
        with self.plain.reading(self.workspace_id) as tx:
            mine = ScheduleRow.workspace_id == tx.workspace_id
            due = tx.session.exec(select(ScheduleRow.id).where(mine, ScheduleRow.next_at <= self.now)).first()
            open_ = select(ScheduleRunRow.schedule_id).where(
                ScheduleRunRow.workspace_id == tx.workspace_id, col(ScheduleRunRow.finished_at).is_(None)
            )
            has_schedules = tx.session.exec(select(ScheduleRow.id).where(mine)).first() is not None
            return has_schedules and due is None and tx.session.exec(open_).first() is None

    async def press(self) -> None:
        """Three people press at once; Slack sends each press again to who did not answer. Others are snoozed."""
        with self.plain.writing(self.workspace_id) as tx:
            rows = [row for row in tx.session.exec(select(EpisodeRow)) if row.account_id in SNOOZED]
            snooze = Snooze(DAY.replace(hour=12))
            found = [each for row in rows if row.state is EpisodeState.OPEN for each in _snooze(row, snooze, self.now)]
            apply_alerts(tx, found, Actor.job("test"), self.now)
        with self.plain.reading(self.workspace_id) as tx:
            episodes = {row.account_id: row.id for row in tx.session.exec(select(EpisodeRow))}
        installation = Installation(self.workspace_id, TEAM, "xoxb-test", "Test")
        people = People(self.database, installation, AsyncWebClient(), self.clocks(), Role.CSM)
        handling = Handling(self.database, build_routes(SLICES), people, self.clocks())
        for account in TAKEN:
            await asyncio.to_thread(handling.answer, read_action(press(account, episodes[account])))

    # ------------------------------------------------------------ delivery

    async def deliver(self) -> None:
        """Until all is said, and swept for second copies."""
        renders: dict[str, Render] = {kind: each for piece in SLICES for kind, each in piece.renders.items()}
        renders["note"] = render_note
        delivery = Delivery(self.database, renders, lambda _: self.client, self.clocks(), pace=PACE)
        running = asyncio.create_task(delivery.run())
        async with asyncio.timeout(120):
            while not await asyncio.to_thread(self._is_delivered):  # noqa: ASYNC110  # in the database
                await asyncio.sleep(0.03)
        await delivery.drain(1.0)
        await running

    def _is_delivered(self) -> bool:
        with self.plain.reading(self.workspace_id) as tx:
            is_swept_later = col(OutboxRow.uncertain_since).is_not(None) & (OutboxRow.state == "sent")
            is_swept_later &= col(OutboxRow.is_update).is_(False)
            is_open = or_(col(OutboxRow.state).in_(("queued", "sending", "uncertain")), is_swept_later)
            query = select(OutboxRow.id).where(OutboxRow.workspace_id == tx.workspace_id, is_open)
            return tx.session.exec(query).first() is None


def _snooze(row: EpisodeRow, snooze: Snooze, now: datetime) -> list[Any]:
    return list(decide(to_episode(row), snooze, now))


def render_note(reference: str, _tx: Tx, _reader: Reader) -> Message | None:
    return None if reference.startswith("gone") else Message(reference)


def press(account: str, episode_id: str) -> dict[str, Any]:
    """Slack's payload of somebody pressing "Take"."""
    value = Ref("episode", episode_id).dump()
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": "U1", "team_id": TEAM},
        "trigger_id": f"press {account} {TODAY}",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": False},
        "channel": {"id": "C1"},
        "message": {"type": "message", "text": "An alert", "blocks": []},
        "response_url": "",
        "actions": [{"type": "button", "action_id": TAKE, "value": value, "block_id": "b", "action_ts": "1.0"}],
    }
