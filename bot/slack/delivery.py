"""Delivery: hands the outbox to Slack, each message once, in order. Owns the loop on the event loop and what is under
way; what is due and what became of it is the desk's (`delivery_desk`), how to ask Slack is `delivery_requests`'.

The promise: nothing lost; doubled only if Slack applies a request later than the settle time, and then the second copy
is removed by the sweep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from structlog.contextvars import bind_contextvars

from bot.clocks import Clocks
from bot.slack.delivery_desk import Desk
from bot.slack.delivery_marks import Marks
from bot.slack.delivery_notices import NOTICES
from bot.slack.delivery_pauses import probe_for_ever
from bot.slack.delivery_records import Answer, name_row
from bot.slack.delivery_requests import Parcel, Search, find_copies, join, open_session
from bot.slack.delivery_sweep import sweep_for_ever
from bot.slack.pictures import send
from commands.slice import Render
from rules.delivery.outbox import Outcome, Pace, Verdict, classify
from storage.db import Database
from storage.delivery.outbox import OutboxRow

MOST_AT_ONCE = 64
"""Messages under way of one process, unless told otherwise."""
# Between two looks while there is much to do, so that claims come in batches.
_GATHER_SECONDS = 0.03
_log = structlog.get_logger(__name__)

ClientFor = Callable[[str], AsyncWebClient | None]


@dataclass
class _Work:
    """A claimed row under way. `deadline`, in loop time, is when the last request may begin; `is_open` from the first
    request until its outcome is written down.
    """

    row: OutboxRow
    deadline: float
    is_open: bool = False


class Delivery:
    """The delivery of one process.

    `client_for` gives a workspace's client (see `delivery_requests.open_client`: it must not retry by itself), or None
    for workspaces this process does not serve. `nudge` may be called from any thread after a commit. At most
    `most_at_once` messages are under way; what it has no room for is left to others.
    """

    def __init__(
        self,
        database: Database,
        renders: Mapping[str, Render],
        client_for: ClientFor,
        clocks: Clocks,
        *,
        pace: Pace | None = None,
        resends_unseen: bool = False,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._pace = pace or Pace()
        self._most_at_once = most_at_once
        self._desk = Desk(database, {**NOTICES, **renders}, clocks, self._pace, resends_unseen)
        self._marks = Marks(self._desk.record)
        self._client_for = client_for
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: ClientSession | None = None
        self._is_stopping = False
        self._tasks: dict[asyncio.Task[None], _Work] = {}
        self._has_stopped = asyncio.Event()
        self._has_drained = asyncio.Event()
        self._looked_at = time.monotonic()

    @property
    def look_age(self) -> float:
        """Seconds since the last look for work."""
        return time.monotonic() - self._looked_at

    async def run(self) -> None:
        """Deliver until `drain`."""
        self._loop = asyncio.get_running_loop()
        async with open_session(2 * self._most_at_once) as self._session:
            beside = (
                asyncio.create_task(sweep_for_ever(self._desk, self._client)),
                asyncio.create_task(probe_for_ever(self._desk, self._client, self.nudge)),
            )
            try:
                while not self._is_stopping:
                    self._wake.clear()
                    has_found = await self._look()
                    await self._rest(has_found=has_found)
            finally:
                for task in beside:
                    task.cancel()
                self._has_stopped.set()
            await self._has_drained.wait()

    def nudge(self) -> None:
        """There may be something to send: look now. Safe from any thread, before and after `run`."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def drain(self, seconds: float) -> None:
        """Take nothing new, let what is under way finish for up to `seconds`, and give back the rest."""
        self._is_stopping = True
        self._wake.set()
        until = asyncio.get_running_loop().time() + seconds
        if self._loop is not None:
            await self._has_stopped.wait()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        left = dict(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for work in left.values():
            await self._give_back(work)
        self._has_drained.set()

    async def _rest(self, *, has_found: bool) -> None:
        """Until nudged or the next poll."""
        try:
            async with asyncio.timeout(self._pace.poll):
                await self._wake.wait()
        except TimeoutError:
            return
        if has_found and not self._is_stopping:
            await asyncio.sleep(_GATHER_SECONDS)

    async def _look(self) -> bool:
        """Start what is due; whether there was something."""
        self._looked_at = time.monotonic()
        try:
            return await self._start_due()
        except Exception:  # noqa: BLE001  # a busy or absent database: look again at the next poll
            _log.exception("delivery_look_failed")
            return False

    async def _start_due(self) -> bool:
        room = self._most_at_once - len(self._tasks)
        if room <= 0:
            return True
        deadline = asyncio.get_running_loop().time() + self._pace.lease - self._pace.timeout
        batch = await asyncio.to_thread(self._desk.take, self._is_served, room)
        for row, parcel in batch.to_send:
            self._start(_Work(row, deadline), partial(self._send, parcel=parcel))
        for row, search in batch.to_look_up:
            self._start(_Work(row, deadline), partial(self._look_up, search=search))
        return batch.size > 0

    def _is_served(self, workspace_id: str) -> bool:
        return self._client_for(workspace_id) is not None

    def _client(self, workspace_id: str) -> AsyncWebClient | None:
        """The workspace's client, on this delivery's connections."""
        client = self._client_for(workspace_id)
        if client is not None:
            client.session = self._session
        return client

    def _start(self, work: _Work, act: Callable[[_Work, AsyncWebClient], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.ensure_future(self._guard(work, act, self._client(work.row.workspace_id)))
        self._tasks[task] = work
        task.add_done_callback(self._finish)

    async def _guard(
        self,
        work: _Work,
        act: Callable[[_Work, AsyncWebClient], Coroutine[Any, Any, None]],
        client: AsyncWebClient | None,
    ) -> None:
        """A row whose handling breaks down stays claimed; once the lease is over it is looked up like any other."""
        bind_contextvars(**name_row(work.row))
        try:
            if client is not None:
                await act(work, client)
        except Exception:  # noqa: BLE001  # one row must not end the loop
            _log.exception("delivery_failed")

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._wake.set()
        # The channel's next message is due when its slot comes, which is sooner than the next poll may be.
        asyncio.get_running_loop().call_later(self._pace.spacing, self._wake.set)

    # ------------------------------------------------------------ one row

    async def _send(self, work: _Work, client: AsyncWebClient, *, parcel: Parcel) -> None:
        outcome = await self._request(work, client, parcel)
        if not work.is_open:  # rendering took too long: no fault of Slack's, so nothing to wait for
            await asyncio.to_thread(self._desk.release, work.row)
            return
        if classify(outcome) is Verdict.NOT_MEMBER:
            joined = await join(client, parcel.channel, self._pace.timeout)
            if not joined.error:
                outcome = await self._request(work, client, parcel)
        await self._marks.put(Answer(work.row, outcome))
        work.is_open = False

    async def _request(self, work: _Work, client: AsyncWebClient, parcel: Parcel) -> Outcome:
        """One request, unless the lease might run out before its answer: then another may claim the row."""
        if asyncio.get_running_loop().time() > work.deadline:
            return Outcome("lease too short", None, was_sent=False)
        work.is_open = True
        return await send(client, parcel, self._pace.timeout, work.deadline)

    async def _look_up(self, work: _Work, client: AsyncWebClient, *, search: Search | None) -> None:
        """Find out what became of an uncertain message. Changing a message twice does no harm, so an update is
        simply made again, after the settle time so that the old one cannot overtake it.
        """
        if search is None:
            await asyncio.to_thread(self._desk.requeue, work.row)
            return
        outcome, copies = await find_copies(client, search, self._pace.timeout)
        if classify(outcome) is Verdict.NOT_MEMBER:
            await join(client, search.channel, self._pace.timeout)
            outcome, copies = await find_copies(client, search, self._pace.timeout)
        await self._marks.put(Answer(work.row, outcome, tuple(copies)))

    async def _give_back(self, work: _Work) -> None:
        """A claimed row at shutdown: as if never claimed, or uncertain if Slack may have got it."""
        if work.is_open:
            await asyncio.to_thread(self._desk.record, [Answer(work.row, Outcome("shut down", None))])
        elif work.row.state == "sending":
            await asyncio.to_thread(self._desk.release, work.row)
