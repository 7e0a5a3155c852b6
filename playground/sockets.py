"""Socket Mode: tickets, connections, envelopes and their acknowledgements.

Owns that each payload goes to exactly one connection; refuses to know what a payload means.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from playground.delivery import Ack, Parcel
from playground.ledger import Ledger
from playground.manifest import App
from playground.model import Json

CONNECTIONS_LIMIT = 10
PING_SECONDS = 10.0
ENVELOPE_TYPES = {
    "commands": "slash_commands",
    "interactivity": "interactive",
    "options": "interactive",
    "events": "events_api",
}


@dataclass(eq=False)
class Link:
    """One connection of an app; a retiring one is used only while there is no other."""

    socket: web.WebSocketResponse
    is_retiring: bool = False


@dataclass
class Sockets:
    """All Socket Mode connections."""

    ledger: Ledger
    tickets: dict[str, str] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=dict)
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def give_ticket(self, app: App) -> str:
        """A ticket for one connection."""
        ticket = str(uuid.uuid4())
        self.tickets[ticket] = app.app_id
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint behind apps.connections.open."""
        app_id = self.tickets.pop(request.query.get("ticket", ""), None)
        if app_id is None:
            return web.Response(status=403, text="unknown or used ticket")
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS)
        await socket.prepare(request)
        links = self.links.setdefault(app_id, [])
        if len(links) >= CONNECTIONS_LIMIT:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        with self.linked(app_id, Link(socket)):
            await socket.send_json(self.greet(app_id))
            await self.listen(socket)
        return socket

    @contextlib.contextmanager
    def linked(self, app_id: str, link: Link) -> Iterator[None]:
        """Keep a connection listed while it lives."""
        self.links[app_id].append(link)
        self.ledger.write("socket", "connected", {"app_id": app_id}, "ok")
        try:
            yield
        finally:
            self.links[app_id].remove(link)
            self.ledger.write("socket", "disconnected", {"app_id": app_id}, "ok")

    def greet(self, app_id: str) -> Json:
        """The hello message."""
        debug = {"host": "playground", "build_number": 1, "approximate_connection_time": 18060}
        connections = len(self.links[app_id])
        info = {"app_id": app_id}
        return {"type": "hello", "num_connections": connections, "debug_info": debug, "connection_info": info}

    async def listen(self, socket: web.WebSocketResponse) -> None:
        """Take acknowledgements until the connection ends."""
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self.take_ack(message.data)

    def take_ack(self, text: str) -> None:
        """Match an acknowledgement with its envelope; doubles and strangers only go to the ledger."""
        try:
            body = json.loads(text)
            envelope_id = body["envelope_id"]
        except (ValueError, KeyError, TypeError):
            self.ledger.write("ack", "unreadable", text, "invalid")
            return
        future = self.waiting.get(envelope_id)
        if future is None or future.done():
            outcome = "double_ack" if envelope_id in self.answered else "unknown_envelope"
            self.ledger.write("ack", "ignored", body, outcome)
            return
        self.answered.add(envelope_id)
        future.set_result(body.get("payload"))

    async def send(self, app: App, parcel: Parcel, seconds: float) -> Ack:
        """Hand a parcel to one connection (a copy to the next one) and wait for its acknowledgement."""
        links = [self.choose(app.app_id) for _ in range(parcel.copies)]
        if None in links:
            return Ack(error="dispatch_failed")
        envelope = make_envelope(parcel)
        future = self.waiting[envelope["envelope_id"]] = asyncio.get_running_loop().create_future()
        try:
            for link in filter(None, links):
                await link.socket.send_json(envelope)
            body = await asyncio.wait_for(future, seconds)
        except (TimeoutError, ConnectionError):
            return Ack(error="operation_timeout")
        finally:
            self.waiting.pop(envelope["envelope_id"], None)
        return Ack(body if parcel.accepts_response else None)

    def choose(self, app_id: str) -> Link | None:
        """The next connection in turn, a fresh one if there is any."""
        links = [link for link in self.links.get(app_id, []) if not link.socket.closed]
        fresh = [link for link in links if not link.is_retiring] or links
        if not fresh:
            return None
        chosen = fresh[0]
        self.links[app_id].remove(chosen)
        self.links[app_id].append(chosen)
        return chosen

    def count(self, app_id: str) -> int:
        """Open connections of an app."""
        return len(self.links.get(app_id, []))

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to be replaced, as Slack does every few hours; the app closes the old one."""
        for link in [link for links in self.links.values() for link in links]:
            link.is_retiring = True
            with contextlib.suppress(ConnectionError):
                await link.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    async def close(self, _: web.Application) -> None:
        """End every connection, when the server stops."""
        for link in [link for links in self.links.values() for link in links]:
            await link.socket.close()


def make_envelope(parcel: Parcel) -> Json:
    """The envelope of a parcel, with a fresh id."""
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": ENVELOPE_TYPES[parcel.kind],
        "payload": parcel.payload,
        "accepts_response_payload": parcel.accepts_response,
    }
    if parcel.kind == "events":
        envelope["retry_attempt"] = parcel.retry.number if parcel.retry else 0
        envelope["retry_reason"] = parcel.retry.reason if parcel.retry else ""
    return envelope
