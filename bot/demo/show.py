"""The demo from start to end: a local Slack, the bot connected to it, a year of a sample company, a page to click.

It does only what a user can: write CSV files, import them, send commands and forms, run jobs. Owns the order of events.
"""

from __future__ import annotations

import asyncio
import json
import os
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from rich.console import Console

from bot.clocks import Clocks, MovableClock, read_wall
from bot.demo.hands import Hands
from bot.demo.history import Ledger
from bot.demo.sample.care import list_answers, list_beginnings, list_endings
from bot.demo.sample.company import SampleAccount, SampleCompany, make_company
from bot.demo.slice import Start, demo_slice
from bot.demo.team import ALERTS, CSMS, LEAD, list_owner_emails, make_seed
from bot.demo.travel import Traveller
from bot.registry import SLICES
from bot.serving import Server, connect
from bot.settings import Settings
from bot.slack.manifest import build_manifest
from bot.wiring import wire, with_help
from commands.people.places import COUNTRY_MENU, ZONE_MENU
from playground.installing import Installed
from playground.server import Playground
from rules.people.working_time import shift_to_working_day

ZONE = ZoneInfo("Europe/Berlin")
COUNTRY = "DE"
Json = dict[str, Any]
SEED = 1839


@dataclass
class Demo:
    """A running demo."""

    slack: Playground
    server: Server
    traveller: Traveller
    ledger: Ledger
    hands: Hands

    async def act(self, what: str, **body: object) -> Json:
        """Do in the local Slack what a person could: "command", "submit" … Raises `RuntimeError` if it did not work."""
        return await self.hands.act(what, **body)


@asynccontextmanager
async def open_demo(
    folder: Path, *, port: int = 0, seed: int = SEED, start: datetime | None = None
) -> AsyncIterator[Demo]:
    """Start everything in `folder` (whose earlier demo is replaced), at the moment `start` of business time or now.

    Business time begins at midnight, or at that of the next working day, and goes through the morning from there.
    """
    _clear(folder)
    now = start or read_wall()
    midnight = _find_midnight(now)
    clock = MovableClock(read_wall, midnight - read_wall())
    async with Playground(make_seed(), port=port) as slack, ClientSession() as session:
        settings = _export(slack.install(build_manifest(with_help(SLICES)), installer=LEAD), slack.api_url, folder)
        travellers: list[Traveller] = []
        loop = asyncio.get_running_loop()
        wiring = await asyncio.to_thread(
            wire, settings, clocks=Clocks(clock, read_wall), more_slices=[demo_slice(_starter(travellers, loop))]
        )
        server = await connect(wiring)
        await server.start()
        today = midnight.astimezone(ZONE).date()
        ledger = Ledger(make_company(seed, today, list_owner_emails()), folder / "files")
        saved = folder / "clock.json"
        traveller = Traveller(clock, server.scheduler, ledger, ZONE, COUNTRY, lambda offset: _save(saved, offset))
        travellers.append(traveller)
        demo = Demo(slack, server, traveller, ledger, Hands(slack, session, ALERTS))
        try:
            await _prepare(demo)
            await traveller.go(max(now, traveller.find_day(0)))
            yield demo
        finally:
            await server.stop()


def _find_midnight(now: datetime) -> datetime:
    """When the day of `now` began, or the next working day after a free one."""
    day = shift_to_working_day(now.astimezone(ZONE).date(), COUNTRY)
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left in `folder`, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("milepost.db*", "clock.json", "files/*.csv"):
        for path in folder.glob(pattern):
            path.unlink()


def _export(installed: Installed, api_url: str, folder: Path) -> Settings:
    """What an admin would export before `milepost run`."""
    os.environ["MILEPOST_DATABASE_URL"] = f"sqlite:///{folder / 'milepost.db'}"
    os.environ["MILEPOST_SLACK_API_URL"] = api_url
    os.environ["MILEPOST_SLACK_BOT_TOKEN"] = installed.bot_token
    os.environ["MILEPOST_SLACK_APP_TOKEN"] = installed.app_token
    return Settings()


def _starter(travellers: Sequence[Traveller], loop: asyncio.AbstractEventLoop) -> Start:
    def start(days: int) -> datetime | None:
        traveller = travellers[0]
        if traveller.is_moving:
            return None
        arrival = traveller.find_day(days)
        traveller.is_moving = True
        asyncio.run_coroutine_threadsafe(traveller.go(arrival), loop)
        return arrival

    return start


def _save(path: Path, offset: timedelta) -> None:
    path.write_text(json.dumps({"offset_seconds": offset.total_seconds()}), encoding="utf-8")


async def _prepare(demo: Demo) -> None:
    """Set the bot up, meet the people, import a year, do what the team did, work through the last days."""
    hands, company = demo.hands, demo.ledger.company
    await hands.fill(LEAD, "setup", _SETUP)
    await asyncio.to_thread(demo.ledger.import_history)
    for user in CSMS:
        await hands.type(user, "help")
    await demo.server.edge.people.link_owners()
    ids = dict(zip(list_owner_emails(), CSMS, strict=True))
    await hands.carry_out(list_beginnings(company), ids)
    await hands.carry_out(list_endings(company), ids)
    await asyncio.to_thread(demo.ledger.run_history)
    await hands.carry_out(list_answers(company), ids)
    hands.dismiss_notes()
    await demo.server.scheduler.tick()
    demo.server.delivery.nudge()


_SETUP = {
    "team_channel_id": ALERTS,
    "lead_id": LEAD,
    "country": {COUNTRY_MENU: COUNTRY},
    "zone": {ZONE_MENU: ZONE.key},
    "work_from": "09:00",
    "work_until": "17:30",
    "currency": "EUR",
}


def tell(demo: Demo, console: Console) -> None:
    """Say what there is to try."""
    behind, new, near = (
        _find_own(demo.ledger.company, story) for story in ("slow targets", "onboarding", "decides soon")
    )
    console.print(
        f"""
[bold]A local Slack with Milepost in it:[/bold] {demo.slack.url}

You are Amara, who looks after a third of the customers (choose Lena, Diego or Wei at the top left). Look at:
  Milepost, under Direct messages: this morning's digest, and the check-ins that are due
  #cs-alerts: alerts and renewals. Press [bold]I'm on it[/bold] on an alert, or [bold]Give verdict[/bold] on a renewal
Then type, in #cs-alerts:
  /cs list mine                 the customers you look after
  /cs show {behind.name}
  /cs log {behind.name} {behind.target[0]} {behind.target[4]:g} after the training
  /cs journey {new.name}
                                milestones; press [bold]Done[/bold] on the one that is late
  /cs checkin {near.name}
                                pulse, values, a risk, the next step: one form
  /cs renewals                  what is decided soon, and what is missing
  /cs digest week               your week
  /cs demo tomorrow             new usage comes in, and everybody's next working morning passes
  /cs demo next week
Files of the sample company: {demo.ledger.folder}
Stop with Ctrl-C.
""",
        highlight=False,
    )


def _find_own(company: SampleCompany, story: str) -> SampleAccount:
    """A customer with that story, of the first CSM if they have one."""
    first = list_owner_emails()[0]
    return min(company.of_story(story), key=lambda each: each.owner_email != first)


async def show(folder: Path, *, port: int, is_opening_browser: bool) -> None:
    """Run the demo until it is cancelled."""
    console = Console(soft_wrap=True)
    with console.status("Starting a local Slack, importing a year of a sample company …") as status:
        async with open_demo(folder, port=port) as demo:
            status.stop()
            tell(demo, console)
            if is_opening_browser:
                webbrowser.open(demo.slack.url)
            await asyncio.Event().wait()
