"""Signed HTTP: a real Bolt app behind a request URL, signatures checked by Bolt itself, retries as Slack's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.seed import default_seed
from playground.server import Playground

GENERAL = "C0000GENERAL"


class Site:
    """A web site that remembers what came and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answers: list[web.Response] = []

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.text()
        self.requests.append((headers, body))
        is_arrival = "member_joined_channel" in body  # the bot's own, from before the test
        return self.answers.pop(0) if self.answers and not is_arrival else web.Response()


async def serve(handler: Any) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/slack/events", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    """With the real time: Bolt refuses signatures older than five minutes."""
    async with Playground(default_seed(), clock=time.time, ack_seconds=0.4, retry_delays=(0.0, 0.05)) as playground:
        yield playground


@pytest.fixture
def installed(slack: Playground, manifest: dict[str, Any]) -> Installed:
    manifest["settings"]["socket_mode_enabled"] = False
    manifest["features"]["slash_commands"][0]["url"] = "https://example.com/slack/events"
    return slack.install(manifest, "ana")


@pytest.fixture
async def site(slack: Playground, installed: Installed, client: AsyncWebClient) -> AsyncIterator[Site]:
    site = Site()
    async for url in serve(site.answer):
        slack.set_request_url(installed.app_id, url)
        yield site


@pytest.fixture
async def bolt(slack: Playground, installed: Installed, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    app = AsyncApp(client=client, signing_secret=installed.signing_secret)
    async for url in serve(app.server().handle_post_requests):
        slack.set_request_url(installed.app_id, url)
        yield app


async def test_bolt_answers_commands_presses_and_forms_over_http(bolt: AsyncApp, hands: Any, client: AsyncWebClient):
    plain = {"type": "plain_text", "text": "Go"}
    button = {"type": "button", "action_id": "go", "text": plain}
    note = {"type": "input", "label": plain, "element": {"type": "plain_text_input", "action_id": "note"}}

    @bolt.command("/try")
    async def command(ack: Any) -> None:
        await ack(response_type="in_channel", text="hi", blocks=[{"type": "actions", "elements": [button]}])

    @bolt.action("go")
    async def go(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        view = {"type": "modal", "callback_id": "form", "title": plain, "submit": plain, "blocks": [note]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @bolt.view("form")
    async def form(ack: Any, view: dict[str, Any]) -> None:
        (block,) = view["blocks"]
        await ack(response_action="errors", errors={block["block_id"]: "no"})

    (change,) = (await hands.command("/try"))["messages"]
    place = {"user": "ben", "channel": GENERAL, "ts": change["ts"]}
    (view,) = (await hands.post("press", **place, action_id="go", wait_seconds=1))["views"]
    result = await hands.post("submit", user="ben", view_id=view["id"], values={"note": "a"})
    assert list(result["errors"].values()) == ["no"]


async def test_bolt_answers_the_challenge_and_a_dead_site_does_not(
    slack: Playground, bolt: AsyncApp, installed: Installed
):
    assert await slack.verify_request_url(installed.app_id) is True
    slack.set_request_url(installed.app_id, "http://127.0.0.1:1/slack/events")
    assert await slack.verify_request_url(installed.app_id) is False


async def test_every_request_is_signed_and_framed_as_slack_does(site: Site, hands: Any, installed: Installed):
    await hands.command("/try a b")
    await hands.post("say", user="ben", channel="#general", text="hello")
    await asyncio.sleep(0.1)  # events are sent beside the answer
    verifier = SignatureVerifier(installed.signing_secret)
    for headers, body in site.requests:
        assert verifier.is_valid_request(body, headers)
        assert not SignatureVerifier("other").is_valid_request(body, headers)
    command = next(pair for pair in site.requests if "command=%2Ftry" in pair[1])
    assert command[0]["content-type"] == "application/x-www-form-urlencoded"
    assert "text=a+b" in command[1]
    event = next(pair for pair in site.requests if "event_callback" in pair[1])
    assert event[0]["content-type"] == "application/json"


def retries(site: Site) -> list[tuple[str | None, str | None]]:
    """Number and reason of each request that brought a message."""
    names = ("x-slack-retry-num", "x-slack-retry-reason")
    found = [headers for headers, body in site.requests if '"text": "hello"' in body]
    return [(headers.get(names[0]), headers.get(names[1])) for headers in found]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], [(None, None)]),
        ([web.Response(status=500)], [(None, None), ("1", "http_error")]),
        ([500, 500, 500, 500], [(None, None), ("1", "http_error"), ("2", "http_error")]),
        ([web.Response(status=500, headers={"X-Slack-No-Retry": "1"})], [(None, None)]),
    ],
)
async def test_events_are_retried_until_acknowledged(site: Site, hands: Any, answers: list[Any], expected: list[Any]):
    site.answers = [web.Response(status=one) if isinstance(one, int) else one for one in answers]
    await hands.post("say", user="ben", channel="#general", text="hello")
    await asyncio.sleep(0.25)
    assert retries(site) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(status=404), "http_error_404"),
        (web.Response(text="{", content_type="application/json"), "invalid_response"),
    ],
)
async def test_a_broken_site_is_told_to_the_person(site: Site, hands: Any, answer: web.Response, error: str):
    site.answers = [answer]
    assert (await hands.command("/try"))["error"] == error


async def test_a_site_that_is_slow_or_gone_is_told_apart(slack: Playground, installed: Installed, hands: Any):
    async def sleep(_: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return web.Response()

    async for url in serve(sleep):
        slack.set_request_url(installed.app_id, url)
        assert (await hands.command("/try"))["error"] == "operation_timeout"
    assert (await hands.command("/try"))["error"] == "dispatch_failed"


async def test_plain_text_is_an_answer_to_a_command(site: Site, hands: Any):
    site.answers = [web.Response(text="plain words")]
    (change,) = (await hands.command("/try"))["messages"]
    assert change["message"]["text"] == "plain words"


async def test_a_duplicated_payload_is_posted_twice_and_the_first_answer_counts(
    site: Site, hands: Any, slack: Playground
):
    site.requests.clear()
    site.answers = [web.Response(text="first"), web.Response(text="second")]
    await hands.post("faults", rules=[{"kind": "duplicate", "payload": "commands", "count": 1}])
    answer = await hands.command("/try")
    commands = [body for _, body in site.requests if "command=" in body]
    assert len(commands) == 2
    assert commands[0] == commands[1]
    assert answer["ack"] in {"first", "second"}
    assert [entry["outcome"] for entry in slack.ledger if entry["kind"] == "fault"] == ["duplicate"]
