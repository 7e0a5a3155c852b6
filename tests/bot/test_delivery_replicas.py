"""Two deliveries on one database: each message once, each channel in order and at its pace, whoever sends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from sqlmodel import func, select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message
from rules.delivery.outbox import Pace
from rules.records import Enqueue
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from tests.bot.fake_slack import FakeSlack
from tests.conftest import NOW
from words.reader import Reader

# A request takes as long as it needs: Slack answers none before both deliveries have come.
PACE = Pace(lease=60.0, settle=0.5, spacing=0.2, poll=0.05, timeout=30.0)
CHANNELS = tuple(f"C{number}" for number in range(6))
EACH = 6
MOST_AT_ONCE = len(CHANNELS) // 2
"""So one delivery alone cannot have all channels in hand."""


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(reference)


def count_open(database: Database, workspace_id: str) -> int:
    with database.reading(workspace_id) as tx:
        mine = (OutboxRow.workspace_id == tx.workspace_id, OutboxRow.state != "sent")
        return tx.session.exec(select(func.count()).select_from(OutboxRow).where(*mine)).one()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # it happens in the database
            await asyncio.sleep(0.1)


async def test_two_deliveries_share_the_work_and_keep_order_and_pace(database: Database, workspace_id: str):
    wanted = {channel: [f"{channel}-{number}" for number in range(EACH)] for channel in CHANNELS}
    with database.writing(workspace_id) as tx:
        for number in range(EACH):
            enqueue(tx, [Enqueue("note", names[number], channel) for channel, names in wanted.items()], NOW)
    other = Database(database.url)
    async with FakeSlack() as slack:
        slack.awaited = 2
        slack.faults["chat.postMessage"] = ["", "", "lost", "", "500", "", "", "429:0", "drop"]
        clients = [open_client(f"xoxb-{number}", slack.url) for number in range(2)]
        deliveries = [
            Delivery(
                each,
                {"note": render},
                lambda _, client=client: client,
                real_clocks(),
                pace=PACE,
                most_at_once=MOST_AT_ONCE,
            )
            for each, client in zip((database, other), clients, strict=True)
        ]
        running = [asyncio.create_task(each.run()) for each in deliveries]
        await until(lambda: count_open(database, workspace_id) == 0)
        for each in deliveries:
            await each.drain(2.0)
        await asyncio.gather(*running)
    other.close()
    assert max(Counter(each.key for each in slack.messages).values()) == 1
    assert {channel: slack.texts(channel) for channel in CHANNELS} == wanted
    assert len(slack.tokens) == 2
    for channel in CHANNELS:
        times = [each.at for each in slack.messages if each.channel == channel]
        assert min(later - earlier for earlier, later in pairwise(times)) >= PACE.spacing * 0.9
