"""Faults on demand: each kind, on each side of Slack accepting a call; how often, by which seed; refused nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.control_faults import FaultsIn
from playground.fault_rules import FaultRule
from playground.faults import FaultKind
from playground.installing import Installed
from playground.server import Playground

GENERAL = "C0000GENERAL"
POST = "chat.postMessage"


@pytest.fixture
def manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    manifest["settings"]["event_subscriptions"]["bot_events"].append("tokens_revoked")
    return manifest


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(client: AsyncWebClient, text: str = "a") -> str:
    """What an app makes of posting: ok, Slack's code with the status, or nothing at all."""
    try:
        async with asyncio.timeout(1):
            await client.chat_postMessage(channel=GENERAL, text=text)
    except SlackApiError as error:
        return f"{error.response.status_code} {error.response['error']}"
    except (aiohttp.ClientError, TimeoutError):
        return "nothing"
    return "ok"


def texts(slack: Playground) -> list[str]:
    return [each.text for each in slack.core.workspace.messages.get(GENERAL, {}).values()]


def strikes(slack: Playground) -> list[tuple[str, str, Any]]:
    found = [entry for entry in slack.ledger if entry["kind"] == "fault"]
    return [(entry["name"], entry["outcome"], entry["content"]["rule"]) for entry in found]


@pytest.mark.parametrize(
    ("rule", "answer", "is_applied"),
    [
        ({"kind": "refuse", "error": "any_code_at_all"}, "200 any_code_at_all", False),
        ({"kind": "rate_limit", "retry_after": 7}, "429 ratelimited", False),
        ({"kind": "fail"}, "500 internal_error", False),
        ({"kind": "fail", "status": 503}, "503 internal_error", False),
        ({"kind": "fail_after_accept"}, "500 internal_error", True),
        ({"kind": "drop_before_accept"}, "nothing", False),
        ({"kind": "drop_after_accept"}, "nothing", True),
        ({"kind": "answer_late", "seconds": 0.2}, "ok", True),
        ({"kind": "hang", "seconds": 0.2}, "nothing", False),
    ],
)
async def test_each_kind_answers_and_applies_as_it_says(
    slack: Playground, client: AsyncWebClient, hands: Any, rule: dict[str, Any], answer: str, is_applied: bool
):
    added = await hands.post("faults", rules=[{"method": POST, "count": 1, **rule}], seed=1)
    assert (added["status"], added["seed"], added["faults"][0]["id"]) == (200, 1, 1)
    start = asyncio.get_running_loop().time()
    assert await post(client) == answer
    assert asyncio.get_running_loop().time() - start >= rule.get("seconds", 0) * 0.95
    assert texts(slack) == (["a"] if is_applied else [])
    assert strikes(slack) == [(POST, rule["kind"], 1)]
    assert await post(client, "b") == "ok"
    assert (await hands.get("faults"))["faults"][0]["is_spent"]


async def test_what_is_applied_late_lands_after_its_answer_was_lost(
    slack: Playground, client: AsyncWebClient, hands: Any
):
    await hands.post("faults", rules=[{"kind": "apply_late", "method": POST, "seconds": 0.3, "count": 1}])
    assert await post(client) == "nothing"
    assert await post(client, "b") == "ok"
    assert (await hands.delete("faults"))["cleared"] == 1
    await asyncio.sleep(0.4)
    assert texts(slack) == ["b", "a"]
    calls = [(entry["kind"], entry["outcome"]) for entry in slack.ledger if entry["name"] == POST]
    assert calls == [("fault", "apply_late"), ("api", "ok"), ("api", "ok")]


async def test_a_429_says_when_to_come_back(client: AsyncWebClient, hands: Any):
    await hands.post("faults", rules=[{"kind": "rate_limit", "method": "*", "retry_after": 7}])
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.headers["Retry-After"] == "7"


async def test_the_ledger_says_where_a_message_landed(slack: Playground, client: AsyncWebClient):
    answer = await client.chat_postMessage(channel=GENERAL, text="a")
    (entry,) = (each for each in slack.ledger if each["kind"] == "api")
    assert entry["place"] == {"channel": GENERAL, "ts": answer["ts"]}


# ---------------------------------------------------------------- how often


def draw(slack: Playground, calls: int, method: str = POST) -> list[FaultKind | None]:
    found = (slack.core.fault_book.find_for_call(method) for _ in range(calls))
    return [fault.kind if fault else None for fault in found]


def test_the_same_seed_strikes_the_same_calls(slack: Playground):
    rules = [
        FaultRule(kind=FaultKind.FAIL, method=POST, probability=0.3),
        FaultRule(kind=FaultKind.HANG, method="*", probability=0.3),
    ]
    runs = []
    for seed in (7, 7, 8):
        slack.disturb(rules, seed)
        runs.append(draw(slack, 200))
        slack.calm()
    assert runs[0] == runs[1] != runs[2]
    shares = [runs[0].count(kind) / 200 for kind in (FaultKind.FAIL, FaultKind.HANG)]
    assert shares == [pytest.approx(0.3, abs=0.1), pytest.approx(0.21, abs=0.1)]


def test_a_rule_skips_then_strikes_so_often_and_only_where_it_should(slack: Playground):
    slack.disturb([FaultRule(kind=FaultKind.FAIL, method=POST, skip=2, count=3)], seed=1)
    assert draw(slack, 5, "chat.update") == [None] * 5
    assert draw(slack, 7) == [None] * 2 + [FaultKind.FAIL] * 3 + [None] * 2
    (rule,) = slack.core.fault_book.to_json()
    assert (rule["met"], rule["struck"], rule["is_spent"]) == (5, 3, True)


async def test_one_rule_or_all_are_cleared(hands: Any):
    rules = [{"kind": "fail", "method": "auth.test"}, {"kind": "hang", "method": "*"}]
    added = await hands.post("faults", rules=rules)
    assert isinstance(added["seed"], int)
    assert [each["id"] for each in added["faults"]] == [1, 2]
    assert (await hands.delete("faults", id="1"))["cleared"] == 1
    assert [each["id"] for each in (await hands.get("faults"))["faults"]] == [2]
    assert (await hands.delete("faults", id="1"))["error"] == "no fault 1"
    assert (await hands.delete("faults", id="x"))["status"] == 400
    assert (await hands.delete("faults"))["cleared"] == 1
    assert (await hands.get("faults"))["faults"] == []


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"kind": "explode", "method": "*"}, "rules.0.kind"),
        ({"kind": "fail"}, "fail needs method"),
        ({"kind": "fail", "payload": "/cs"}, "fail needs method"),
        ({"kind": "duplicate", "method": "*"}, "duplicate needs payload"),
        ({"kind": "duplicate", "payload": "*", "method": "*"}, "takes payload, not method"),
        ({"kind": "fail", "method": "chat.shout"}, "no method chat.shout"),
        ({"kind": "fail", "method": "*", "probability": 0}, "greater than 0"),
        ({"kind": "fail", "method": "*", "probability": 1.1}, "less than or equal to 1"),
        ({"kind": "fail", "method": "*", "count": 0}, "rules.0.count"),
        ({"kind": "fail", "method": "*", "count": "3"}, "rules.0.count"),
        ({"kind": "fail", "method": "*", "status": 404}, "rules.0.status"),
        ({"kind": "fail", "method": "*", "seconds": 1}, "fail takes no seconds"),
        ({"kind": "refuse", "method": "*"}, "refuse needs error"),
        ({"kind": "apply_late", "method": "*"}, "apply_late needs seconds"),
        ({"kind": "answer_late", "method": "*", "seconds": -1}, "rules.0.seconds"),
        ({"kind": "hang", "method": "*", "seconds": 1e9}, "rules.0.seconds"),
        ({"kind": "rate_limit", "method": "*", "retry_after": -1}, "rules.0.retry_after"),
        ({"kind": "fail", "method": "*", "colour": "red"}, "rules.0.colour"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(hands: Any, rule: dict[str, Any], complaint: str):
    answer = await hands.post("faults", rules=[rule, {"kind": "fail", "method": "*"}])
    assert answer["status"] == 400
    assert complaint in answer["error"]
    assert (await hands.get("faults"))["faults"] == []


async def test_no_rules_is_no_request(hands: Any):
    assert (await hands.post("faults", rules=[]))["status"] == 400
    assert (await hands.post("faults"))["status"] == 400
    assert FaultsIn(rules=[FaultRule(kind=FaultKind.FAIL, method="*")]).seed is None


# ---------------------------------------------------------------- payloads and tokens


@pytest.mark.parametrize("payload", ["/try", "commands", "*"])
async def test_a_duplicated_payload_reaches_the_app_twice_with_one_envelope(
    slack: Playground, installed: Installed, hands: Any, session: aiohttp.ClientSession, payload: str
):
    socket = await link(session, slack, installed)
    await hands.post("faults", rules=[{"kind": "duplicate", "payload": payload, "count": 1}])
    running = asyncio.create_task(hands.command("/try"))
    first, second = await socket.receive_json(), await socket.receive_json()
    assert first == second
    for text in ("first", "second"):
        await socket.send_json({"envelope_id": first["envelope_id"], "payload": {"text": text}})
    assert (await running)["ack"] == {"text": "first"}
    await asyncio.sleep(0.05)
    assert strikes(slack) == [("/try", "duplicate", 1)]
    assert [entry["outcome"] for entry in slack.ledger if entry["name"] == "ignored"] == ["double_ack"]
    await socket.close()


async def link(session: aiohttp.ClientSession, slack: Playground, installed: Installed) -> Any:
    """A raw connection whose hello was read."""
    web = AsyncWebClient(base_url=slack.api_url)
    url = str((await web.apps_connections_open(app_token=installed.app_token))["url"])
    socket = await session.ws_connect(url)
    assert (await socket.receive_json())["type"] == "hello"
    return socket


@pytest.mark.parametrize(
    ("act", "heard"), [("revoke", ["tokens_revoked"]), ("uninstall", ["tokens_revoked", "app_uninstalled"])]
)
async def test_the_app_hears_that_its_tokens_end(
    slack: Playground, installed: Installed, hands: Any, session: aiohttp.ClientSession, act: str, heard: list[str]
):
    socket = await link(session, slack, installed)
    await hands.post(act)
    events = [(await socket.receive_json())["payload"]["event"] for _ in heard]
    assert sorted(each["type"] for each in events) == sorted(heard)
    assert {"bot": [installed.bot_user_id]} in [each.get("tokens") for each in events]
    await socket.close()


async def code_of(slack: Playground, token: str) -> str:
    try:
        await AsyncWebClient(token, base_url=slack.api_url).auth_test()
    except SlackApiError as error:
        return str(error.response["error"])
    return "ok"


async def test_a_revoked_token_is_refused_until_the_app_is_installed_again(
    slack: Playground, installed: Installed, hands: Any
):
    assert (await hands.post("revoke"))["ok"]
    assert await code_of(slack, installed.bot_token) == "token_revoked"
    web = AsyncWebClient(base_url=slack.api_url)
    assert (await web.apps_connections_open(app_token=installed.app_token))["ok"], "the app's own token lives"
    again = await hands.post("reinstall", app_id=installed.app_id)
    assert again["bot_user_id"] == installed.bot_user_id
    assert await code_of(slack, again["bot_token"]) == "ok"
    assert await code_of(slack, installed.bot_token) == "token_revoked"


async def test_an_uninstalled_app_may_come_back_with_its_token(slack: Playground, installed: Installed, hands: Any):
    assert (await hands.post("uninstall"))["ok"]
    assert await code_of(slack, installed.bot_token) == "account_inactive"
    assert (await hands.post("reinstall", keeps_token=True))["bot_token"] == installed.bot_token
    assert await code_of(slack, installed.bot_token) == "ok"
    assert (await hands.post("revoke", app_id="A0"))["error"] == "no app A0"
