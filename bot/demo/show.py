"""The demo from start to end: a local Slack, the bot connected to it, a year of a sample company, a page to click.

It does only what a user can: write CSV files, import them, send commands, run jobs. Owns the order of events.
"""

from __future__ import annotations

import asyncio
import json
import os
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from rich.console import Console

from bot.clocks import Clocks, MovableClock, read_wall
from bot.demo.history import Ledger
from bot.demo.sample.company import make_company
from bot.demo.slice import Start, demo_slice
from bot.demo.team import ALERTS, CSMS, LEAD, list_owner_emails, make_seed
from bot.demo.travel import Traveller
from bot.registry import SLICES
from bot.serving import Server, connect
from bot.settings import Settings
from bot.slack.manifest import build_manifest
from bot.wiring import wire, with_help
from commands.people.places import ZONE_MENU
from playground.server import Installed, Playground

ZONE = ZoneInfo("Europe/Berlin")
Json = dict[str, Any]
SEED = 7


@dataclass
class Demo:
    """A running demo."""

    slack: Playground
    server: Server
    traveller: Traveller
    ledger: Ledger

    async def act(self, what: str, **body: object) -> Json:
        """Do in the local Slack what a person could: "command", "submit" … Raises `RuntimeError` if it did not work."""
        async with ClientSession() as session, session.post(f"{self.slack.url}/_play/{what}", json=body) as response:
            told: Json = await response.json()
        if not told.get("ok") or told.get("errors"):
            raise RuntimeError(f"{what} {body}: {told}")
        return told


@asynccontextmanager
async def open_demo(
    folder: Path, *, port: int = 0, seed: int = SEED, start: datetime | None = None
) -> AsyncIterator[Demo]:
    """Start everything in `folder` (whose earlier demo is replaced), at the moment `start` of business time or now."""
    _clear(folder)
    clock = MovableClock(read_wall, start - read_wall() if start else timedelta())
    async with Playground(make_seed(), port=port) as slack:
        settings = _export(slack.install(build_manifest(with_help(SLICES)), installer=LEAD), slack.api_url, folder)
        travellers: list[Traveller] = []
        loop = asyncio.get_running_loop()
        wiring = await asyncio.to_thread(
            wire, settings, clocks=Clocks(clock, read_wall), more_slices=[demo_slice(_starter(travellers, loop))]
        )
        server = await connect(wiring)
        await server.start()
        today = clock().astimezone(ZONE).date()
        ledger = Ledger(make_company(seed, today, list_owner_emails()), folder / "files")
        saved = folder / "clock.json"
        traveller = Traveller(clock, server.scheduler, ledger, ZONE, lambda offset: _save(saved, offset))
        travellers.append(traveller)
        demo = Demo(slack, server, traveller, ledger)
        try:
            await _prepare(demo)
            yield demo
        finally:
            await server.stop()


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
    """Set the bot up, meet the people, import a year, work through the last days."""
    opened = await demo.act("command", user=LEAD, channel=ALERTS, text="/cs setup", wait_seconds=10)
    values = {"team_channel_id": {"value": ALERTS}, "zone": {ZONE_MENU: ZONE.key}, "currency": {"value": "EUR"}}
    await demo.act("submit", user=LEAD, view_id=opened["views"][-1]["id"], values=values)
    await asyncio.to_thread(demo.ledger.import_history)
    for user in CSMS:
        await demo.act("command", user=user, channel=ALERTS, text="/cs help")
    await demo.server.edge.people.link_owners()
    await asyncio.to_thread(demo.ledger.run_history)
    await asyncio.to_thread(demo.ledger.run_today)
    demo.server.delivery.nudge()


def tell(demo: Demo, console: Console) -> None:
    """Say what there is to try."""
    account = demo.ledger.company.of_story("steady")[0].name
    console.print(
        f"""
[bold]A local Slack with Milepost in it:[/bold] {demo.slack.url}

Try, in #cs-alerts:
  press [bold]I'm on it[/bold] on an alert, then [bold]Log what you did[/bold]
  /cs list                      whom you look after
  /cs show {account}
  /cs log {account} {demo.ledger.company.of_story("steady")[0].target[0]} 60 after the training
  /cs demo tomorrow             new usage comes in, the morning's jobs run
  /cs demo next week
Files of the sample company: {demo.ledger.folder}
Stop with Ctrl-C.
""",
        highlight=False,
    )


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
