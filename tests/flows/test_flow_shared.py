"""A channel that is shared with the customer, through a local Slack: who sets it is told, an alert goes to the team,
and nothing new is said where the customer reads.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clocks import Clocks, read_wall
from bot.serving import connect
from bot.wiring import wire
from rules.delivery.channels import Sharing
from rules.records import AlertKind, Severity
from storage.delivery.channels import list_rows
from tests.flows.flow_rows import add_account, open_form, read, submit, told, whisper
from tests.flows.flow_stage import CHANNEL, CSM, LEAD, ROOM, Stage, find_button, open_stage, said
from tests.flows.test_flow_noise import HOURS, PEOPLE, QUICK, raise_alert

TUESDAY = datetime(2026, 3, 10, 15, tzinfo=UTC)
"""Eleven in New York."""
FIVE = timedelta(minutes=5)
SHARED_WORDS = "Another organisation reads this channel"
pytestmark = pytest.mark.long


async def until(stage: Stage, sharing: Sharing) -> None:
    """Wait until it is known who reads the room."""
    async with asyncio.timeout(10):
        while True:
            row = read(stage, lambda tx: list_rows(tx, [ROOM])).get(ROOM)
            if row is not None and row.sharing is sharing:
                return
            await asyncio.sleep(0.05)


async def announce(stage: Stage, account: str, kind: AlertKind) -> tuple[str, str]:
    """An alert as the scan opens it, and where it is told."""
    begin = stage.clock()
    id_ = raise_alert(stage, account, kind, Severity.CRITICAL)
    await stage.walk(begin + FIVE)
    posts = stage.posts(begin, stage.clock() + FIVE)
    [post] = [each for each in posts if each.reference == id_ and not each.is_update and not each.thread_ts]
    return id_, post.to


async def set_channel(stage: Stage, channel: str) -> None:
    """The CSM chooses the account's channel in its form."""
    form = await open_form(stage, "/cs edit northwind")
    answer = await submit(stage, form, channel=channel)
    assert answer["ok"], answer


def list_texts(stage: Stage, channel: str) -> list[str]:
    """All that stands in a channel, threads too."""
    return [said(each.to_slack()) for each in stage.slack.core.workspace.messages.get(channel, {}).values()]


async def test_a_channel_is_looked_at_when_it_is_set_and_left_when_it_is_shared(tmp_path: Path):
    async with open_stage(tmp_path, pace=QUICK, people=PEOPLE, hours=HOURS, start=TUESDAY) as stage:
        account = add_account(stage, "Northwind", CSM)
        await set_channel(stage, ROOM)
        await told(stage, "I am finding out who reads this channel")
        await until(stage, Sharing.INTERNAL)
        first, place = await announce(stage, account, AlertKind.HEALTH_RED)
        assert place == ROOM
        [alert] = list_texts(stage, ROOM)

        assert (await stage.act("share", user=LEAD, channel=ROOM))["ok"]
        await until(stage, Sharing.SHARED)
        second, place = await announce(stage, account, AlertKind.HEALTH_DROP)
        assert place == CHANNEL
        assert list_texts(stage, ROOM) == [alert]
        assert SHARED_WORDS in whisper(await stage.command("/cs show northwind"))

        [message] = stage.slack.core.workspace.messages[ROOM].values()
        take = {"channel": ROOM, "ts": message.ts, "action_id": "alerts.take"}
        assert find_button(message.to_slack(), "alerts.take")
        assert (await stage.act("press", user=CSM, **take))["ok"]
        await stage.settle()
        assert ["another organisation reads this channel" in each for each in list_texts(stage, ROOM)] == [True]
        assert "Northwind" not in "".join(list_texts(stage, ROOM))
        assert read(stage, lambda tx: list_rows(tx, [ROOM]))[ROOM].name == "northwind"
        assert first != second


async def test_a_channel_that_was_shared_before_it_was_set_never_hears_a_word(tmp_path: Path):
    async with open_stage(tmp_path, pace=QUICK, people=PEOPLE, hours=HOURS, start=TUESDAY) as stage:
        assert (await stage.act("share", user=LEAD, channel=ROOM, sharing="pending"))["ok"]
        account = add_account(stage, "Northwind", CSM)
        await set_channel(stage, ROOM)
        _id, place = await announce(stage, account, AlertKind.HEALTH_RED)
        assert place == CHANNEL
        await until(stage, Sharing.SHARED)
        assert SHARED_WORDS in whisper(await stage.command("/cs show northwind"))
        assert list_texts(stage, ROOM) == []


async def test_a_channel_that_is_shared_while_the_bot_is_off_is_found_when_it_is_on_again(tmp_path: Path):
    async with open_stage(tmp_path, pace=QUICK, people=PEOPLE, hours=HOURS, start=TUESDAY) as stage:
        account = add_account(stage, "Northwind", CSM)
        await set_channel(stage, ROOM)
        await until(stage, Sharing.INTERNAL)
        await stage.server.stop()
        stage.server.wiring.database.close()
        assert (await stage.act("share", user=LEAD, channel=ROOM))["ok"]
        settings = stage.server.wiring.settings
        stage.server = await connect(wire(settings, clocks=Clocks(stage.clock, read_wall)), pace=QUICK)
        await stage.server.start()
        await until(stage, Sharing.SHARED)
        _id, place = await announce(stage, account, AlertKind.HEALTH_RED)
        assert place == CHANNEL


async def test_a_team_channel_that_is_shared_leaves_alerts_to_who_is_responsible(tmp_path: Path):
    async with open_stage(tmp_path, pace=QUICK, people=PEOPLE, hours=HOURS, start=TUESDAY) as stage:
        account = add_account(stage, "Northwind", CSM)
        await stage.server.edge.channels.look()
        assert (await stage.act("share", user=LEAD, channel=CHANNEL))["ok"]
        async with asyncio.timeout(10):
            while read(stage, lambda tx: list_rows(tx, [CHANNEL]))[CHANNEL].sharing is not Sharing.SHARED:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        _id, place = await announce(stage, account, AlertKind.HEALTH_RED)
        assert place == CSM
        assert not [text for text in list_texts(stage, CHANNEL) if "Northwind" in text]
