"""The running playground as a whole: where it listens, seeds, manifests, the page's feed, acting as people."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from playground.errors import ActError, ManifestError
from playground.ids import Ids, to_base36
from playground.ledger import mask
from playground.model import Channel, Team, User
from playground.seed import Seed, default_seed
from playground.server import Playground

GENERAL, BEN = "C0000GENERAL", "U0000000BEN"


def test_it_binds_loopback_only():
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        Playground(default_seed(), host="0.0.0.0")  # noqa: S104  # the point of the test


async def test_it_answers_local_names_only(slack: Playground):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{slack.url}/_play/channels", headers={"Host": "evil.example:80"}) as response:
            assert response.status == 403
        async with session.get(slack.url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
        async with session.get(slack.url.replace("127.0.0.1", "localhost") + "/_play/channels") as response:
            assert response.status == 200


async def test_two_playgrounds_live_side_by_side():
    async with Playground(default_seed()) as one, Playground(default_seed()) as two:
        assert one.url != two.url


def seed(**changes: Any) -> Seed:
    team = Team(id="T1", name="Team", domain="team")
    parts = {"users": [User(id="U1", name="ana")], "channels": [Channel(id="C1", name="one", members=["U1"])]}
    return Seed(team=team, **{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"users": [User(id="U1", name="ana"), User(id="U1", name="ben")]}, "id used twice: U1"),
        ({"users": [User(id="U1", name="ana"), User(id="U2", name="ana")]}, "handle used twice: ana"),
        ({"channels": [Channel(id="C1", name="a"), Channel(id="C2", name="a")]}, "channel name used twice: a"),
        ({"channels": [Channel(id="C1", name="a", members=["U9"])]}, "no users: U9"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_seed_that_cannot_be_is_refused(changes: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        seed(**changes)


async def test_a_playground_leaves_its_seed_alone(manifest: dict[str, Any]):
    start = seed()
    async with Playground(start) as slack:
        slack.join("#one", slack.install(manifest, "ana").bot_user_id)
    assert start == seed()


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("display_information", {"name": ""}, "1 to 35 characters"),
        ("display_information", {"name": "a" * 36}, "1 to 35 characters"),
        ("display_information", {"name": 7}, "text is expected"),
        ("display_information", [1], "an object is expected"),
        ("features", {"slash_commands": [{"command": "try", "description": "a"}]}, "/command and a description"),
        ("features", {"slash_commands": [{"command": "/a", "description": "a"}] * 51}, "at most 50"),
    ],
)
def test_a_manifest_that_slack_refuses_is_refused(manifest: dict[str, Any], part: str, value: Any, words: str):
    with pytest.raises(ManifestError, match=words):
        Playground(default_seed()).install({**manifest, part: value}, "ana")


def test_installing_needs_a_person_and_gives_each_bot_its_handle(manifest: dict[str, Any]):
    slack = Playground(default_seed())
    with pytest.raises(ActError, match="no user 'zoe'"):
        slack.install(manifest, "zoe")
    first, second = slack.install(manifest, "ana"), slack.install(manifest, BEN)
    names = [slack.core.workspace.users[one.bot_user_id].name for one in (first, second)]
    assert names == ["tester", "tester2"]
    assert first.bot_token.startswith("xoxb-")
    assert first.app_token.startswith("xapp-")
    assert len({first.bot_token, second.bot_token, first.app_token, second.app_token}) == 4


@given(st.lists(st.floats(0, 2e9), min_size=2, max_size=50))
def test_timestamps_increase_whatever_the_clock_does(times: list[float]):
    moments = iter(times)
    ids = Ids(lambda: next(moments))
    stamps = [ids.mint_ts() for _ in times]
    assert sorted(stamps, key=float) == stamps
    assert len(set(stamps)) == len(stamps)


@given(st.integers(0, 2**70))
def test_base_36_is_told_apart(number: int):
    assert (
        int(
            to_base36(number).translate(
                str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            ),
            36,
        )
        == number
    )


def test_tokens_are_masked_however_deep():
    shown = mask({"token": "abc", "list": [{"text": "is xoxb-1234-abcd ok"}], "n": 1})
    assert shown == {"token": "…", "list": [{"text": "is xoxb-…abcd ok"}], "n": 1}


async def get_page(slack: Playground, path: str, **query: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{slack.url}/_page/{path}", params=query) as response:
        body: dict[str, Any] = await response.json()
        return body


async def test_the_page_starts_with_what_a_person_sees(slack: Playground, client: Any, hands: Any):
    secret = Channel(id="C0SECRET", name="secret", is_private=True, members=["U0000000ANA"])
    slack.core.workspace.channels[secret.id] = secret
    await client.chat_postMessage(channel=GENERAL, text=f"<@{BEN}> look")
    await client.chat_postMessage(channel=GENERAL, text="more")
    await client.chat_postMessage(channel=BEN, text="psst")
    boot = await get_page(slack, "boot", user="ben")
    kinds = {channel["name"] or channel["peer"]: channel for channel in boot["channels"]}
    assert set(kinds) == {"general", "random", boot["apps"][0]["bot_user_id"]}
    assert (kinds["general"]["unread"], kinds["general"]["mentions"]) == (2, 1)
    direct = kinds[boot["apps"][0]["bot_user_id"]]
    assert (direct["kind"], direct["unread"], direct["mentions"]) == ("im", 1, 1)
    assert boot["me"]["id"] == BEN
    assert boot["apps"][0]["commands"][0] == {"command": "/try", "description": "Try it", "usage_hint": "[anything]"}
    await hands.post("say", user="ben", channel="#general", text="seen")
    kinds = {channel["name"]: channel for channel in (await get_page(slack, "boot", user="ben"))["channels"]}
    assert kinds["general"]["unread"] == 0


async def test_reading_moves_the_mark_forward_only(slack: Playground, client: Any):
    stamps = [(await client.chat_postMessage(channel=GENERAL, text=str(n)))["ts"] for n in range(3)]

    async def mark(**body: Any) -> int:
        url, named = f"{slack.url}/_page/read", {"user": "ben", "channel": GENERAL, **body}
        async with aiohttp.ClientSession() as session, session.post(url, json=named) as response:
            if response.status != 200:
                return response.status
        channels = (await get_page(slack, "boot", user="ben"))["channels"]
        return next(int(channel["unread"]) for channel in channels if channel["id"] == GENERAL)

    assert await mark(ts=stamps[1]) == 1
    assert await mark(ts=stamps[0]) == 1
    assert await mark(ts=stamps[2]) == 0
    assert await mark(ts="soon") == 400


async def test_the_live_feed_tells_each_person_only_theirs(slack: Playground, client: Any):
    async with aiohttp.ClientSession() as session:
        ben = await session.ws_connect(f"{slack.url}/_page/ws", params={"user": "ben"})
        ana = await session.ws_connect(f"{slack.url}/_page/ws", params={"user": "ana"})
        await asyncio.sleep(0.05)
        await client.chat_postEphemeral(channel=GENERAL, user=BEN, text="psst")
        ts = (await client.chat_postMessage(channel=GENERAL, text="all"))["ts"]
        await client.chat_update(channel=GENERAL, ts=ts, text="new")
        await client.chat_delete(channel=GENERAL, ts=ts)
        seen = [(await ben.receive_json())["type"] for _ in range(4)]
        assert seen == ["ephemeral", "message", "message_changed", "message_deleted"]
        first = await ana.receive_json()
        assert (first["type"], first["message"]["text"], first["ts"]) == ("message", "all", ts)
        await ben.close()
        await ana.close()


async def test_stopping_does_not_wait_for_open_pages():
    async with aiohttp.ClientSession() as session:
        async with Playground(default_seed()) as slack:
            socket = await session.ws_connect(f"{slack.url}/_page/ws", params={"user": "ben"})
            start = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - start < 0.8
        assert (await socket.receive()).type in {
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSING,
            aiohttp.WSMsgType.CLOSED,
        }


async def test_people_open_direct_messages(slack: Playground, hands: Any):
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{slack.url}/_page/open", json={"user": "ben", "peer": "ana"}) as response:
            channel = (await response.json())["channel"]
        async with session.post(f"{slack.url}/_page/open", json={"user": "ben"}) as response:
            assert response.status == 400
    assert (await hands.post("say", user="ben", channel="@ana", text="hi"))["channel"] == channel
    assert (await hands.post("say", user="chen", channel=channel, text="hi"))["status"] == 400


async def test_what_people_cannot_say_is_refused(slack: Playground, hands: Any):
    slack.core.workspace.channels[GENERAL].members.remove(BEN)
    assert "join first" in (await hands.post("say", user="ben", channel="#general", text="a"))["error"]
    assert "needs text" in (await hands.post("say", user="ana", channel="#general", text=" "))["error"]
    reply = await hands.post("say", user="ana", channel="#general", text="a", thread_ts="1.000000")
    assert "no message 1.000000" in reply["error"]
    assert "Extra inputs" in (await hands.post("say", user="ana", channel="#general", text="a", loud=True))["error"]


async def test_the_control_api_lists_channels_and_pages_of_the_ledger(slack: Playground, client: Any, hands: Any):
    channels = (await hands.get("channels"))["channels"]
    assert [channel["name"] for channel in channels] == ["general", "random"]
    await client.auth_test()
    await client.team_info()
    names = [entry["name"] for entry in (await hands.get("ledger", kind="api"))["entries"]]
    assert names == ["auth.test", "team.info"]
    last = (await hands.get("ledger"))["entries"][-1]["n"]
    assert (await hands.get("ledger", since=str(last)))["entries"] == []
    assert (await hands.get("ledger", since="soon"))["status"] == 400
