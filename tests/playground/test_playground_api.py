"""The Web API's request path: tokens, scopes, arguments, encodings, faults and the ledger."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.faults import Fault
from playground.installing import Installed
from playground.server import Playground

GENERAL = "C0000GENERAL"


async def refusal(call: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        await call
    body: dict[str, Any] = caught.value.response.data
    return body


async def test_auth_test_says_whose_token_it_is(slack: Playground, client: AsyncWebClient, installed: Installed):
    answer = await client.auth_test()
    assert answer["user_id"] == installed.bot_user_id
    assert answer["bot_id"] == installed.bot_id
    assert answer["team_id"] == "T00000000PG"
    assert answer["url"] == f"{slack.url}/"
    assert "chat:write,commands" in answer.headers["X-OAuth-Scopes"]


@pytest.mark.parametrize(
    ("token", "code"),
    [(None, "not_authed"), ("xoxb-nonsense", "invalid_auth")],
)
async def test_a_bad_token_is_refused(slack: Playground, token: str | None, code: str):
    client = AsyncWebClient(token, base_url=slack.api_url)
    assert (await refusal(client.auth_test()))["error"] == code


async def test_each_kind_of_token_has_its_methods(slack: Playground, client: AsyncWebClient, installed: Installed):
    app = AsyncWebClient(installed.app_token, base_url=slack.api_url)
    assert (await refusal(app.chat_postMessage(channel=GENERAL, text="a")))["error"] == "not_allowed_token_type"
    wrong = client.apps_connections_open(app_token=installed.bot_token)
    assert (await refusal(wrong))["error"] == "not_allowed_token_type"


async def test_a_missing_scope_is_named(slack: Playground, manifest: dict[str, Any]):
    manifest["oauth_config"]["scopes"]["bot"] = ["users:read", "commands"]
    client = AsyncWebClient(slack.install(manifest, "ana").bot_token, base_url=slack.api_url)
    body = await refusal(client.chat_postMessage(channel=GENERAL, text="a"))
    assert (body["error"], body["needed"], body["provided"]) == ("missing_scope", "chat:write", "commands,users:read")
    assert (await refusal(client.conversations_list(types="im")))["needed"] == "im:read"
    assert "email" not in (await client.users_info(user="U0000000ANA"))["user"]["profile"]


async def test_a_dead_app_is_refused(slack: Playground, client: AsyncWebClient, installed: Installed):
    slack.uninstall(installed.app_id)
    assert (await refusal(client.auth_test()))["error"] == "account_inactive"


async def test_an_unknown_method_is_refused(client: AsyncWebClient):
    body = await refusal(client.api_call("chat.shout", params={"channel": GENERAL}))
    assert (body["error"], body["req_method"]) == ("unknown_method", "chat.shout")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"channel": GENERAL, "text": "a", "colour": "red"}, "[ERROR] unknown argument: colour"),
        ({"text": "a"}, "[ERROR] missing required field: channel"),
        ({"channel": 7, "text": "a"}, "[ERROR] Input should be a valid string [json-pointer:/channel]"),
    ],
)
async def test_wrong_arguments_are_named(client: AsyncWebClient, args: dict[str, Any], words: str):
    body = await refusal(client.api_call("chat.postMessage", json=args))
    assert body["error"] == "invalid_arguments"
    assert body["response_metadata"]["messages"] == [words]


BLOCKS = [{"type": "divider", "block_id": "line"}]


async def test_json_forms_and_queries_are_the_same_to_it(slack: Playground, client: AsyncWebClient):
    as_json = await client.chat_postMessage(channel=GENERAL, blocks=BLOCKS, text="a")
    form = {"channel": GENERAL, "text": "a", "blocks": json.dumps(BLOCKS), "unfurl_links": "false"}
    as_form = await client.api_call("chat.postMessage", data=form)
    as_query = await client.api_call("chat.postMessage", params=form)
    assert as_json["message"]["blocks"] == as_form["message"]["blocks"] == as_query["message"]["blocks"] == BLOCKS


async def test_a_token_may_come_in_the_form(slack: Playground, installed: Installed):
    url = f"{slack.api_url}auth.test"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data={"token": installed.bot_token}) as response:
            assert (await response.json())["ok"]
        async with session.post(url, data="{", headers={"Content-Type": "application/json"}) as response:
            assert (await response.json())["error"] == "invalid_json"
        async with session.post(url, json=[1]) as response:
            assert (await response.json())["error"] == "json_not_object"


async def test_faults_strike_where_they_are_inserted_and_only_there(slack: Playground, client: AsyncWebClient):
    faults = [Fault.refuse("fatal_error"), Fault.fail(503), Fault.rate_limit(7)]
    slack.faults.append(lambda method, _: faults.pop(0) if faults and method == "chat.postMessage" else None)
    assert (await client.auth_test())["ok"]
    assert (await refusal(client.chat_postMessage(channel=GENERAL, text="a")))["error"] == "fatal_error"
    for status, header in ((503, None), (429, "7")):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=GENERAL, text="a")
        assert caught.value.response.status_code == status
        assert caught.value.response.headers.get("Retry-After") == header
    assert (await client.conversations_history(channel=GENERAL))["messages"] == []
    assert (await client.chat_postMessage(channel=GENERAL, text="a"))["ok"]


async def test_a_dropped_answer_was_applied_and_a_late_one_comes(slack: Playground, client: AsyncWebClient):
    faults = [Fault.drop_after_accept(), Fault.answer_late(0.2)]
    slack.faults.append(lambda _, args: faults.pop(0) if faults and args.get("text") == "a" else None)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=GENERAL, text="a")
    start = asyncio.get_running_loop().time()
    await client.chat_postMessage(channel=GENERAL, text="a")
    assert asyncio.get_running_loop().time() - start >= 0.19
    messages = (await client.conversations_history(channel=GENERAL))["messages"]
    assert [message["text"] for message in messages] == ["a", "a"]


async def test_the_ledger_keeps_calls_in_order_without_tokens(
    slack: Playground, client: AsyncWebClient, installed: Installed
):
    await client.auth_test()
    await refusal(client.chat_postMessage(channel="C0", text=f"my token is {installed.bot_token}"))
    calls = [entry for entry in slack.ledger if entry["kind"] == "api"]
    entries = [(entry["name"], entry["outcome"]) for entry in calls]
    assert entries == [("auth.test", "ok"), ("chat.postMessage", "channel_not_found")]
    assert installed.bot_token not in json.dumps(slack.ledger)
    assert installed.bot_token[-4:] in calls[1]["content"]["text"]


async def test_the_team_is_told(client: AsyncWebClient):
    team = (await client.team_info())["team"]
    assert (team["id"], team["domain"]) == ("T00000000PG", "playground")
    assert (await refusal(client.team_info(team="T1")))["error"] == "team_not_found"
