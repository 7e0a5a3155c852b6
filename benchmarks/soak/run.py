"""Runs one soak: a Slack that fails, a business that goes on, processes that are killed and start again. Owns the order
of these and what is measured of them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import text
from sqlmodel import select

from benchmarks.soak.oracle import Limits, Verdict, judge
from benchmarks.soak.plan import Plan
from benchmarks.soak.story import Model, commit, count_audit, write_story
from bot.clocks import read_wall
from playground.feed import Change
from playground.installing import Installed
from playground.model import Channel, Team, User
from playground.seed import Seed
from playground.server import Playground
from storage.db import Database
from storage.delivery.outbox import OutboxRow, count_states
from storage.delivery.outbox_claims import list_doubtful
from storage.people.workspaces import WorkspaceRow
from tests.crash.forked import Child, Forker, open_forker

WORKER = "benchmarks.soak.worker:deliver"
_ADMIN = "U0000000SOAK"
_SCOPES = ("channels:history", "channels:join", "channels:read", "chat:write")
_MOST_RESTING = 0.1
_STRIKE_WITHIN = 0.03
_LONGEST_PAUSE_LEASES = 4
_GLANCE = 0.02
_PATIENCE = 5
_LONG_AFTER = timedelta(days=1)


@dataclass
class Progress:
    """How far a soak is, for whoever shows it."""

    committed: int = 0
    posted: int = 0
    kills: int = 0
    is_draining: bool = False


@dataclass(frozen=True)
class Result:
    """What one soak came to. `drained` is None if not everything had arrived in time. `lag`: by how many seconds the
    Slack of this run was late at most, because the machine was busy; `may_double`: by the plan or by that lag, requests
    may have landed after the settle time, so that copies come and go.
    """

    seed: int
    database: str
    messages: int
    changes: int
    kills: int
    pauses: int
    verdict: Verdict
    drained: float | None
    rows: dict[str, int]
    is_intact: bool
    is_audited: bool
    may_double: bool
    lag: float
    seconds: float

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        is_whole = self.is_intact and self.is_audited and not self.rows.get("dead")
        is_single = self.may_double or not self.verdict.removed
        return is_whole and is_single and self.verdict.damage.is_none and self.drained is not None


@dataclass
class Soak:
    """One run under way."""

    plan: Plan
    seed: int
    database: Database
    worker: str = WORKER
    tell: Callable[[Progress], None] = lambda _: None
    progress: Progress = field(default_factory=Progress)
    model: Model = field(default_factory=Model)
    workspace_id: str = ""
    pauses: int = 0
    lag: float = 0.0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self._posted = asyncio.Event()

    async def run(self) -> Result:
        """The whole run; the database has its tables and nothing else."""
        started = asyncio.get_running_loop().time()
        self.workspace_id = await asyncio.to_thread(self._add_workspace)
        async with Playground(make_seed(self.plan.channels)) as slack, open_forker() as forker:
            app = install(slack)
            slack.core.workspace.feed.listeners.append(self._hear)
            slack.disturb(self.plan.list_rules(), self.seed)
            async with self._lag_watched(), self._replicas(slack, app, forker) as replicas:
                await asyncio.gather(self._do_business(), replicas.harass())
                slack.calm()
                calm_at = read_wall().timestamp()
                drained = await self._drain()
            seconds = asyncio.get_running_loop().time() - started
            limits = Limits(self.plan.pace.spacing, calm_at + self.plan.drained_within)
            verdict = judge(slack.ledger, self.model.messages, limits)
            return await asyncio.to_thread(self._sum_up, verdict, drained, round(seconds, 1))

    def _hear(self, change: Change) -> None:
        """Slack accepted a post: somebody may be killed right now."""
        if change.kind == "message":
            self.progress.posted += 1
            self._posted.set()

    def _add_workspace(self) -> str:
        row = WorkspaceRow(team_id="T0000SOAK", name="Soak", created_at=read_wall())
        with self.database.write() as session:
            session.add(row)
        return row.id

    async def _do_business(self) -> None:
        """Commit each chapter at its time."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for chapter in write_story(self.random, self.plan.messages, self.plan.channels, self.plan.seconds):
            await asyncio.sleep(max(0.0, start + chapter.at - loop.time()))
            now = read_wall()
            if await asyncio.to_thread(commit, self.database, self.workspace_id, chapter, now):
                self.model.note(chapter, now.timestamp())
            self.progress.committed = len(self.model.messages)
            self.tell(self.progress)

    @asynccontextmanager
    async def _lag_watched(self) -> AsyncIterator[None]:
        """Measure all the while how late this process, and so its Slack, gets its turn."""
        watching = asyncio.create_task(self._watch_lag())
        yield
        watching.cancel()

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _GLANCE
            await asyncio.sleep(_GLANCE)
            self.lag = max(self.lag, loop.time() - due)

    @asynccontextmanager
    async def _replicas(self, slack: Playground, app: Installed, forker: Forker) -> AsyncIterator[Replicas]:
        orders = {
            "database_url": self.database.url,
            "api_url": slack.api_url,
            "token": app.bot_token,
            "pace": asdict(self.plan.pace),
            "render_seconds": self.plan.render_seconds,
        }
        replicas = Replicas(self, forker, orders, self._posted)
        for _ in range(self.plan.replicas):
            await replicas.start()
        yield replicas
        for child in list(replicas.children):
            await child.kill()

    async def _drain(self) -> float | None:
        """Seconds until nothing waits, nothing is unclear and no copy is looked for; None if that never came. That may
        take longer than is allowed, so that what comes late is not taken for lost.
        """
        loop = asyncio.get_running_loop()
        self.progress.is_draining, start = True, loop.time()
        while loop.time() - start < _PATIENCE * self.plan.drained_within:
            if await asyncio.to_thread(self._is_quiet):
                return round(loop.time() - start, 1)
            self.tell(self.progress)
            await asyncio.sleep(0.1)
        return None

    def _is_quiet(self) -> bool:
        with self.database.reading(self.workspace_id) as tx:
            states = count_states(tx)
            is_swept = not list_doubtful(tx, read_wall() + _LONG_AFTER, self.plan.pace)
        return is_swept and not states.keys() & {"queued", "sending", "uncertain"}

    def _sum_up(self, verdict: Verdict, drained: float | None, seconds: float) -> Result:
        with self.database.reading(self.workspace_id) as tx:
            rows, audited = count_states(tx), count_audit(tx)
        messages = len(self.model.messages)
        return Result(
            seed=self.seed,
            database="sqlite" if self.database.is_sqlite else "postgres",
            messages=messages,
            changes=self.model.changes - messages,
            kills=self.progress.kills,
            pauses=self.pauses,
            verdict=verdict,
            drained=drained,
            rows=rows,
            is_intact=is_intact(self.database),
            is_audited=audited == self.model.changes,
            may_double=self.plan.lands_after + self.lag >= self.plan.pace.settle,
            lag=round(self.lag, 2),
            seconds=seconds,
        )


@dataclass
class Replicas:
    """The processes that deliver, and what is done to them."""

    soak: Soak
    forker: Forker
    orders: dict[str, Any]
    posted: asyncio.Event
    children: list[Child] = field(default_factory=list)

    async def start(self) -> None:
        """One more, once it is about to deliver."""
        child = await self.forker.start(self.soak.worker, **self.orders)
        self.children.append(child)
        await child.hear()

    async def harass(self) -> None:
        """Kill one after another, and pause some in between, until there were enough of both."""
        plan, random = self.soak.plan, self.soak.random
        acts = [self.kill] * plan.kills + [self.pause] * plan.pauses
        random.shuffle(acts)
        for act in acts:
            await self._wait(is_aimed=random.random() < 0.5)
            await act()
            self.soak.tell(self.soak.progress)

    async def _wait(self, *, is_aimed: bool) -> None:
        """Until work goes on: Slack has accepted a post, if any is left. Then, if aimed, strike at once, while its
        sender may not know yet; else at any time.
        """
        plan = self.soak.plan
        self.posted.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(plan.pace.lease + plan.pace.settle):
                if self.soak.progress.posted < plan.messages:
                    await self.posted.wait()
        await asyncio.sleep(self.soak.random.uniform(0, _STRIKE_WITHIN if is_aimed else 4 * plan.gap))

    async def kill(self) -> None:
        """As a machine that loses power; another starts soon."""
        random = self.soak.random
        child = self.children.pop(random.randrange(len(self.children)))
        await child.kill()
        self.soak.progress.kills += 1
        await asyncio.sleep(random.uniform(0, _MOST_RESTING))
        await self.start()

    async def pause(self) -> None:
        """As a machine that falls asleep over its work, and wakes when another is just sending it."""
        soak = self.soak
        child = soak.random.choice(self.children)
        while not child.said.empty():
            child.said.get_nowait()
        with suppress(TimeoutError):
            await child.hear(soak.plan.pace.lease)
        child.send(signal.SIGSTOP)
        claimed = await asyncio.to_thread(list_sending, soak.database, soak.workspace_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_PAUSE_LEASES * soak.plan.pace.lease):
                while not await asyncio.to_thread(self._is_taken_over, claimed):  # noqa: ASYNC110  # others do it
                    await asyncio.sleep(_GLANCE)
        child.send(signal.SIGCONT)
        soak.pauses += 1

    def _is_taken_over(self, claimed: dict[str, int]) -> bool:
        """Whether somebody sends a row again that was being sent before."""
        sending = list_sending(self.soak.database, self.soak.workspace_id)
        return any(epoch > claimed[row_id] + 1 for row_id, epoch in sending.items() if row_id in claimed)


def list_sending(database: Database, workspace_id: str) -> dict[str, int]:
    """The rows that somebody sends now, each with its epoch."""
    query = select(OutboxRow.id, OutboxRow.epoch).where(OutboxRow.workspace_id == workspace_id)
    with database.read() as session:
        return dict(session.exec(query.where(OutboxRow.state == "sending")).all())


def make_seed(channels: int) -> Seed:
    """A workspace with so many channels."""
    admin = User(id=_ADMIN, name="admin", real_name="Admin", tz="UTC", is_admin=True)
    names = [f"C{number:010}" for number in range(channels)]
    rooms = [Channel(id=name, name=name.lower(), members=[_ADMIN]) for name in names]
    return Seed(team=Team(id="T0000SOAK", name="Soak", domain="soak"), users=[admin], channels=rooms)


def install(slack: Playground) -> Installed:
    """An app that may post and read, a member everywhere."""
    manifest = {"display_information": {"name": "Soak"}, "oauth_config": {"scopes": {"bot": list(_SCOPES)}}}
    app = slack.install(manifest, _ADMIN)
    for channel in list(slack.core.workspace.channels):
        slack.join(channel, app.bot_user_id)
    return app


def is_intact(database: Database) -> bool:
    """Whether the database's own check finds nothing: on SQLite all pages, indexes and references; on PostgreSQL, which
    has none without an extension, whether every table can be read to its end.
    """
    with database.read() as session:
        if database.is_sqlite:
            pages = session.execute(text("PRAGMA integrity_check")).scalars().all()
            return pages == ["ok"] and not session.execute(text("PRAGMA foreign_key_check")).all()
        for table in ("outbox", "channel_slots", "accounts", "audit"):
            session.execute(text(f"SELECT count(*), max(t::text) FROM {table} AS t"))  # noqa: S608  # our own names
    return True
