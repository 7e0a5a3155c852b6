"""Events: who hears of what, in which envelope, and how often."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from playground.model import Channel
from playground.server import Playground

GENERAL, BEN = "C0000GENERAL", "U0000000BEN"


class Heard:
    """The events a Bolt app got, in order."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.arriving: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def until(self, count: int) -> list[dict[str, Any]]:
        """The inner events, once there are `count`; fails when there are more or fewer after a moment."""
        async with asyncio.timeout(2):
            self.bodies += [await self.arriving.get() for _ in range(count - len(self.bodies))]
        await asyncio.sleep(0.03)
        assert self.arriving.empty()
        return [body["event"] for body in self.bodies]


@pytest.fixture
async def heard(bot: Any) -> Heard:
    """Everything after the bot's own arrival; messages the bot itself wrote included."""
    heard = Heard()

    @bot.app.middleware
    async def listen(body: dict[str, Any], ack: Any) -> Any:
        if body.get("event", {}).get("user") != bot.installed.bot_user_id or body["event"]["type"] == "message":
            heard.arriving.put_nowait(body)
        return await ack()

    await asyncio.sleep(0.15)
    while not heard.arriving.empty():
        heard.arriving.get_nowait()
    return heard


async def test_a_message_comes_in_slacks_envelope(bot: Any, hands: Any, heard: Heard, slack: Playground):
    said = await hands.post("say", user="ben", channel="#general", text="hello")
    (event,) = await heard.until(1)
    assert event["ts"] == event["event_ts"] == said["ts"]
    assert (event["type"], event["user"], event["text"]) == ("message", BEN, "hello")
    assert (event["channel"], event["channel_type"]) == (GENERAL, "channel")
    (body,) = heard.bodies
    assert (body["type"], body["team_id"], body["api_app_id"]) == (
        "event_callback",
        "T00000000PG",
        bot.installed.app_id,
    )
    assert body["event_id"].startswith("Ev")
    assert body["event_time"] == int(slack.core.workspace.clock())
    assert body["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": "T00000000PG",
            "user_id": bot.installed.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    assert body["is_ext_shared_channel"] is False


async def test_a_mention_comes_as_message_and_as_mention(bot: Any, hands: Any, heard: Heard):
    await hands.post("say", user="ben", channel="#general", text=f"<@{bot.installed.bot_user_id}> help")
    events = await heard.until(2)
    assert sorted(event["type"] for event in events) == ["app_mention", "message"]


async def test_where_the_bot_is_not_it_hears_nothing(hands: Any, heard: Heard):
    await hands.post("say", user="ben", channel="#random", text="hello")
    await hands.post("say", user="ben", channel="@ana", text="hello")
    assert await heard.until(0) == []


async def test_direct_messages_reach_the_bot(hands: Any, heard: Heard):
    await hands.post("say", user="ben", channel="@tester", text="hello")
    (event,) = await heard.until(1)
    assert (event["channel_type"], event["channel"][0]) == ("im", "D")


async def test_changes_and_deletions_are_hidden_messages(bot: Any, heard: Heard):
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    await bot.client.chat_update(channel=GENERAL, ts=ts, text="b")
    await bot.client.chat_delete(channel=GENERAL, ts=ts)
    posted, changed, deleted = await heard.until(3)
    assert posted["bot_id"] == bot.installed.bot_id
    assert (changed["subtype"], changed["hidden"], changed["message"]["text"]) == ("message_changed", True, "b")
    assert changed["previous_message"]["text"] == "a"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)


async def test_notes_are_nobodys_event(bot: Any, heard: Heard):
    await bot.client.chat_postEphemeral(channel=GENERAL, user=BEN, text="a")
    assert await heard.until(0) == []


async def test_opening_home_joining_and_a_changed_profile(bot: Any, hands: Any, heard: Heard, slack: Playground):
    answer = await hands.post("home", user="ben")
    assert answer["view"] is None
    (opened,) = await heard.until(1)
    assert (opened["type"], opened["user"], opened["tab"]) == ("app_home_opened", BEN, "home")
    assert opened["channel"] == answer["channel"]
    changed = await hands.post("user", user="ben", changes={"tz": "Asia/Tokyo", "locale": "zh-TW"})
    assert changed["user"]["tz"] == "Asia/Tokyo"
    event = (await heard.until(2))[1]
    assert (event["type"], event["user"]["tz"], event["user"]["locale"]) == ("user_change", "Asia/Tokyo", "zh-TW")
    slack.core.workspace.channels[GENERAL].members.remove(BEN)
    assert (await hands.post("join", user="ben", channel="#general"))["joined"]
    joined = (await heard.until(3))[2]
    assert (joined["type"], joined["user"], joined["channel"]) == ("member_joined_channel", BEN, GENERAL)
    assert (await hands.post("user", user="ben", changes={"shoe": 44}))["status"] == 400


async def test_sharing_a_channel_is_told_when_the_other_side_comes_and_goes(bot: Any, hands: Any, heard: Heard):
    async def flags() -> tuple[bool, bool, bool]:
        found = (await bot.client.conversations_info(channel=GENERAL))["channel"]
        return found["is_shared"], found["is_ext_shared"], found["is_pending_ext_shared"]

    assert (await hands.post("share", user="ana", channel="#general", sharing="pending"))["ok"]
    assert await flags() == (False, False, True)
    assert (await hands.post("share", user="ana", channel="#general"))["channel"]["is_ext_shared"]
    assert await flags() == (True, True, False)
    await hands.post("share", user="ana", channel="#general")
    await hands.post("share", user="ana", channel="#general", sharing="none")
    assert await flags() == (False, False, False)
    shared, unshared = await heard.until(2)
    assert (shared["type"], shared["channel"]) == ("channel_shared", GENERAL)
    assert (unshared["type"], unshared["channel"], unshared["is_ext_shared"]) == ("channel_unshared", GENERAL, False)
    assert shared["connected_team_id"] == unshared["previously_connected_team_id"] != "T00000000PG"


async def test_what_cannot_be_shared(bot: Any, hands: Any, heard: Heard, slack: Playground):
    slack.core.workspace.channels["C00000SECRT"] = Channel(id="C00000SECRT", name="secret", is_private=True)
    assert (await hands.post("share", user="ana", channel="#secret"))["ok"]
    assert (await hands.post("share", user="ana", channel="@ben"))["status"] == 400
    assert (await hands.post("share", user="ana", channel="#general", sharing="perhaps"))["status"] == 400
    assert await heard.until(0) == []


async def test_an_app_that_is_removed_hears_of_it(bot: Any, heard: Heard, slack: Playground):
    slack.uninstall(bot.installed.app_id)
    (event,) = await heard.until(1)
    assert event["type"] == "app_uninstalled"  # tokens_revoked was not subscribed


async def test_an_event_that_is_not_acknowledged_comes_again(bot: Any, hands: Any, slack: Playground):
    attempts: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def listen(_: Any, request: Any) -> None:
        if request.type == "events_api" and request.payload["event"].get("text") == "hello":
            attempts.put_nowait((request.retry_attempt, request.retry_reason))

    await asyncio.sleep(0.05)
    bot.socket.socket_mode_request_listeners[:] = [listen]
    await hands.post("say", user="ben", channel="#general", text="hello")
    async with asyncio.timeout(3):
        assert [await attempts.get() for _ in range(3)] == [(0, ""), (1, "http_timeout"), (2, "http_timeout")]
