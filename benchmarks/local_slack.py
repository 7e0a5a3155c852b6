"""The local Slack in a process of its own, with people who type: what `benchmarks.acks` talks to.

Standard output: one JSON line with addresses and tokens, then one with the answers of each round. Standard input: a
line of JSON starts a round, an empty line ends it. Owns the typing; what an answer took stands in the ledger.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from itertools import cycle
from random import Random
from typing import Any

from aiohttp import ClientSession

from bot.registry import SLICES
from bot.slack.manifest import build_manifest
from bot.wiring import with_help
from playground.model import Channel
from playground.seed import default_seed
from playground.server import Playground

CHANNEL = "general"
CHANNELS = tuple(f"C00000BENCH{number:02}" for number in range(50))
"""Public channels that messages can go to."""


@dataclass(frozen=True)
class Round:
    """What is typed, over and over, and how often; moments are random, as people's are."""

    lines: list[str]
    users: list[str]
    per_second: float
    seed: int


async def type_on(slack: Playground, round_: Round, is_over: asyncio.Event) -> dict[str, Any]:
    """Type until it is over; each answer's milliseconds, and how many were refused, busy or never came."""
    first = slack.core.ledger.last_number
    random = Random(round_.seed)
    async with ClientSession(slack.url) as session, asyncio.TaskGroup() as group:
        for line, user in zip(cycle(round_.lines), cycle(round_.users), strict=False):
            if is_over.is_set():
                break
            group.create_task(_type(session, line, user))
            await asyncio.sleep(random.expovariate(round_.per_second))
    entries = [entry for entry in slack.core.ledger.entries if entry["n"] > first]
    payloads = [entry for entry in entries if entry["kind"] == "payload" and entry["name"] == "/cs"]
    acks = [json.dumps(entry["content"]) for entry in entries if entry["kind"] == "ack"]
    return {
        "milliseconds": [entry["milliseconds"] for entry in payloads],
        "failed": sum(entry["outcome"] != "ok" for entry in payloads),
        "busy": sum("busy" in each for each in acks),
    }


async def _type(session: ClientSession, line: str, user: str) -> None:
    async with session.post("/_play/command", json={"user": user, "channel": CHANNEL, "text": line}) as response:
        await response.read()


async def serve() -> None:
    """Rounds until standard input ends."""
    seed = default_seed()
    seed.channels.extend(Channel(id=each, name=each.lower(), members=[seed.users[0].id]) for each in CHANNELS)
    async with Playground(seed) as slack:
        installed = slack.install(build_manifest(with_help(SLICES)), seed.users[0].id)
        for channel in (CHANNEL, *CHANNELS):
            slack.join(channel, installed.bot_user_id)
        _say({"api_url": slack.api_url, **asdict(installed)})
        while line := await _hear():
            is_over = asyncio.Event()
            typing = asyncio.create_task(type_on(slack, Round(**json.loads(line)), is_over))
            await _hear()
            is_over.set()
            _say(await typing)


async def _hear() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
