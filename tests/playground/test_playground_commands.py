"""Slash commands and response URLs, with a real Bolt app over Socket Mode."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt import BoltResponse

from playground.model import User
from playground.server import Playground

GENERAL = "C0000GENERAL"


async def run(bot: Any, hands: Any, *answers: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Run /try; the app acknowledges with the first answer; the command's payload is added to the result."""
    seen: list[dict[str, Any]] = []

    @bot.app.command("/try")
    async def listen(ack: Any, command: dict[str, Any]) -> None:
        seen.append(command)
        await ack(*answers)

    result: dict[str, Any] = await hands.command("/try  log Acme 7.5% ", **body)
    return {**result, "payload": seen[0]}


async def test_a_command_carries_slacks_fields(bot: Any, hands: Any, slack: Playground):
    payload = (await run(bot, hands))["payload"]
    assert payload.pop("trigger_id").count(".") == 2
    assert payload.pop("response_url").startswith(f"{slack.url}/commands/")
    assert payload.pop("token")
    assert payload == {
        "team_id": "T00000000PG",
        "team_domain": "playground",
        "channel_id": GENERAL,
        "channel_name": "general",
        "user_id": "U0000000BEN",
        "user_name": "ben",
        "command": "/try",
        "text": "log Acme 7.5%",
        "api_app_id": bot.installed.app_id,
        "is_enterprise_install": "false",
    }


async def test_an_empty_ack_shows_nothing_and_text_is_a_note(bot: Any, hands: Any):
    assert (await run(bot, hands))["messages"] == []
    bot.app._async_listeners.clear()
    result = await run(bot, hands, "only for you")
    (change,) = result["messages"]
    assert (change["change"], change["message"]["text"]) == ("ephemeral", "only for you")
    assert (await hands.get("messages", channel=GENERAL, user="ana"))["messages"] == []


async def test_in_channel_everybody_sees_it(bot: Any, hands: Any):
    result = await run(bot, hands, {"response_type": "in_channel", "text": "all"})
    assert [change["change"] for change in result["messages"]] == ["message"]
    assert [one["text"] for one in (await hands.get("messages", channel=GENERAL))["messages"]] == ["all"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"text": "a", "colour": "red"}, "invalid_payload"),
        ({"response_type": "in_channel"}, "no_text"),
        ({"text": "a", "blocks": [{"type": "video"}]}, "invalid_blocks"),
    ],
)
async def test_a_wrong_answer_is_told_to_the_person(bot: Any, hands: Any, answer: dict[str, Any], code: str):
    @bot.app.middleware
    async def answer_raw() -> BoltResponse:
        return BoltResponse(status=200, body=answer)

    result = await hands.command("/try")
    assert (result["ok"], result["error"]) == (False, code)
    assert code in result["messages"][0]["message"]["text"]


async def test_who_does_not_answer_in_time_is_named(bot: Any, hands: Any):
    @bot.app.command("/try")
    async def listen() -> None:
        await asyncio.sleep(0)

    result = await hands.command("/try")
    assert (result["ok"], result["error"]) == (False, "operation_timeout")
    (change,) = result["messages"]
    assert change["message"]["text"] == '/try failed with the error "operation_timeout"'
    assert change["message"]["notice"]


async def test_an_app_that_is_away_fails_at_once(client: Any, hands: Any):
    assert (await hands.command("/try"))["error"] == "dispatch_failed"


async def test_commands_nobody_could_type_are_refused(bot: Any, hands: Any, slack: Playground):
    assert (await hands.command("/nothing"))["status"] == 400
    assert "starts with /" in (await hands.command("hello"))["error"]
    assert "no user 'zoe'" in (await hands.command("/try", user="zoe"))["error"]
    assert "no channel '#nowhere'" in (await hands.command("/try", channel="#nowhere"))["error"]
    guest = User(id="U00000GUEST", name="guest", team_id="T00000OTHER")
    slack.core.workspace.users[guest.id] = guest
    assert "other workspaces" in (await hands.command("/try", user="guest"))["error"]
    missing = await hands.post("command", user="ben", text="/try")
    assert "channel: Field required" in missing["error"]


async def respond(url: str, body: Any) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.json()


async def test_a_response_url_works_five_times_and_is_private_by_default(bot: Any, hands: Any):
    url = (await run(bot, hands))["payload"]["response_url"]
    for number in range(5):
        assert await respond(url, {"text": str(number)}) == (200, {"ok": True})
    assert await respond(url, {"text": "6"}) == (404, {"ok": False, "error": "used_url"})
    notes = (await hands.get("messages", channel=GENERAL, user="ben"))["messages"]
    assert [(note["text"], note["ephemeral"]) for note in notes] == [(str(n), True) for n in range(5)]


async def test_a_response_url_lives_30_minutes(bot: Any, hands: Any, clock: Any, slack: Playground):
    url = (await run(bot, hands))["payload"]["response_url"]
    clock.now += 30 * 60
    assert (await respond(url, {"text": "just in time"}))[0] == 200
    clock.now += 1
    assert await respond(url, {"text": "late"}) == (404, {"ok": False, "error": "expired_url"})
    assert (await respond(f"{slack.url}/commands/nothing", {"text": "a"}))[1]["error"] == "invalid_url"


async def test_a_response_url_refuses_what_slack_would(bot: Any, hands: Any):
    url = (await run(bot, hands))["payload"]["response_url"]
    assert (await respond(url, {"text": "a", "colour": "red"}))[1]["error"] == "invalid_payload"
    assert (await respond(url, {"blocks": [{"type": "video"}]}))[1]["error"] == "invalid_blocks"
    assert (await respond(url, {"text": ""}))[1]["error"] == "no_text"
    assert (await respond(url, {"delete_original": True}))[1]["error"] == "message_not_found"


async def test_a_command_in_a_direct_message_names_it_so(bot: Any, hands: Any):
    payload = (await run(bot, hands, channel="@tester"))["payload"]
    assert (payload["channel_id"][0], payload["channel_name"]) == ("D", "directmessage")
