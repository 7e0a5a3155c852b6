"""Buttons, menus and pickers in messages and notes: the payloads they send and what answers change."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from playground.server import Playground

GENERAL, BEN = "C0000GENERAL", "U0000000BEN"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.upper()), "value": value}


def row(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


TAKE = {"type": "button", "action_id": "take", "value": "acme", "text": plain("Take"), "style": "primary"}


@pytest.fixture
def seen(bot: Any) -> list[dict[str, Any]]:
    """Every action's body, acknowledged."""
    bodies: list[dict[str, Any]] = []

    @bot.app.action({"action_id": re.compile(".*")})
    async def listen(ack: Any, body: dict[str, Any]) -> None:
        bodies.append(body)
        await ack()

    return bodies


async def test_a_button_carries_slacks_fields(bot: Any, hands: Any, seen: list[Any], slack: Playground):
    posted = await bot.client.chat_postMessage(channel=GENERAL, text="Acme fell", blocks=row(TAKE))
    result = await hands.post("press", user="ben", channel="#general", ts=posted["ts"], action_id="take")
    assert result["ok"]
    (body,) = seen
    assert body["type"] == "block_actions"
    assert body["user"] == {"id": BEN, "username": "ben", "name": "ben", "team_id": "T00000000PG"}
    assert body["team"] == {"id": "T00000000PG", "domain": "playground"}
    assert body["channel"] == {"id": GENERAL, "name": "general"}
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": GENERAL,
        "is_ephemeral": False,
    }
    assert body["message"]["text"] == "Acme fell"
    assert (body["enterprise"], body["is_enterprise_install"]) == (None, False)
    assert body["response_url"].startswith(f"{slack.url}/actions/")
    assert body["state"] == {"values": {}}
    (action,) = body["actions"]
    assert float(action.pop("action_ts")) > float(posted["ts"])
    assert action == {
        "action_id": "take",
        "block_id": "row",
        "type": "button",
        "value": "acme",
        "style": "primary",
        "text": {**plain("Take"), "emoji": True},
    }


PICKS: list[tuple[dict[str, Any], Any, dict[str, Any]]] = [
    ({"type": "static_select", "options": [option("a"), option("b")]}, "b", {"selected_option": option("b")}),
    ({"type": "radio_buttons", "options": [option("a")]}, "a", {"selected_option": option("a")}),
    ({"type": "checkboxes", "options": [option("a"), option("b")]}, ["a"], {"selected_options": [option("a")]}),
    ({"type": "overflow", "options": [option("a")]}, "a", {"selected_option": option("a")}),
    ({"type": "users_select"}, "ana", {"selected_user": "U0000000ANA"}),
    ({"type": "conversations_select"}, "#random", {"selected_conversation": "C00000RANDOM"}),
    ({"type": "channels_select"}, "C00000RANDOM", {"selected_channel": "C00000RANDOM"}),
    ({"type": "datepicker"}, "2026-03-14", {"selected_date": "2026-03-14"}),
    ({"type": "timepicker"}, "09:30", {"selected_time": "09:30"}),
    ({"type": "datetimepicker"}, 1_790_000_000, {"selected_date_time": 1_790_000_000}),
]


def with_emoji(picked: Any) -> Any:
    if isinstance(picked, list):
        return [with_emoji(one) for one in picked]
    return {**picked, "text": {**picked["text"], "emoji": True}} if isinstance(picked, dict) else picked


@pytest.mark.parametrize(("element", "given", "expected"), PICKS, ids=lambda part: str(part)[:24])
async def test_each_element_sends_its_pick(
    bot: Any, hands: Any, seen: list[Any], element: dict[str, Any], given: Any, expected: dict[str, Any]
):
    blocks = row({**element, "action_id": "pick"})
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=blocks))["ts"]
    place = {"user": "ben", "channel": GENERAL, "ts": ts, "action_id": "pick"}
    assert (await hands.post("press", **place, value=given))["ok"]
    assert (await hands.post("press", **place, selected={key: with_emoji(one) for key, one in expected.items()}))["ok"]
    for body in seen:
        (key,) = expected
        assert body["actions"][0][key] == with_emoji(expected[key])
        if element["type"] != "overflow":
            assert body["state"]["values"]["row"]["pick"][key] == with_emoji(expected[key])
    assert len(seen) == 2


async def test_two_people_pick_each_for_themselves(bot: Any, hands: Any, seen: list[Any]):
    menu = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=row(menu, TAKE)))["ts"]
    await hands.post("press", user="ben", channel=GENERAL, ts=ts, action_id="pick", value="b")
    await hands.post("press", user="ana", channel=GENERAL, ts=ts, action_id="take")
    await hands.post("press", user="ben", channel=GENERAL, ts=ts, action_id="take")
    picked = [body["state"]["values"]["row"]["pick"]["selected_option"] for body in seen]
    assert [one and one["value"] for one in picked] == ["b", None, "b"]


async def test_what_was_picked_goes_with_the_block_it_was_picked_in(bot: Any, hands: Any, seen: list[Any]):
    menu = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=row(menu, TAKE)))["ts"]
    place = {"user": "ben", "channel": GENERAL, "ts": ts}
    await hands.post("press", **place, action_id="pick", value="b")
    await bot.client.chat_update(channel=GENERAL, ts=ts, text="b", blocks=row(TAKE))
    await hands.post("press", **place, action_id="take")
    assert seen[-1]["state"] == {"values": {}}


async def test_presses_nobody_could_make_are_refused(bot: Any, hands: Any, seen: list[Any]):
    twins = [{**TAKE, "value": "one"}, {**TAKE, "action_id": "other", "value": "x"}]
    more = {"type": "actions", "block_id": "second", "elements": [{**TAKE, "value": "two"}]}
    menu = {
        "type": "section",
        "text": plain("a"),
        "accessory": {"type": "overflow", "action_id": "o", "options": [option("a")]},
    }
    blocks = [*row(*twins), more, menu]
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=blocks))["ts"]
    place = {"user": "ben", "channel": GENERAL, "ts": ts}

    async def error(**press: Any) -> str:
        answer = await hands.post("press", **{**place, **press})
        assert answer["status"] == 400
        return str(answer["error"])

    assert "there are: o, other, take" in await error(action_id="gone")
    assert "give block_id or value" in await error(action_id="take")
    assert "no option 'z' is offered" in await error(action_id="o", value="z")
    assert "no app's message" in await error(action_id="take", ts="1.000000")
    assert "give channel and ts" in await error(action_id="take", ts=None)
    assert "no open view" in await error(action_id="take", view_id="V1")
    assert seen == []
    assert (await hands.post("press", **place, action_id="take", value="two"))["ok"]
    assert (await hands.post("press", **place, action_id="take", block_id="row"))["ok"]
    assert [body["actions"][0]["value"] for body in seen] == ["two", "one"]


async def test_a_notes_content_is_not_sent_but_it_can_be_replaced_and_deleted(bot: Any, hands: Any):
    @bot.app.action("take")
    async def replace(ack: Any, respond: Any, body: dict[str, Any]) -> None:
        assert "message" not in body
        assert body["container"]["is_ephemeral"]
        await ack()
        await respond(text="yours", replace_original=True, blocks=row({**TAKE, "action_id": "drop"}))

    @bot.app.action("drop")
    async def drop(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    ts = (await bot.client.chat_postEphemeral(channel=GENERAL, user=BEN, text="a", blocks=row(TAKE)))["message_ts"]
    place = {"user": "ben", "channel": GENERAL, "ts": ts, "wait_seconds": 1}
    assert (await hands.post("press", **{**place, "user": "ana"}, action_id="take"))["status"] == 400
    changed = await hands.post("press", **place, action_id="take")
    assert [(one["change"], one["message"]["text"]) for one in changed["messages"]] == [("ephemeral_changed", "yours")]
    gone = await hands.post("press", **place, action_id="drop")
    assert [one["change"] for one in gone["messages"]] == ["message_deleted"]
    assert (await hands.get("messages", channel=GENERAL, user="ben"))["messages"] == []


async def test_a_press_in_a_thread_says_so_and_answers_there(bot: Any, hands: Any):
    @bot.app.action("take")
    async def answer(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="taken")

    parent = (await bot.client.chat_postMessage(channel=GENERAL, text="parent"))["ts"]
    reply = await bot.client.chat_postMessage(channel=GENERAL, text="b", blocks=row(TAKE), thread_ts=parent)
    place = {"user": "ben", "channel": GENERAL, "ts": reply["ts"], "action_id": "take", "wait_seconds": 1}
    (change,) = (await hands.post("press", **place))["messages"]
    assert change["message"]["thread_ts"] == parent
    thread = (await hands.get("messages", channel=GENERAL, user="ben", thread_ts=parent))["messages"]
    assert [message["text"] for message in thread] == ["parent", "b", "taken"]


async def test_an_app_that_does_not_answer_a_press_is_named(bot: Any, hands: Any):
    @bot.app.action("take")
    async def sleep() -> None:
        await asyncio.sleep(0)

    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=row(TAKE)))["ts"]
    result = await hands.post("press", user="ben", channel=GENERAL, ts=ts, action_id="take")
    assert result["error"] == "operation_timeout"
    assert "did not respond" in result["messages"][0]["message"]["text"]


async def test_an_external_select_asks_the_app_as_one_types(bot: Any, hands: Any, seen: list[Any]):
    asked = []

    @bot.app.options("account")
    async def search(ack: Any, payload: dict[str, Any]) -> None:
        asked.append(payload["value"])
        found = [name for name in ("acme", "apex", "zeta") if payload["value"] in name]
        await ack(options=[option(name) for name in found])

    menu = {"type": "external_select", "action_id": "account", "min_query_length": 1}
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=row(menu)))["ts"]
    place = {"user": "ben", "channel": GENERAL, "ts": ts, "action_id": "account"}
    assert (await hands.get("options", **place, query=""))["options"] == []
    found = await hands.get("options", **place, query="a")
    assert [one["value"] for one in found["options"]] == ["acme", "apex", "zeta"]
    assert asked == ["a"]
    assert (await hands.post("press", **place, value="acme"))["ok"]
    assert seen[0]["actions"][0]["selected_option"]["text"]["text"] == "ACME"
    assert "no option 'omega'" in (await hands.post("press", **place, value="omega"))["error"]
    assert (await hands.post("press", **place, value="zeta"))["ok"]


async def test_an_attachments_buttons_work_too(bot: Any, hands: Any, seen: list[Any]):
    attachments = [{"color": "#e01e5a", "blocks": row(TAKE)}]
    posted = await bot.client.chat_postMessage(channel=GENERAL, text="a", attachments=attachments)
    await hands.post("press", user="ben", channel=GENERAL, ts=posted["ts"], action_id="take")
    assert seen[0]["actions"][0]["value"] == "acme"


async def test_a_payload_can_come_twice(bot: Any, hands: Any, seen: list[Any], slack: Playground):
    ts = (await bot.client.chat_postMessage(channel=GENERAL, text="a", blocks=row(TAKE)))["ts"]
    await hands.post("press", user="ben", channel=GENERAL, ts=ts, action_id="take")
    (entry,) = [one for one in slack.ledger if one["name"] == "block_actions take"]
    assert (await hands.post("redeliver", n=entry["n"]))["ok"]
    assert seen[0] == seen[1]
    assert (await hands.post("redeliver", n=10_000))["status"] == 400
