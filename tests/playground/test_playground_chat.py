"""chat.*: what is posted stands there as Slack would show it, and what Slack refuses is refused with its code."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, SectionBlock
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.server import Playground

GENERAL, RANDOM = "C0000GENERAL", "C00000RANDOM"


async def code_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_message_has_slacks_fields_and_timestamps_increase(client: AsyncWebClient, installed: Installed):
    sent = [await client.chat_postMessage(channel=GENERAL, text=f"number {number}") for number in range(3)]
    stamps = [answer["ts"] for answer in sent]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == 3
    assert all(len(ts.partition(".")[2]) == 6 for ts in stamps)
    message = sent[0]["message"]
    assert message["user"] == installed.bot_user_id
    assert message["bot_profile"]["app_id"] == message["app_id"] == installed.app_id


async def test_the_sdks_models_pass(client: AsyncWebClient):
    button = ButtonElement(text="Take", action_id="take", value="1", style="primary")
    blocks = [SectionBlock(text="*Acme* fell"), ActionsBlock(block_id="row", elements=[button])]
    message = (await client.chat_postMessage(channel=GENERAL, text="Acme fell", blocks=blocks))["message"]
    assert message["blocks"][1]["elements"][0]["action_id"] == "take"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"text": ""}, "no_text"),
        ({"blocks": []}, "no_text"),
        ({"text": "a" * 40_001}, "msg_too_long"),
        ({"text": "a", "blocks": [{"type": "nothing"}]}, "invalid_blocks"),
        ({"text": "a", "blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "a", "blocks": [section("a")] * 51}, "invalid_blocks"),
        ({"text": "a", "blocks": [section("a" * 2900)] * 5}, "msg_blocks_too_long"),
        ({"text": "a", "attachments": [{"color": "#f00", "sound": "loud"}]}, "invalid_attachments"),
        ({"text": "a", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"text": "a", "thread_ts": "1.000000"}, "thread_not_found"),
    ],
)
async def test_what_slack_refuses_to_post_is_refused(client: AsyncWebClient, content: dict[str, Any], code: str):
    assert await code_of(client.api_call("chat.postMessage", json={"channel": GENERAL, **content})) == code
    assert (await client.conversations_history(channel=GENERAL))["messages"] == []


async def test_blocks_are_refused_with_their_place(client: AsyncWebClient):
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=GENERAL, text="a", blocks=[section("a" * 3001)])
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_where_a_bot_may_not_post(slack: Playground, client: AsyncWebClient):
    assert await code_of(client.chat_postMessage(channel="C0", text="a")) == "channel_not_found"
    assert await code_of(client.chat_postMessage(channel=RANDOM, text="a")) == "not_in_channel"
    slack.core.workspace.channels[GENERAL].is_archived = True
    assert await code_of(client.chat_postMessage(channel=GENERAL, text="a")) == "is_archived"
    slack.core.workspace.channels[RANDOM].is_private = True
    assert await code_of(client.chat_postMessage(channel=RANDOM, text="a")) == "channel_not_found"


async def test_names_and_people_are_places_too(client: AsyncWebClient):
    assert (await client.chat_postMessage(channel="#general", text="a"))["channel"] == GENERAL
    first = await client.chat_postMessage(channel="U0000000ANA", text="a")
    again = await client.chat_postMessage(channel="U0000000ANA", text="b")
    assert first["channel"].startswith("D")
    assert first["channel"] == again["channel"]


async def test_metadata_comes_back_when_asked_for(client: AsyncWebClient):
    metadata = {"event_type": "alert_posted", "event_payload": {"key": "a-1", "n": 2}}
    posted = await client.chat_postMessage(channel=GENERAL, text="a", metadata=metadata)
    parts = {"channel": GENERAL, "oldest": posted["ts"], "inclusive": True}
    (shown,) = (await client.conversations_history(**parts, include_all_metadata=True))["messages"]
    assert shown["metadata"] == metadata
    (hidden,) = (await client.conversations_history(**parts))["messages"]
    assert "metadata" not in hidden
    reply = await client.chat_postMessage(channel=GENERAL, text="b", thread_ts=posted["ts"], metadata=metadata)
    thread = await client.conversations_replies(channel=GENERAL, ts=posted["ts"], include_all_metadata=True)
    assert [one.get("metadata") for one in thread["messages"]] == [metadata, metadata]
    assert thread["messages"][1]["ts"] == reply["ts"]


async def test_an_update_keeps_what_it_does_not_name(client: AsyncWebClient):
    metadata = {"event_type": "x", "event_payload": {}}
    posted = await client.chat_postMessage(channel=GENERAL, text="a", blocks=[section("one")], metadata=metadata)
    place = {"channel": GENERAL, "ts": posted["ts"]}
    changed = await client.chat_update(**place, text="b")
    assert changed["message"]["blocks"][0]["text"]["text"] == "one"
    assert changed["message"]["metadata"] == metadata
    assert changed["message"]["edited"]["user"] == posted["message"]["user"]
    bare = await client.chat_update(**place, text="c", blocks=[], metadata={})
    assert "blocks" not in bare["message"]
    assert "metadata" not in bare["message"]
    assert (await client.conversations_history(channel=GENERAL))["messages"][0]["text"] == "c"


async def test_updates_and_deletions_that_slack_refuses(slack: Playground, client: AsyncWebClient, hands: Any):
    ts = (await client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    foreign = (await hands.post("say", user="ben", channel="#general", text="mine"))["ts"]
    assert await code_of(client.chat_update(channel=GENERAL, ts="1.000000", text="b")) == "message_not_found"
    assert await code_of(client.chat_update(channel=GENERAL, ts=foreign, text="b")) == "cant_update_message"
    assert await code_of(client.chat_update(channel=GENERAL, ts=ts, text="a" * 4001)) == "msg_too_long"
    assert await code_of(client.api_call("chat.update", json={"channel": GENERAL, "ts": ts})) == "no_text"
    assert await code_of(client.chat_delete(channel=GENERAL, ts=foreign)) == "cant_delete_message"
    await client.chat_delete(channel=GENERAL, ts=ts)
    assert await code_of(client.chat_delete(channel=GENERAL, ts=ts)) == "message_not_found"


async def test_threads_count_their_replies_and_stay_out_of_the_channel(client: AsyncWebClient):
    parent = (await client.chat_postMessage(channel=GENERAL, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=GENERAL, text="reply", thread_ts=parent))["ts"]
    loud = await client.chat_postMessage(channel=GENERAL, text="loud", thread_ts=reply, reply_broadcast=True)
    history = (await client.conversations_history(channel=GENERAL))["messages"]
    assert [message["text"] for message in history] == ["loud", "parent"]
    assert history[0]["subtype"] == "thread_broadcast"
    assert (history[1]["reply_count"], history[1]["latest_reply"]) == (2, loud["ts"])
    thread = (await client.conversations_replies(channel=GENERAL, ts=parent))["messages"]
    assert [message["text"] for message in thread] == ["parent", "reply", "loud"]
    await client.chat_delete(channel=GENERAL, ts=reply)
    await client.chat_delete(channel=GENERAL, ts=loud["ts"])
    assert "reply_count" not in (await client.conversations_history(channel=GENERAL))["messages"][0]


async def test_a_note_is_seen_by_one_person_only(client: AsyncWebClient, hands: Any):
    answer = await client.chat_postEphemeral(channel=GENERAL, user="U0000000BEN", text="psst")
    notes = (await hands.get("messages", channel="#general", user="ben"))["messages"]
    assert [(note["text"], note["ephemeral"], note["ts"]) for note in notes] == [("psst", True, answer["message_ts"])]
    assert (await hands.get("messages", channel="#general", user="ana"))["messages"] == []
    assert (await client.conversations_history(channel=GENERAL))["messages"] == []
    call = client.chat_update(channel=GENERAL, ts=answer["message_ts"], text="b")
    assert await code_of(call) == "message_not_found"
    assert await code_of(client.chat_postEphemeral(channel=GENERAL, user="U0", text="a")) == "user_not_in_channel"
    assert await code_of(client.chat_postEphemeral(channel=RANDOM, user="U0", text="a")) == "not_in_channel"


async def test_a_permalink_leads_to_the_page(slack: Playground, client: AsyncWebClient):
    parent = (await client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    reply = (await client.chat_postMessage(channel=GENERAL, text="b", thread_ts=parent))["ts"]
    link = (await client.chat_getPermalink(channel=GENERAL, message_ts=reply))["permalink"]
    assert link.startswith(f"{slack.url}/archives/{GENERAL}/p")
    async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/?channel={GENERAL}&ts={reply}&thread={parent}"
    assert await code_of(client.chat_getPermalink(channel=GENERAL, message_ts="1.000000")) == "message_not_found"


async def test_markdown_text_becomes_a_markdown_block(client: AsyncWebClient):
    message = (await client.chat_postMessage(channel=GENERAL, markdown_text="**bold**"))["message"]
    assert (message["blocks"][0]["type"], message["blocks"][0]["text"]) == ("markdown", "**bold**")
