"""The running bot: Slack's payloads in, the outbox out, the clock ticking, on one event loop; or, by its role, only a
part of that, beside other processes on the same database.

Owns the order of starting and stopping. Refuses to know how any of it works.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import metrics
from bot.job_process import open_job_processes
from bot.nudges import Listener
from bot.registry import LANES
from bot.roles import RunRole
from bot.scheduler import Scheduler
from bot.settings import Settings
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from bot.slack.edge import Edge, EdgeSettings, build_edge
from bot.slack.installation import Installation, connect_workspace
from bot.slack.socket_mode import SocketMode
from bot.watchdog import STALE_INTERVALS
from bot.wiring import Wiring
from rules.delivery.outbox import Pace
from rules.errors import UserError

if TYPE_CHECKING:
    from bot.web.listening import SiteServer

DRAIN_SECONDS = 10.0
FRESH_SECONDS = 30.0
"""Delivery looks for work at least once a second; one that has not for so long hangs."""
LINK_SECONDS = 3600.0
_log = structlog.get_logger(__name__)


class Transport(Protocol):
    """How payloads arrive."""

    async def start(self) -> None:
        """Begin; returns once payloads can come."""

    async def is_connected(self) -> bool:
        """Whether payloads can come now."""

    async def stop(self) -> int:
        """End, after what was begun is finished."""


class NoTransport:
    """The transport of a process that takes no payloads."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def start(self) -> None:
        """Nothing comes in."""

    async def is_connected(self) -> bool:
        """Nothing ever comes in."""
        return False

    async def stop(self) -> int:
        """End what the edge began by itself."""
        return await self._edge.drain()


@dataclass
class Server:
    """One workspace served from one process, which does what `role` says."""

    wiring: Wiring
    installation: Installation
    edge: Edge
    transport: Transport
    delivery: Delivery
    scheduler: Scheduler
    role: RunRole = RunRole.ALL
    _listener: Listener = field(init=False)
    _watched: SiteServer | None = field(init=False, default=None)
    _tasks: list[asyncio.Task[None]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._listener = Listener(self.wiring.database, self.delivery.nudge)

    async def start(self) -> None:
        """Start delivering and ticking, and take payloads. Raises `UserError` in plain words."""
        kind = "sqlite" if self.wiring.database.is_sqlite else "postgresql"
        metrics.BUILD.labels(version("milepost"), self.role, kind).set(1)
        await self._let_watch()
        await self.transport.start()
        if self.role.is_worker:
            self._tasks.append(asyncio.create_task(self.delivery.run(), name="delivery"))
            self._listener.start()
        if self.role.is_web or self.role.is_scheduler:
            looking = self.edge.channels.run(looks_by_itself=self.role.is_scheduler, takes_events=self.role.is_web)
            self._tasks.append(asyncio.create_task(looking, name="look at channels"))
        if self.role.is_scheduler:
            self.scheduler.start()
            self._tasks.append(asyncio.create_task(self._link_owners(), name="link owners"))

    async def stop(self) -> None:
        """Take nothing new in, finish what was begun (10 s at most), give back what was claimed."""
        self.scheduler.stop()
        self._listener.stop()
        ends: list[Awaitable[object]] = [self.transport.stop()]
        if self.role.is_scheduler:
            ends.append(self.scheduler.drain(DRAIN_SECONDS))
        if self.role.is_worker:
            ends.append(self.delivery.drain(DRAIN_SECONDS))
        await asyncio.gather(*ends)
        for task in self._tasks:
            if task.get_name() != "delivery":
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watched is not None:
            await self._watched.stop()

    async def _let_watch(self) -> None:
        """Serve the signs of life and figures, if a port is set."""
        settings = self.wiring.settings
        if settings.metrics_port:
            from bot.web.listening import SiteServer
            from bot.web.watching import build_site

            site = build_site(self.wiring.database, self.wiring.clocks, self._list_checks())
            self._watched = SiteServer(site, settings.metrics_host, settings.metrics_port)
            await self._watched.start()

    def _list_checks(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """What must hold for this process to do its part."""

        async def is_delivering() -> bool:
            return self.delivery.look_age < FRESH_SECONDS

        async def is_ticking() -> bool:
            return self.scheduler.tick_age < STALE_INTERVALS * self.scheduler.tick_seconds

        checks = {
            "slack": (self.role.is_web, self.transport.is_connected),
            "delivery": (self.role.is_worker, is_delivering),
            "tick": (self.role.is_scheduler, is_ticking),
        }
        return {name: act for name, (is_ours, act) in checks.items() if is_ours}

    async def _link_owners(self) -> None:
        """Find the owners of imported accounts in Slack by their address, now and every hour."""
        while True:
            await self.edge.people.link_owners()
            await asyncio.sleep(LINK_SECONDS)


async def connect(wiring: Wiring, *, pace: Pace | None = None, role: RunRole = RunRole.ALL) -> Server:
    """Ask Slack who we are and put the server together; `pace` is delivery's, the usual one if None.

    Raises `UserError` where a setting is missing or refused.
    """
    settings = wiring.settings
    _check(settings, role)
    token = settings.slack_bot_token.get_secret_value()
    url = settings.slack_api_url
    installation = await connect_workspace(wiring.database, token, url, wiring.clocks.business())
    client = open_client(token, url)
    delivery = Delivery(
        wiring.database,
        wiring.renders,
        lambda workspace_id: client if workspace_id == installation.workspace_id else None,
        wiring.clocks,
        pace=pace,
        resends_unseen=settings.resend_unseen,
    )
    edge_settings = EdgeSettings(
        installation,
        base_url=url,
        signing_secrets=settings.signing_secrets,
        default_role=settings.default_role,
        on_commit=delivery.nudge,
    )
    edge = build_edge(wiring.database, wiring.slices, edge_settings, wiring.clocks)
    scheduler = Scheduler(wiring.database, wiring.jobs, wiring.clocks, LANES, on_run=delivery.nudge, on_stale=_give_up)
    transport = _transport(edge, settings) if role.is_web else NoTransport(edge)
    return Server(wiring, installation, edge, transport, delivery, scheduler, role)


def _check(settings: Settings, role: RunRole) -> None:
    if not settings.slack_bot_token.get_secret_value():
        raise UserError(
            "There is no Slack token. Create the app from manifest.yml at api.slack.com/apps and set "
            "MILEPOST_SLACK_BOT_TOKEN (xoxb-…) and MILEPOST_SLACK_APP_TOKEN (xapp-…). To look around first: "
            "milepost demo"
        )
    if role.is_web and not settings.is_socket_mode and not settings.signing_secrets:
        raise UserError(
            "Set MILEPOST_SLACK_APP_TOKEN (xapp-…) for Socket Mode, or MILEPOST_SLACK_SIGNING_SECRET to serve HTTP."
        )


def _transport(edge: Edge, settings: Settings) -> Transport:
    if settings.is_socket_mode:
        return SocketMode(edge, settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    from bot.slack.http import HttpServer

    return HttpServer(edge, settings.http_host, settings.http_port)


def _give_up() -> None:
    """The clock stands still though the process lives: end it, so that whatever supervises it starts a new one."""
    _log.critical("scheduler_stands_still")
    os._exit(70)


async def serve(wiring: Wiring, on_ready: Callable[[Server], Awaitable[None]], role: RunRole = RunRole.ALL) -> None:
    """Run until SIGINT or SIGTERM, then drain; long jobs run in processes of their own. `on_ready` is awaited beside
    the work, and may not fail.
    """
    with open_job_processes(wiring.settings, wiring.jobs, LANES) as jobs:
        server = await connect(replace(wiring, jobs=jobs), role=role)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stopping.set)
        await server.start()
        telling = asyncio.ensure_future(on_ready(server))
        await stopping.wait()
        telling.cancel()
        _log.info("stopping")
        await server.stop()
