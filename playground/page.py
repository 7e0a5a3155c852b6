"""What the browser page needs: its files, what to show first, and a live feed over a WebSocket.

Owns the page's own endpoints under /_page; acting goes through the control API.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from aiohttp import WSCloseCode, web

from playground.control import Control
from playground.errors import ActError
from playground.fault_rules import FAULTS
from playground.feed import Change
from playground.manifest import App
from playground.model import Channel, Json, User

STATIC = Path(__file__).parent / "static"


class Page:
    """The endpoints."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.workspace = control.workspace
        self.open_sockets: set[web.WebSocketResponse] = set()

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where it listens."""
        files: list[web.AbstractRouteDef] = [web.static("/static", STATIC)] if STATIC.is_dir() else []
        return [
            web.get("/", self.show_index),
            web.get("/archives/{channel}/{mark}", self.follow_permalink),
            web.get("/_page/boot", self.boot),
            web.get("/_page/messages", self.control.list_messages),
            web.get("/_page/ws", self.stream),
            web.post("/_page/read", self.read),
            web.post("/_page/open", self.open_direct),
            *files,
        ]

    async def show_index(self, _: web.Request) -> web.StreamResponse:
        """The page itself."""
        index = STATIC / "index.html"
        if not index.is_file():
            return web.Response(status=404, text="the page's files are missing")
        return web.FileResponse(index)

    async def follow_permalink(self, request: web.Request) -> web.Response:
        """Lead a permalink to the page."""
        micros = request.match_info["mark"].removeprefix("p")
        target = f"/?channel={request.match_info['channel']}&ts={micros[:-6]}.{micros[-6:]}"
        thread = request.query.get("thread_ts")
        raise web.HTTPFound(target + (f"&thread={thread}" if thread else ""))

    async def boot(self, request: web.Request) -> web.Response:
        """What to show first: team, people, conversations with unread counts, apps."""
        reference = request.query.get("user", "")
        people = (user.id for user in self.workspace.users.values() if not user.is_bot)
        me = self.workspace.get_user(reference or next(people, ""))
        return web.json_response(
            {
                "ok": True,
                "now": self.workspace.clock(),
                "team": self.workspace.team.model_dump(),
                "users": [user.model_dump() for user in self.workspace.users.values()],
                "channels": self.list_channels(me),
                "apps": [show_app(app) for app in self.workspace.list_apps()],
                "me": me.model_dump(),
            }
        )

    def list_channels(self, user: User) -> list[Json]:
        """The conversations a person sees, apps' direct messages included."""
        for app in self.workspace.list_apps():
            self.workspace.open_im(app.bot_user_id, user.id)
        channels = self.workspace.channels.values()
        return [self.show_channel(one, user) for one in channels if self.workspace.may_see(one, user.id)]

    def show_channel(self, channel: Channel, user: User) -> Json:
        """A conversation as one person sees it."""
        read = self.workspace.read_marks.get((user.id, channel.id), "0")
        fresh = [one for one in self.workspace.list_channel(channel.id) if float(one.ts) > float(read)]
        mentions = [one for one in fresh if channel.is_im or f"<@{user.id}>" in one.text]
        kind = {"channel": "channel", "group": "private", "im": "im"}[channel.kind]
        counts = {"unread": len(fresh), "mentions": len(mentions)}
        shown = {"id": channel.id, "name": channel.name, "kind": kind, "members": channel.members, **counts}
        return {**shown, "peer": channel.peer_of(user.id)} if channel.is_im else shown

    async def read(self, request: web.Request) -> web.Response:
        """Move a person's read mark: {user, channel, ts}."""
        try:
            body = await request.json()
            user = self.workspace.get_user(body["user"])
            channel = self.workspace.get_channel(body["channel"])
            ts = str(body["ts"])
            is_later = float(ts) > float(self.workspace.read_marks.get((user.id, channel.id), "0"))
        except (ValueError, KeyError, TypeError) as error:
            raise ActError("give user, channel and ts") from error
        if is_later:
            self.workspace.read_marks[user.id, channel.id] = ts
            self.workspace.feed.tell("channel", {"channel": channel.id}, frozenset({user.id}))
        return web.json_response({"ok": True})

    async def open_direct(self, request: web.Request) -> web.Response:
        """Open the direct message between two people: {user, peer}."""
        try:
            body = await request.json()
            user, peer = (self.workspace.get_user(body[name]) for name in ("user", "peer"))
        except (ValueError, KeyError, TypeError) as error:
            raise ActError("give user and peer") from error
        return web.json_response({"ok": True, "channel": self.workspace.open_im(user.id, peer.id).id})

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Send every change that a person sees, until they leave or the playground stops."""
        user = self.workspace.get_user(request.query.get("user", ""))
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        with self.workspace.feed.follow() as queue:
            sender = asyncio.create_task(send_changes(socket, queue, user.id))
            self.open_sockets.add(socket)
            try:
                async for _ in socket:
                    continue  # the page only listens
            finally:
                self.open_sockets.discard(socket)
                sender.cancel()
        return socket

    async def close(self, _: web.Application) -> None:
        """End every feed, when the server stops."""
        for socket in list(self.open_sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


async def send_changes(socket: web.WebSocketResponse, queue: asyncio.Queue[Change], user_id: str) -> None:
    """Pass changes on as they come."""
    with suppress(ConnectionError):
        while True:
            change = await queue.get()
            if change.is_seen_by(user_id) or change.kind == FAULTS:
                await socket.send_json({"type": change.kind, **change.data})


def show_app(app: App) -> Json:
    """An app as the page lists it."""
    commands = [
        {"command": one.command, "description": one.description, "usage_hint": one.usage_hint} for one in app.commands
    ]
    named = {"app_id": app.app_id, "name": app.display_name, "bot_user_id": app.bot_user_id}
    return {**named, "has_home": app.has_home, "commands": commands}
