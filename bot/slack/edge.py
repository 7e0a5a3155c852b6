"""The Slack edge: a Bolt app whose every payload gets an answer within Slack's three seconds.

Owns commit-then-acknowledge, the "still working" answer, what follows the acknowledgement, and a shutdown that
drains. Refuses to know any subject (that is the slices') and how payloads arrive (Socket Mode or HTTP).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from structlog.contextvars import bind_contextvars

from bot import metrics
from bot.clocks import Clocks
from bot.slack.channels import Channels
from bot.slack.crew import Crew
from bot.slack.events import Events
from bot.slack.handling import Answer, Handling
from bot.slack.installation import Installation, build_authorize
from bot.slack.payloads import Payload, read_action, read_command, read_home, read_submission, read_suggestion
from bot.slack.people import People
from bot.slack.routes import build_routes
from bot.slack.sending import Sender, build_client
from bot.slack.tasks import Tasks
from bot.slack.transports import Effect, Plan, ack_body, postpone, still_working
from bot.slack.verification import Verification
from commands.slice import Slice
from rules.records import Role
from storage.db import Database
from words.reader import Reader

SLACK_API = "https://slack.com/api/"
SLOW_SECONDS = 2.0
DRAIN_SECONDS = 10.0
ASK_SECONDS = 1.0
_THREADS = 8
_ANY = re.compile("")
_log = structlog.get_logger(__name__)

Body = dict[str, Any]


def _ignore_commit() -> None:
    """What happens by default when a payload has been handled: nothing."""


@dataclass(frozen=True)
class EdgeSettings:
    """How one installation is served. `signing_secrets` newest first (HTTP only); `slow_seconds` < 3; `on_commit` is
    called on the event loop when a payload has been handled, for instance to nudge delivery.
    """

    installation: Installation
    base_url: str = SLACK_API
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    default_role: Role = Role.CSM
    slow_seconds: float = SLOW_SECONDS
    on_commit: Callable[[], None] = field(default=_ignore_commit, repr=False)


class Edge:
    """One installation's app. `app` takes payloads, `client` is the edge's own, `people` refreshes members, `channels`
    finds out who reads a channel.
    """

    def __init__(self, handling: Handling, people: People, client: AsyncWebClient, settings: EdgeSettings) -> None:
        self.client = client
        self.people = people
        self.channels = Channels(people.database, settings.installation.workspace_id, client, people.clocks)
        self.tasks = Tasks()
        self.is_stopping = False
        self._handling = handling
        self._sender = Sender(client)
        self._slow_seconds = settings.slow_seconds
        self._workspace_id = settings.installation.workspace_id
        self._on_commit = settings.on_commit
        self._crew = Crew(_THREADS)
        self.app = _build_app(self, settings)

    async def answer(self, payload: Payload) -> BoltResponse:
        """Handle one payload and return its acknowledgement; what follows runs as a tracked task."""
        began = time.monotonic()
        try:
            return await self._answer(payload)
        finally:
            metrics.ACKS.labels(payload.origin.value).observe(time.monotonic() - began)

    async def _answer(self, payload: Payload) -> BoltResponse:
        bind_contextvars(request=uuid.uuid4().hex[:12], workspace=self._workspace_id, origin=payload.origin.value)
        work = self.tasks.start(self._work(payload), f"handle {payload.name}")
        done, _ = await asyncio.wait({work}, timeout=self._slow_seconds)
        if not done:
            return self._answer_late(payload, work)
        answer = work.result()
        self._follow(answer.plan.after, payload, answer.reader)
        return _acknowledge(answer.plan)

    async def drain(self, wait_seconds: float = DRAIN_SECONDS) -> int:
        """Take nothing more in, finish what is begun (10 s at most); returns how many tasks had to be cut off."""
        self.is_stopping = True
        left = await self.tasks.drain(wait_seconds)
        self._crew.close(waits=left == 0)
        return left

    async def _work(self, payload: Payload) -> Answer:
        answer = await self._handle(payload, is_final=False)
        if answer.is_provisional:
            # An admin's very first command must not be refused because Slack was not asked yet who they are.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.people.refresh(payload.slack_id), ASK_SECONDS)
            answer = await self._handle(payload, is_final=True)
        self._on_commit()
        self.channels.nudge()
        if answer.is_stale:
            self.tasks.start(self.people.refresh(payload.slack_id), "refresh a person")
        return answer

    async def _handle(self, payload: Payload, *, is_final: bool) -> Answer:
        return await self._crew.do(functools.partial(self._handling.answer, payload, is_final=is_final))

    def _answer_late(self, payload: Payload, work: asyncio.Task[Answer]) -> BoltResponse:
        meanwhile = still_working(payload, self.people.find_reader(payload.slack_id))
        self.tasks.start(self._finish(payload, work, meanwhile), f"finish {payload.name}")
        return _acknowledge(meanwhile)

    async def _finish(self, payload: Payload, work: asyncio.Task[Answer], meanwhile: Plan) -> None:
        await self._send_all(meanwhile.after, payload, Reader())
        answer = await work
        await self._send_all(postpone(answer.plan, payload, answer.reader), payload, answer.reader)

    def _follow(self, effects: Sequence[Effect], payload: Payload, reader: Reader) -> None:
        if effects:
            self.tasks.start(self._send_all(effects, payload, reader), f"answer {payload.name}")

    async def _send_all(self, effects: Sequence[Effect], payload: Payload, reader: Reader) -> None:
        for effect in effects:
            await self._sender.send(effect, payload, reader)


def build_edge(database: Database, slices: Sequence[Slice], settings: EdgeSettings, clocks: Clocks) -> Edge:
    """The edge of one installation. Raises `ValueError` when two slices claim one name."""
    installation = settings.installation
    client = build_client(installation.bot_token, settings.base_url)
    people = People(database, installation, client, clocks, settings.default_role)
    handling = Handling(database, build_routes(slices), people, clocks)
    return Edge(handling, people, client, settings)


def _build_app(edge: Edge, settings: EdgeSettings) -> AsyncApp:
    app = AsyncApp(
        name="milepost",
        logger=_bolt_logger(),
        client=AsyncWebClient(base_url=settings.base_url),
        authorize=build_authorize(settings.installation),
        before_authorize=Verification(settings.signing_secrets),
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        request_verification_enabled=False,
    )
    app.command(_ANY)(_listen(edge, read_command))
    app.action(_ANY)(_listen(edge, read_action))
    app.view(_ANY)(_listen(edge, read_submission))
    app.options(_ANY)(_listen(edge, read_suggestion))
    app.view_closed(_ANY)(_ignore)
    app.shortcut(_ANY)(_ignore)
    app.event("app_home_opened")(_listen_home(edge))
    events = Events(edge.people, edge.channels)
    for name, act in events.by_name().items():
        app.event(name)(_listen_event(edge, act))
    app.event(_ANY)(_ignore)
    app.error(_answer_unhandled)
    return app


def _bolt_logger() -> logging.Logger:
    """Bolt writes whole payloads at DEBUG, so its own logger never goes below INFO."""
    logger = logging.getLogger("slack_bolt.milepost")
    logger.setLevel(logging.WARNING)
    return logger


def _listen(edge: Edge, read: Callable[[Mapping[str, Any]], Payload]) -> Callable[..., Awaitable[BoltResponse]]:
    async def listen(body: Body) -> BoltResponse:
        if edge.is_stopping:
            return BoltResponse(status=503, body="")
        payload = read(body)
        return await edge.answer(payload) if payload.slack_id else BoltResponse(status=200, body="")

    return listen


def _listen_home(edge: Edge) -> Callable[..., Awaitable[BoltResponse]]:
    listen = _listen(edge, read_home)

    async def listen_home(body: Body) -> BoltResponse:
        is_home = (body.get("event") or {}).get("tab", "home") == "home"
        return await listen(body) if is_home else BoltResponse(status=200, body="")

    return listen_home


def _listen_event(
    edge: Edge, act: Callable[[Mapping[str, Any]], Coroutine[Any, Any, bool]]
) -> Callable[..., Awaitable[BoltResponse]]:
    async def listen_event(body: Body) -> BoltResponse:
        """Events are acknowledged after their commit; without one Slack sends them again."""
        if edge.is_stopping:
            return BoltResponse(status=503, body="")
        is_done = await edge.tasks.start(act(body), "event")
        return BoltResponse(status=200 if is_done else 503, body="")

    return listen_event


async def _ignore() -> BoltResponse:
    return BoltResponse(status=200, body="")


async def _answer_unhandled(error: Exception) -> BoltResponse:
    """What nobody listens to is acknowledged all the same, or Slack would send it again and again."""
    if isinstance(error, BoltUnhandledRequestError):
        return BoltResponse(status=200, body="")
    _log.error("payload not handled", exc_info=error)
    return BoltResponse(status=500, body="")


def _acknowledge(chosen: Plan) -> BoltResponse:
    return BoltResponse(status=200, body=ack_body(chosen.ack) or "")
