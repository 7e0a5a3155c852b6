"""The running playground: one aiohttp server on the loopback interface, and the few things a program does to it.

Owns start, stop and installing apps; refuses to bind any address but 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, web

from playground.acts import Acts, Stage
from playground.acts_elements import Elements
from playground.acts_forms import Forms
from playground.api import Api
from playground.control import Control
from playground.control_faults import FaultControl
from playground.core import Core
from playground.delivery import Ack, Parcel
from playground.errors import ActError
from playground.events import Events
from playground.fault_rules import FaultBook, FaultRule
from playground.faults import FaultSource
from playground.http_events import HttpSender
from playground.installing import Installed, Installing
from playground.ledger import Ledger
from playground.methods import METHODS
from playground.model import Json
from playground.page import Page
from playground.responses import ResponseUrls
from playground.seed import Seed
from playground.sockets import Sockets
from playground.state import Workspace
from playground.triggers import TRIGGER_SECONDS, Permits
from playground.views import Shelf

HOST = "127.0.0.1"
LOCAL_NAMES = frozenset({HOST, "localhost"})
ACK_SECONDS = 3.0
RETRY_DELAYS = (0.0, 60.0, 300.0)


class Playground:
    """A throwaway Slack, used as an async context manager.

    Args:
        seed: the workspace at the start.
        port: where to listen; 0 takes a free one.
        host: only 127.0.0.1 is accepted.
        clock: seconds since the epoch.
        ack_seconds: how long apps may take to acknowledge.
        trigger_seconds: how long trigger ids live.
        retry_delays: seconds before each repeat of an event that was not acknowledged.

    Raises:
        ValueError: another host than 127.0.0.1 was asked for.
    """

    def __init__(
        self,
        seed: Seed,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        *,
        host: str = HOST,
        ack_seconds: float = ACK_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
    ) -> None:
        if host != HOST:
            raise ValueError(f"the playground listens on {HOST} only, not on {host}")
        workspace = Workspace(seed, clock)
        ledger = Ledger(clock)
        permits = Permits(clock, workspace.ids, workspace.team.id, trigger_seconds)
        parts = (workspace, Shelf(workspace), permits, ledger, Sockets(ledger), FaultBook(METHODS))
        self.core = Core(*parts, ack_seconds, retry_delays)
        self._port = port
        self._runner: web.AppRunner | None = None
        self._events = Events(self.core)
        self._installing = Installing(self.core, self._events)

    async def __aenter__(self) -> Self:
        self.core.loop = asyncio.get_running_loop()
        self.core.http = HttpSender(ClientSession(), self.core.workspace.clock)
        self._runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.core.url = f"http://{HOST}:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.core.loop = None
        await self.core.stop_tasks()
        if self._runner is not None:
            await self._runner.cleanup()
        if self.core.http is not None:
            await self.core.http.session.close()

    def _build(self) -> web.Application:
        """The application with all its routes."""
        stage = Stage(self.core)
        elements = Elements(stage)
        forms = Forms(stage, elements)
        control = Control(stage, Acts(stage, self._events), elements, forms)
        site = web.Application(middlewares=[only_local, tell_act_errors])
        site.add_routes([web.get("/link/", self.core.sockets.handle), *Api(self.core).routes()])
        site.add_routes([*ResponseUrls(self.core).routes(), *control.routes(), *self.core.files.routes()])
        site.add_routes(FaultControl(self.core, self._installing).routes())
        page = Page(control)
        site.add_routes(page.routes())
        site.on_shutdown.extend([self.core.sockets.close, page.close])
        return site

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.core.url

    @property
    def api_url(self) -> str:
        """The `base_url` for Slack's SDKs."""
        return f"{self.core.url}/api/"

    @property
    def faults(self) -> list[FaultSource]:
        """Sources of faults in the Web API, asked before the rules of `disturb`; empty at the start."""
        return self.core.faults

    @property
    def ledger(self) -> list[Json]:
        """The ledger's entries so far."""
        return list(self.core.ledger.entries)

    def install(self, manifest: Mapping[str, Any], installer: str) -> Installed:
        """Install an app from its manifest, with a bot user in no channel yet.

        Raises:
            ManifestError: the manifest cannot be read.
            ActError: the installer is unknown.
        """
        return self._installing.install(manifest, installer)

    def set_request_url(self, app_id: str, url: str) -> None:
        """In HTTP mode, one URL for events, commands, interactivity and options."""
        app = self._installing.find(app_id)
        app.urls = dict.fromkeys(("events", "commands", "interactivity", "options"), url)
        app.commands = [replace(command, url=None) for command in app.commands]

    async def verify_request_url(self, app_id: str) -> bool:
        """Send Slack's url_verification challenge; whether the app gave it back."""
        app = self._installing.find(app_id)
        challenge = self.core.workspace.ids.mint("ch")
        payload = {"token": app.verification_token, "challenge": challenge, "type": "url_verification"}
        parcel = Parcel("events", payload, accepts_response=True)
        ack = await self.core.send(app, parcel, "url_verification")
        return ack.body == challenge or (isinstance(ack.body, dict) and ack.body.get("challenge") == challenge)

    async def refresh_connections(self) -> None:
        """Ask all Socket Mode connections to be replaced, as Slack does every few hours."""
        await self.core.sockets.refresh()

    def count_connections(self, app_id: str) -> int:
        """Open Socket Mode connections of an app."""
        return self.core.sockets.count(app_id)

    async def redeliver(self, number: int) -> Ack:
        """Send the payload of a ledger entry once more, as Slack now and then does.

        Raises:
            ActError: the entry is no payload, or is forgotten.
        """
        return await self.core.resend(number)

    def join(self, channel: str, user: str) -> None:
        """Make a user or bot a member of a channel, as `/invite` does."""
        workspace = self.core.workspace
        workspace.join(workspace.get_channel(channel), workspace.get_user(user).id)

    def uninstall(self, app_id: str) -> None:
        """Remove an app: it hears app_uninstalled and tokens_revoked, then its tokens are dead."""
        self._installing.uninstall(self._installing.find(app_id))

    def revoke(self, app_id: str) -> None:
        """Revoke an app's bot token: it hears tokens_revoked, and the token is refused from now on."""
        self._installing.revoke(self._installing.find(app_id))

    def reinstall(self, app_id: str, *, keeps_token: bool = False) -> Installed:
        """Install an app again, with a new bot token unless it keeps the old one."""
        return self._installing.reinstall(self._installing.find(app_id), keeps_token=keeps_token)

    def disturb(self, rules: Sequence[FaultRule], seed: int) -> None:
        """Put faults into force, as `POST /_play/faults` does.

        Raises:
            ActError: a rule names a method that the playground does not know.
        """
        self.core.fault_book.add(rules, seed)

    def calm(self) -> None:
        """Take every fault out of force. What is under way still lands."""
        self.core.fault_book.clear()
        self.core.faults.clear()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_local(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that foreign web pages send to loopback, under a foreign name or from a foreign origin."""
    origin = request.headers.get("Origin")
    if request.url.host not in LOCAL_NAMES or (origin and urlsplit(origin).hostname not in LOCAL_NAMES):
        return web.Response(status=403, text="the playground answers local requests only")
    return await handler(request)


@web.middleware
async def tell_act_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Acts that nobody could do in Slack are answered 400 with a sentence."""
    try:
        return await handler(request)
    except ActError as error:
        return web.json_response({"ok": False, "error": str(error)}, status=400)
