"""conversations.* and users.*: lists, pages, boundaries, direct messages."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.model import Channel
from playground.server import Playground

GENERAL, RANDOM = "C0000GENERAL", "C00000RANDOM"


async def code_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_lists_hold_public_channels_and_what_the_bot_is_in(slack: Playground, client: AsyncWebClient):
    secret = Channel(id="C0SECRET", name="secret", is_private=True, members=["U0000000ANA"])
    slack.core.workspace.channels[secret.id] = secret
    listed = (await client.conversations_list(types="public_channel,private_channel,im"))["channels"]
    assert {channel["name"]: channel["is_member"] for channel in listed} == {"general": True, "random": False}
    assert await code_of(client.conversations_info(channel=secret.id)) == "channel_not_found"
    await client.conversations_open(users="U0000000ANA")
    (direct,) = (await client.conversations_list(types="im"))["channels"]
    assert direct["user"] == "U0000000ANA"
    assert await code_of(client.conversations_list(types="secret")) == "invalid_types"


async def test_pages_follow_their_cursor_to_the_end(client: AsyncWebClient):
    texts = [f"message {number}" for number in range(7)]
    for text in texts:
        await client.chat_postMessage(channel=GENERAL, text=text)
    seen: list[str] = []
    async for page in await client.conversations_history(channel=GENERAL, limit=3):
        seen += [message["text"] for message in page["messages"]]
        assert page["has_more"] == (len(seen) < len(texts))
    assert seen == texts[::-1]
    first = await client.users_list(limit=2)
    rest = await client.users_list(limit=2, cursor=first["response_metadata"]["next_cursor"])
    names = [user["name"] for user in first["members"] + rest["members"]]
    assert names == ["ana", "ben", "chen", "tester"]
    assert rest["response_metadata"]["next_cursor"] == ""


@pytest.mark.parametrize("cursor", ["nonsense", "bmV4dDo5OQ==", "bGFzdDox", "bmV4dDp4"])
async def test_a_cursor_that_was_never_given_is_refused(client: AsyncWebClient, cursor: str):
    assert await code_of(client.conversations_history(channel=GENERAL, cursor=cursor)) == "invalid_cursor"


async def test_limits_of_pages(client: AsyncWebClient):
    for limit in (0, 1000):
        assert await code_of(client.conversations_history(channel=GENERAL, limit=limit)) == "invalid_limit"
    assert await code_of(client.conversations_list(limit=1000)) == "invalid_limit"


async def test_oldest_and_latest_bound_the_history(client: AsyncWebClient):
    stamps = [(await client.chat_postMessage(channel=GENERAL, text=str(n)))["ts"] for n in range(4)]
    between = await client.conversations_history(channel=GENERAL, oldest=stamps[0], latest=stamps[3])
    assert [message["text"] for message in between["messages"]] == ["2", "1"]
    closed = await client.conversations_history(channel=GENERAL, oldest=stamps[1], latest=stamps[2], inclusive=True)
    assert [message["ts"] for message in closed["messages"]] == [stamps[2], stamps[1]]
    assert await code_of(client.conversations_history(channel=GENERAL, oldest="soon")) == "invalid_ts_oldest"
    assert await code_of(client.conversations_history(channel=GENERAL, latest="late")) == "invalid_ts_latest"


async def test_reading_needs_membership(client: AsyncWebClient):
    assert await code_of(client.conversations_history(channel=RANDOM)) == "not_in_channel"
    assert await code_of(client.conversations_history(channel="general")) == "channel_not_found"  # names are no ids
    assert await code_of(client.conversations_history(channel="C0")) == "channel_not_found"
    assert await code_of(client.conversations_replies(channel=GENERAL, ts="1.000000")) == "thread_not_found"


async def test_joining_once_and_twice(slack: Playground, client: AsyncWebClient, installed: Installed):
    joined = await client.conversations_join(channel=RANDOM)
    assert joined["channel"]["is_member"]
    assert (await client.conversations_join(channel=RANDOM))["warning"] == "already_in_channel"
    members = await client.conversations_members(channel=RANDOM, limit=10)
    assert members["members"][-1] == installed.bot_user_id
    direct = (await client.conversations_open(users="U0000000ANA"))["channel"]["id"]
    assert await code_of(client.conversations_join(channel=direct)) == "method_not_supported_for_channel_type"


async def test_direct_messages_open_on_demand(client: AsyncWebClient, installed: Installed):
    first = await client.conversations_open(users=["U0000000BEN"], return_im=True)
    assert first["channel"]["user"] == "U0000000BEN"
    again = await client.conversations_open(users="U0000000BEN")
    assert again["channel"]["id"] == first["channel"]["id"]
    assert again["already_open"]
    assert (await client.conversations_info(channel=first["channel"]["id"]))["channel"]["is_im"]
    assert await code_of(client.conversations_open(users="U0")) == "user_not_found"
    assert await code_of(client.conversations_open(users=installed.bot_user_id)) == "cannot_dm_bot"
    assert await code_of(client.conversations_open(users=["U0000000BEN", "U0000000ANA"])) == "too_many_users"


async def test_channels_tell_their_size_and_sharing(slack: Playground, client: AsyncWebClient):
    slack.core.workspace.channels[GENERAL].is_ext_shared = True
    channel = (await client.conversations_info(channel=GENERAL, include_num_members=True, include_locale=True))[
        "channel"
    ]
    assert (channel["is_ext_shared"], channel["num_members"], channel["locale"]) == (True, 4, "en-US")


async def test_people_have_zones_locales_and_addresses(client: AsyncWebClient):
    user = (await client.users_info(user="U0000000CHE", include_locale=True))["user"]
    assert (user["tz"], user["tz_offset"], user["locale"]) == ("Asia/Shanghai", 8 * 3600, "zh-CN")
    assert user["profile"]["email"] == "chen@example.com"
    assert "locale" not in (await client.users_info(user="U0000000CHE"))["user"]
    found = await client.users_lookupByEmail(email="ANA@example.com")
    assert (found["user"]["id"], found["user"]["is_owner"], found["user"]["is_admin"]) == ("U0000000ANA", True, True)
    assert await code_of(client.users_lookupByEmail(email="no@example.com")) == "users_not_found"
    assert await code_of(client.users_info(user="U0")) == "user_not_found"
