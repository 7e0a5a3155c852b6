"""A delivery process to be killed: `delivery_worker.py <database url> <slack url>`. Delivers until its end."""

from __future__ import annotations

import asyncio
import sys

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message
from rules.delivery.outbox import Pace
from storage.db import Database, Tx
from words.reader import Reader

# As in production, in a smaller scale: the settle time is longer than a request of the fake Slack takes to land.
PACE = Pace(lease=1.0, settle=0.4, spacing=0.01, poll=0.05, timeout=0.4)


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(reference)


async def deliver(database_url: str, slack_url: str) -> None:
    client = open_client("xoxb-test", slack_url)
    delivery = Delivery(Database(database_url), {"note": render}, lambda _: client, real_clocks(), pace=PACE)
    await delivery.run()


if __name__ == "__main__":
    asyncio.run(deliver(sys.argv[1], sys.argv[2]))
