"""Delivery processes killed in the middle of their work, with Slack failing too: nothing lost, nothing doubled, every
channel in order.
"""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sqlmodel import func, select

from rules.records import Enqueue
from storage.db import Database
from storage.delivery.outbox import OutboxRow, enqueue
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW, add_workspace

ROOT = Path(__file__).resolve().parent.parent.parent
CHANNELS = tuple(f"C{number}" for number in range(6))
MESSAGES = 60
KILLS = 3
FAULTS = ("lost", "drop", "500", "late:0.1", "429:0", "hang")


async def start_worker(database_url: str, slack_url: str) -> Process:
    script = str(Path(__file__).with_name("delivery_worker.py"))
    return await asyncio.create_subprocess_exec(
        sys.executable, script, database_url, slack_url, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stderr=DEVNULL
    )


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what it waits for happens in another process
            await asyncio.sleep(0.02)


def count_open(database: Database, workspace_id: str) -> int:
    with database.reading(workspace_id) as tx:
        query = select(func.count()).where(OutboxRow.workspace_id == tx.workspace_id, OutboxRow.state != "sent")
        return tx.session.exec(query).one()


async def test_killed_deliveries_lose_nothing_and_double_nothing(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    wanted = [(f"n{number:03}", CHANNELS[number % len(CHANNELS)]) for number in range(MESSAGES)]
    with sqlite_database.writing(workspace_id) as tx:
        enqueue(tx, [Enqueue("note", name, channel=channel) for name, channel in wanted], NOW)
    chance = random.Random(7)
    async with FakeSlack() as slack:
        slack.faults["chat.postMessage"] = [
            chance.choice(FAULTS) if chance.random() < 0.15 else "" for _ in range(MESSAGES)
        ]
        for kill in range(KILLS):
            worker = await start_worker(sqlite_database.url, slack.url)
            enough = (kill + 1) * MESSAGES // (KILLS + 2)
            await until(lambda enough=enough: len(slack.messages) >= enough)
            worker.kill()
            await worker.wait()
        slack.faults.clear()
        worker = await start_worker(sqlite_database.url, slack.url)
        await until(lambda: count_open(sqlite_database, workspace_id) == 0)
        worker.kill()
        await worker.wait()
        assert Counter(each.text for each in slack.messages) == Counter(name for name, _ in wanted)
        for channel in CHANNELS:
            assert slack.texts(channel) == [name for name, home in wanted if home == channel]
