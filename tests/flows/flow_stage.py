"""A stage for whole lines of work: a local Slack, the bot as it runs in production, and one small customer's files.

The business clock starts at a fixed Monday; wall time is the machine's.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from pydantic import SecretStr

from bot.clocks import Clocks, MovableClock, read_wall
from bot.registry import SLICES
from bot.serving import Server, connect
from bot.settings import Settings
from bot.slack.http import HttpServer
from bot.slack.manifest import build_manifest
from bot.wiring import wire, with_help
from pipeline.imports.mapping import Kind
from pipeline.imports.report import ImportReport
from pipeline.imports.run import Job, run_import
from playground.model import Channel, Team, User
from playground.seed import Seed
from playground.server import Playground
from rules.delivery.outbox import Pace
from rules.people.team import ChangeMember
from rules.records import Actor
from storage.people.members import find_by_slack_id
from storage.people.team_writes import apply_team
from tests.flows.flow_posts import Post, is_idle, join_posts, list_rows_between

MONDAY = date(2026, 3, 2)
SEATS = 50
CSM, LEAD, CHANNEL = "U00000000CSM", "U0000000LEAD", "C0000ALERTS1"
MIA, VIEWER, STRANGER = "U00000000MIA", "U000000VIEWR", "U0000STRANGE"
PRIVATE, ARCHIVED, ROOM = "C0000PRIVAT1", "C0000ARCHIV1", "C00000ROOM01"

Json = dict[str, Any]


def make_seed(people: Iterable[User] = ()) -> Seed:
    """A lead, two CSMs, somebody who will only look, a stranger of another team; the channel they share, a private one,
    an archived one, and one for a single customer. `people` come besides, or instead of who has the same id.
    """
    usual = [
        User(id=LEAD, name="lead", real_name="The lead", email="lead@example.com", tz="UTC", is_admin=True),
        User(id=CSM, name="csm", real_name="The CSM", email="csm@example.com", tz="UTC"),
        User(id=MIA, name="mia", real_name="Another CSM", email="mia@example.com", tz="UTC"),
        User(id=VIEWER, name="viewer", real_name="The viewer", email="viewer@example.com", tz="UTC"),
        User(id=STRANGER, name="stranger", real_name="A stranger", tz="UTC", team_id="T0000OTHER1"),
    ]
    users = list({user.id: user for user in [*usual, *people]}.values())
    everyone = [user.id for user in users]
    channels = [
        Channel(id=CHANNEL, name="cs-alerts", members=everyone),
        Channel(id=PRIVATE, name="cs-private", members=[LEAD, CSM], is_private=True),
        Channel(id=ARCHIVED, name="cs-archived", members=[LEAD, CSM], is_archived=True),
        Channel(id=ROOM, name="northwind", members=[LEAD, CSM, MIA]),
    ]
    return Seed(team=Team(id="T00000FLOW", name="Flow", domain="flow"), users=users, channels=channels)


@dataclass
class Stage:
    """Everything a flow needs: people act through the control API, days pass through the scheduler."""

    slack: Playground
    server: Server
    clock: MovableClock
    folder: Path
    session: ClientSession

    @property
    def workspace_id(self) -> str:
        """Our id of the workspace."""
        return self.server.installation.workspace_id

    @property
    def today(self) -> date:
        """The business day."""
        return self.clock().date()

    async def act(self, what: str, **body: Any) -> Json:
        """One act of a person (command, press, submit …) and its answer."""
        async with self.session.post(f"{self.slack.url}/_play/{what}", json=body) as response:
            answer: Json = await response.json()
        return answer

    async def command(self, text: str, user: str = CSM) -> Json:
        """Type a command in the channel."""
        return await self.act("command", user=user, channel=CHANNEL, text=text)

    async def messages(self, *, thread_ts: str = "", user: str = "") -> list[Json]:
        """The channel's messages, oldest first."""
        params = {"channel": CHANNEL, "thread_ts": thread_ts, "user": user}
        wanted = {name: value for name, value in params.items() if value}
        async with self.session.get(f"{self.slack.url}/_play/messages", params=wanted) as response:
            return sorted((await response.json())["messages"], key=lambda each: each["ts"])

    async def wait_for(self, text: str, *, thread_ts: str = "", seconds: float = 15.0) -> Json:
        """The first message of the channel (or thread) that says `text`, once it is there."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            for each in await self.messages(thread_ts=thread_ts):
                if text in said(each):
                    return each
            await asyncio.sleep(0.1)
        seen = "\n---\n".join(said(each) for each in await self.messages(thread_ts=thread_ts))
        raise AssertionError(f"nobody said {text!r} within {seconds} s; seen:\n{seen}")

    async def walk(self, until: datetime) -> None:
        """Let business time pass up to `until`: stop at each time at which something is due, let it run, and wait until
        all it says stands in Slack, so that each message is rendered and posted at its own moment. Snoozed alerts,
        which are looked for every five minutes, wake at the next stop, `until` at the latest.
        """
        await self.settle()
        while (due := await asyncio.to_thread(self.server.scheduler.next_due)) is not None and due <= until:
            await self._stop_at(due)
        await self._stop_at(until)

    async def _stop_at(self, moment: datetime) -> None:
        if moment > self.clock():
            self.clock.move_to(moment)
        await self.server.scheduler.tick()
        await self.settle()

    async def settle(self, seconds: float = 30.0) -> None:
        """Wait until every run is finished and everything said stands in Slack."""
        database = self.server.wiring.database
        async with asyncio.timeout(seconds):
            while True:
                with database.reading(self.workspace_id) as tx:
                    if is_idle(tx):
                        return
                await asyncio.sleep(0.02)

    def posts(self, since: datetime, until: datetime) -> list[Post]:
        """What arrived from `since` to before `until` (business time), in order, updates included.

        Raises `AssertionError` where a message stands twice in Slack, or was given up.
        """
        with self.server.wiring.database.reading(self.workspace_id) as tx:
            rows = list_rows_between(tx, since, until)
        return join_posts(self.slack.core.workspace, rows)

    async def meet(self, people: Iterable[str]) -> None:
        """These people (Slack ids) type their first command, and Slack is asked who they are."""
        for each in people:
            assert (await self.command("/cs help", each))["ok"]
        assert await self.server.edge.tasks.drain(5) == 0

    def set_hours(self, slack_id: str, **hours: object) -> None:
        """Own working time of somebody who was met: `work_from="08:00"`, `digest_at`, `country`, `own_zone` …"""
        with self.server.wiring.database.writing(self.workspace_id) as tx:
            row = find_by_slack_id(tx, slack_id)
            assert row is not None, f"nobody has met {slack_id}"
            apply_team(tx, [ChangeMember(row.id, hours)], Actor("import", "hours"), self.clock())

    async def pass_days(self, count: int, active: int) -> None:
        """Let days pass: each day's usage is imported, then the jobs of the next morning run."""
        for _ in range(count):
            await asyncio.to_thread(self.import_usage, self.today, active)
            noon = self.clock() + timedelta(days=1)
            while (due := await asyncio.to_thread(self.server.scheduler.next_due)) is not None and due <= noon:
                self.clock.move_to(max(due, self.clock()))
                await self.server.scheduler.tick()
            self.clock.move_to(noon)

    def import_rows(self, kind: str, rows: list[Mapping[str, object]]) -> ImportReport:
        """Write a CSV file and import it."""
        path = self.folder / f"{kind}-{self.clock():%Y%m%d%H%M%S%f}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return run_import(self.server.wiring.database, self.workspace_id, Job(Kind(kind), path), self.clock())

    def import_usage(self, day: date, active: int) -> None:
        """One day's usage of the customer: active users and two features."""
        if not active or day.weekday() > 4:
            return
        rows: list[Mapping[str, object]] = [
            {"account": "N-1", "metric": metric, "day": day.isoformat(), "value": active * factor}
            for metric, factor in (("weekly_active_users", 1), ("reports", 3), ("messages", 8))
        ]
        self.import_rows("usage", rows)

    def import_customer(self) -> None:
        """Northwind with a contract and a target, and ten weeks of steady use."""
        start = self.today - timedelta(days=120)
        account = {
            "external_id": "N-1",
            "name": "Northwind",
            "tier": "A",
            "seats": SEATS,
            "owner_email": "csm@example.com",
        }
        self.import_rows("accounts", [account])
        contract = {
            "external_id": "K-1",
            "account": "Northwind",
            "start_on": start,
            "end_on": start + timedelta(days=365),
        }
        self.import_rows("contracts", [{**contract, "yearly_amount": "€84k", "seats": SEATS}])
        target = {
            "external_id": "G-1",
            "account": "N-1",
            "metric": "conversion",
            "unit": "%",
            "baseline": 5,
            "goal": 10,
        }
        dates = {"start_on": start, "due_on": start + timedelta(days=365), "agreed_on": start}
        value = {"value": 6.6, "measured_on": self.today - timedelta(days=5)}
        self.import_rows("targets", [{**target, **dates, **value}])
        for back in range(70, 0, -1):
            self.import_usage(self.today - timedelta(days=back), 40)


def said(message: Json) -> str:
    """All text of a message: its plain text and every text in its blocks."""
    return "\n".join([message.get("text", ""), *_texts(message.get("blocks", []))])


def _texts(value: object) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return []


def find_button(message: Json, action: str) -> Json:
    """The element with this action id."""
    for each in _elements(message.get("blocks", [])):
        if each.get("action_id") == action:
            return each
    raise AssertionError(f"no {action} in {[each.get('action_id') for each in _elements(message['blocks'])]}")


def _elements(blocks: list[Json]) -> list[Json]:
    return [
        element
        for block in blocks
        for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]
    ]


@asynccontextmanager
async def open_stage(
    folder: Path,
    *,
    is_socket_mode: bool = True,
    port: int = 0,
    pace: Pace | None = None,
    start: datetime | None = None,
    people: Iterable[User] = (),
    hours: Mapping[str, Mapping[str, object]] | None = None,
    is_set_up: bool = True,
) -> AsyncIterator[Stage]:
    """The stage at `start` (`MONDAY` at noon UTC), the channel set up, nothing imported yet. `pace` is delivery's.

    `people` come besides those of `make_seed`, or instead of who has the same id, each with zone and locale; they and
    the CSM have been met. `hours`: own working time by Slack id, as `Stage.set_hours` takes it. With `is_set_up` false
    nobody has set a channel or met the bot.
    """
    begin = start or datetime(MONDAY.year, MONDAY.month, MONDAY.day, 12, tzinfo=UTC)
    clock = MovableClock(read_wall, begin - read_wall())
    known = list(people)
    async with Playground(make_seed(known), port=port) as slack, ClientSession() as session:
        server = await _connect(slack, folder, clock, pace, is_socket_mode=is_socket_mode)
        stage = Stage(slack, server, clock, folder, session)
        try:
            if is_set_up:
                await _set_up(stage, [each.id for each in known if not each.team_id], hours or {})
            yield stage
        finally:
            await stage.server.stop()  # a flow may have put another in its place


async def _connect(
    slack: Playground, folder: Path, clock: MovableClock, pace: Pace | None, *, is_socket_mode: bool
) -> Server:
    """Install the app and start the bot as production does."""
    manifest = build_manifest(with_help(SLICES), is_socket_mode=is_socket_mode, url="https://bot.example.com")
    app = slack.install(manifest, installer=LEAD)
    settings = Settings(
        database_url=f"sqlite:///{folder / 'milepost.db'}",
        slack_bot_token=SecretStr(app.bot_token),
        slack_app_token=SecretStr(app.app_token if is_socket_mode else ""),
        slack_signing_secret=SecretStr(app.signing_secret),
        slack_api_url=slack.api_url,
        http_port=0,
    )
    server = await connect(wire(settings, clocks=Clocks(clock, read_wall)), pace=pace)
    await server.start()
    if isinstance(server.transport, HttpServer):
        slack.set_request_url(app.app_id, f"http://127.0.0.1:{server.transport.port}/slack/events")
    return server


async def _set_up(stage: Stage, people: Iterable[str], hours: Mapping[str, Mapping[str, object]]) -> None:
    answer = await stage.command(f"/cs setup <#{CHANNEL}>", LEAD)
    assert answer["ok"], answer
    await stage.meet([CSM, *people])
    for slack_id, wanted in hours.items():
        stage.set_hours(slack_id, **wanted)
