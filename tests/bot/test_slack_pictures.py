"""Messages with a picture, delivered to a local Slack: shown once, whatever fails on the way, and never held back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from bot.slack.manifest import build_manifest
from commands.slice import Message, Picture
from playground.faults import Fault
from playground.seed import default_seed
from playground.server import Playground
from rules.delivery.outbox import Pace
from rules.records import Enqueue
from storage.db import Database, Tx
from storage.delivery.outbox import enqueue
from tests.conftest import NOW, add_workspace
from words.reader import Reader

ANA, PNG = "U0000000ANA", b"\x89PNG\r\n\x1a\n and more"
POST, ASK, COMPLETE = "chat.postMessage", "files.getUploadURLExternal", "files.completeUploadExternal"
PACE = Pace(lease=8.0, settle=0.3, spacing=0.05, poll=0.1, timeout=1.0, sweep=60.0)


@dataclass
class Stage:
    """A database, a local Slack and a running delivery of messages with one picture."""

    database: Database
    workspace_id: str
    slack: Playground
    draw: Callable[[], bytes] = lambda: PNG
    drawn: list[str] = field(default_factory=list)

    def render(self, reference: str, _tx: Tx, _reader: Reader) -> Message | None:
        def draw() -> bytes:
            self.drawn.append(reference)
            return self.draw()

        block = {"type": "section", "text": {"type": "mrkdwn", "text": "Look"}}
        return Message("Look", (block,), Picture("a.png", "Bars, in words", draw))

    def fail(self, method: str, fault: Fault, times: int) -> None:
        left = [times]

        def strike(called: str, _args: Any) -> Fault | None:
            if called != method or not left[0]:
                return None
            left[0] -= 1
            return fault

        self.slack.faults.append(strike)

    async def say(self, delivery: Delivery) -> dict[str, Any]:
        """The one message that stands in the person's direct messages once all is quiet."""
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, [Enqueue("sheet", "1", ANA)], NOW)
        delivery.nudge()
        async with asyncio.timeout(15):
            while not self.posts():  # noqa: ASYNC110  # what it waits for happens in the database and in Slack
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        (post,) = self.posts()
        return post

    def posts(self) -> list[dict[str, Any]]:
        held = self.slack.core.workspace.messages
        return [each.to_slack(has_metadata=True) for channel in held.values() for each in channel.values()]

    def blocks(self, post: dict[str, Any]) -> list[str]:
        return [block["type"] for block in post["blocks"]]


@pytest.fixture
async def stage(sqlite_database: Database) -> AsyncIterator[tuple[Stage, Delivery]]:
    async with Playground(default_seed()) as slack:
        installed = slack.install(build_manifest(()), "ana")
        stage = Stage(sqlite_database, add_workspace(sqlite_database), slack)
        client = open_client(installed.bot_token, slack.api_url, 1.0)
        delivery = Delivery(sqlite_database, {"sheet": stage.render}, lambda _: client, real_clocks(), pace=PACE)
        running = asyncio.create_task(delivery.run())
        yield stage, delivery
        await delivery.drain(2.0)
        await running


async def test_the_picture_is_uploaded_and_shown_behind_the_words(stage: tuple[Stage, Delivery]):
    house, delivery = stage
    post = await house.say(delivery)
    assert house.blocks(post) == ["section", "image"]
    image = post["blocks"][1]
    assert image["alt_text"] == "Bars, in words"
    assert house.slack.core.files.by_id[image["slack_file"]["id"]].data == PNG
    assert house.drawn == ["1"]


async def test_a_lost_answer_doubles_nothing(stage: tuple[Stage, Delivery]):
    house, delivery = stage
    house.fail(POST, Fault.drop_after_accept(), 1)
    assert house.blocks(await house.say(delivery)) == ["section", "image"]


async def test_a_file_that_slack_does_not_know_yet_is_waited_for(stage: tuple[Stage, Delivery]):
    house, delivery = stage
    house.fail(POST, Fault.refuse("invalid_blocks"), 2)
    assert house.blocks(await house.say(delivery)) == ["section", "image"]
    assert len(house.drawn) == 1


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        (ASK, Fault.refuse("missing_scope")),
        (ASK, Fault.rate_limit(30)),
        (COMPLETE, Fault.fail(500)),
        (COMPLETE, Fault.drop_after_accept()),
        (ASK, Fault.hang(3.0)),
    ],
)
async def test_a_message_goes_out_without_a_picture_that_cannot_be_uploaded(
    stage: tuple[Stage, Delivery], method: str, fault: Fault
):
    house, delivery = stage
    house.fail(method, fault, 1)
    post = await house.say(delivery)
    assert house.blocks(post) == ["section", "context"]
    assert post["blocks"][1]["elements"][0]["text"] == "Bars, in words"


async def test_a_picture_that_is_refused_for_good_is_left_out(stage: tuple[Stage, Delivery]):
    house, delivery = stage
    house.fail(POST, Fault.refuse("invalid_blocks"), 3)
    assert house.blocks(await house.say(delivery)) == ["section", "context"]


@pytest.mark.parametrize("error", [ModuleNotFoundError("matplotlib"), ValueError("a bug")])
async def test_a_message_goes_out_without_a_picture_that_cannot_be_drawn(
    stage: tuple[Stage, Delivery], error: Exception
):
    house, delivery = stage

    def draw() -> bytes:
        raise error

    house.draw = draw
    assert house.blocks(await house.say(delivery)) == ["section", "context"]
