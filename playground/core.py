"""The parts of a running playground, in one place, and the background tasks it owns.

Owns which transport reaches an app; refuses to know what is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playground.delivery import Ack, Parcel
from playground.errors import ActError
from playground.fault_rules import FAULTS, FaultBook
from playground.faults import Fault, FaultSource, find_fault
from playground.files import Files
from playground.http_events import HttpSender
from playground.ledger import Ledger
from playground.manifest import App
from playground.model import Json
from playground.sockets import Sockets
from playground.state import Workspace
from playground.triggers import Permits
from playground.views import Shelf

KEPT_PARCELS = 1000


@dataclass
class Core:
    """Everything a request needs.

    Attributes:
        fault_book: the faults of the control API.
        faults: further sources of faults, asked first.
        ack_seconds: how long an app may take to acknowledge.
        retry_delays: seconds before each repeat of an event that was not acknowledged.
        url: where the playground listens; empty until it does.
        loop: where background tasks run, from the start to the stop.
        sent: the latest payloads by number in the ledger, for sending them again.
        files: what apps have uploaded.
        offered: the options last shown for an external select, by (user, action_id).
    """

    workspace: Workspace
    shelf: Shelf
    permits: Permits
    ledger: Ledger
    sockets: Sockets
    fault_book: FaultBook
    ack_seconds: float
    retry_delays: tuple[float, ...]
    url: str = ""
    loop: asyncio.AbstractEventLoop | None = None
    http: HttpSender | None = None
    faults: list[FaultSource] = field(default_factory=list)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    sent: dict[int, tuple[App, Parcel, str]] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, app: App, parcel: Parcel, name: str) -> Ack:
        """Deliver one parcel by the app's transport and note it in the ledger."""
        start = asyncio.get_running_loop().time()
        transport = self.sockets if app.is_socket_mode else self.http
        if transport is None:
            ack = Ack(error="dispatch_failed")
        else:
            ack = await transport.send(app, self._copy(parcel, name), self.ack_seconds)
        seconds = asyncio.get_running_loop().time() - start
        number = self.ledger.write("payload", name, parcel.payload, ack.error or "ok", seconds)
        self.sent[number] = (app, parcel, name)
        if len(self.sent) > KEPT_PARCELS:
            self.sent.pop(next(iter(self.sent)))
        if ack.body is not None:
            self.ledger.write("ack", name, ack.body, "ok")
        return ack

    def _copy(self, parcel: Parcel, name: str) -> Parcel:
        """The parcel, to be delivered twice if a fault wants so."""
        fault = self.fault_book.find_for_payload(name, parcel.kind)
        if fault is None:
            return parcel
        self.note_strike(name, {}, fault)
        return replace(parcel, copies=2)

    def find_fault(self, method: str, args: Mapping[str, Any]) -> Fault | None:
        """What disturbs this call of the Web API, if anything does."""
        return find_fault(self.faults, method, args) or self.fault_book.find_for_call(method)

    def note_strike(self, name: str, args: Json, fault: Fault) -> int:
        """Write a strike into the ledger; the entry's number."""
        number = self.ledger.write("fault", name, {**args, "rule": fault.rule}, fault.kind)
        self.tell_faults()
        return number

    def tell_faults(self) -> None:
        """Let open pages know that the rules or their strikes changed."""
        self.workspace.feed.tell(FAULTS, {}, frozenset())

    async def resend(self, number: int) -> Ack:
        """Deliver the payload of a ledger entry again, word for word; raises ActError when there is none."""
        if number not in self.sent:
            raise ActError(f"ledger entry {number} is no payload that can be sent again")
        app, parcel, name = self.sent[number]
        return await self.send(app, parcel, name)

    def start_task(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the requests; ended when the playground stops, dropped before it started."""
        if self.loop is None:
            work.close()
            return
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def stop_tasks(self) -> None:
        """End what still runs."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
