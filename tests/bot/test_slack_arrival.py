"""How payloads arrive: Socket Mode and signed HTTP, both against a local Slack over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jsonschema
import pytest
import yaml
from structlog.testing import capture_logs

from bot.clocks import read_wall, real_clocks
from bot.slack.edge import Edge, EdgeSettings, build_edge
from bot.slack.errors import SlackSetupError
from bot.slack.http import HttpServer
from bot.slack.installation import connect_workspace
from bot.slack.manifest import EVENTS, SCOPES, build_manifest, render_yaml
from bot.slack.socket_mode import SocketMode
from commands.help import SLASH
from playground.installing import Installed
from playground.seed import default_seed
from playground.server import Playground
from rules.errors import UserError
from storage.db import Database
from storage.people.members import find_by_slack_id
from tests.bot.slack_stage import FakeSlack, Gate, build_slice, fake_slack, read, sign, texts

# What Slack's reference of app manifests says about the parts we use.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_metadata", "display_information", "features", "oauth_config", "settings"],
    "additionalProperties": False,
    "properties": {
        "_metadata": {"properties": {"major_version": {"const": 2}}},
        "display_information": {
            "additionalProperties": False,
            "properties": {
                "name": {"maxLength": 35},
                "description": {"maxLength": 140},
                "long_description": {"minLength": 175, "maxLength": 4000},
                "background_color": {"pattern": "^#[0-9a-fA-F]{6}$"},
            },
        },
        "features": {
            "additionalProperties": False,
            "properties": {
                "app_home": {"type": "object"},
                "bot_user": {"properties": {"display_name": {"maxLength": 80}}},
                "slash_commands": {
                    "maxItems": 50,
                    "items": {
                        "required": ["command", "description"],
                        "additionalProperties": False,
                        "properties": {
                            "command": {"pattern": "^/", "maxLength": 32},
                            "description": {"minLength": 1, "maxLength": 2000},
                            "usage_hint": {"minLength": 1, "maxLength": 1000},
                            "should_escape": {"const": True},
                            "url": {"pattern": "^https?://"},
                        },
                    },
                },
            },
        },
        "oauth_config": {"properties": {"scopes": {"properties": {"bot": {"maxItems": 255, "uniqueItems": True}}}}},
        "settings": {"properties": {"event_subscriptions": {"properties": {"bot_events": {"uniqueItems": True}}}}},
    },
}
SLICES = (build_slice(Gate()),)


class Hands:
    """Somebody at the local Slack."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def act(self, act: str, **body: Any) -> dict[str, Any]:
        body = {"user": "ben", **body}
        async with self.session.post(f"{self.url}/_play/{act}", json=body) as response:
            told = await response.json()
            assert response.status == 200, told
            return dict(told)

    async def see(self, what: str, **query: str) -> list[dict[str, Any]]:
        query = {"user": "ben", **query}
        async with self.session.get(f"{self.url}/_play/{what}", params=query) as response:
            told = await response.json()
            return list(told.get(what.rsplit("/", maxsplit=1)[-1], told) if isinstance(told, dict) else told)


async def connect(playground: Playground, database: Database, installed: Installed) -> Edge:
    installation = await connect_workspace(database, installed.bot_token, playground.api_url, read_wall())
    settings = EdgeSettings(installation, playground.api_url, (installed.signing_secret,))
    return build_edge(database, SLICES, settings, real_clocks())


@asynccontextmanager
async def over_socket(database: Database) -> AsyncIterator[tuple[Playground, Edge]]:
    async with Playground(default_seed()) as playground:
        installed = playground.install(build_manifest(SLICES), installer="ana")
        edge = await connect(playground, database, installed)
        mode = SocketMode(edge, installed.app_token, playground.api_url)
        await mode.start()
        try:
            yield playground, edge
        finally:
            assert await mode.stop() == 0


@asynccontextmanager
async def over_http(database: Database) -> AsyncIterator[tuple[Playground, Edge]]:
    async with Playground(default_seed()) as playground:
        manifest = build_manifest(SLICES, is_socket_mode=False, url="https://milepost.example.com")
        text = render_yaml(manifest)
        installed = playground.install(yaml.safe_load(text), installer="ana")
        edge = await connect(playground, database, installed)
        server = HttpServer(edge, "127.0.0.1", 0)
        await server.start()
        playground.set_request_url(installed.app_id, f"http://127.0.0.1:{server.port}/slack/events")
        try:
            yield playground, edge
        finally:
            assert await server.stop() == 0


@pytest.fixture(params=[over_socket, over_http], ids=["socket", "http"])
async def both(request: pytest.FixtureRequest, sqlite_database: Database) -> AsyncIterator[tuple[Playground, Edge]]:
    async with request.param(sqlite_database) as given:
        yield given


@pytest.fixture
async def hands(both: tuple[Playground, Edge]) -> AsyncIterator[Hands]:
    async with aiohttp.ClientSession() as session:
        yield Hands(session, both[0].url)


async def test_a_command_a_button_and_a_form_through_a_local_slack(hands: Hands, both: tuple[Playground, Edge]):
    await hands.act("command", channel="#general", text=f"{SLASH} note hello", wait_seconds=5)
    (note,) = await hands.see("messages", channel="#general")
    assert note["text"] == "Noted"
    await hands.act("press", channel="#general", ts=note["ts"], action_id="test.undo", wait_seconds=5)
    assert [each["text"] for each in await hands.see("messages", channel="#general")] == ["Undone"]
    await hands.act("command", channel="#general", text=f"{SLASH} form", wait_seconds=5)
    (view,) = await hands.see("views")
    await hands.act("submit", view_id=view["id"], values={"name": {"value": "wrong"}})
    (kept,) = await hands.see("views")
    assert kept["id"] == view["id"]
    await hands.act(
        "submit", view_id=view["id"], values={"name": {"value": "Mia"}, "note": {"value": "n"}}, wait_seconds=5
    )
    assert await hands.see("views") == []
    assert [each["text"] for each in await hands.see("messages", channel="#general")] == ["Undone", "Saved"]


async def test_home_opens_and_people_are_learnt(hands: Hands, both: tuple[Playground, Edge], sqlite_database: Database):
    _playground, edge = both
    await hands.act("home")

    def known() -> tuple[str, ...]:
        with sqlite_database.reading(edge.people.installation.workspace_id) as tx:
            row = find_by_slack_id(tx, "U0000000BEN")
            return (row.name, row.email, row.zone, row.locale) if row else ()

    for _ in range(100):
        if known() and known()[0]:
            break
        await asyncio.sleep(0.05)
    assert known() == ("Ben Okafor", "ben@example.com", "Europe/London", "en-GB")


async def test_a_payload_delivered_twice_by_the_local_slack_is_done_once(hands: Hands, both: tuple[Playground, Edge]):
    await hands.act("command", channel="#general", text=f"{SLASH} note once", wait_seconds=5)
    async with hands.session.get(f"{hands.url}/_play/ledger") as response:
        entries = (await response.json())["entries"]
    sent = next(entry for entry in entries if "note once" in str(entry))
    async with hands.session.post(f"{hands.url}/_play/redeliver", json={"n": sent["n"]}) as response:
        assert response.status == 200, await response.text()
    await asyncio.sleep(0.3)
    texts = [each["text"] for each in await hands.see("messages", channel="#general")]
    assert texts.count("Noted") == 1


async def test_leaving_waits_for_the_answer_to_what_has_come(sqlite_database: Database):
    gate = Gate()
    async with Playground(default_seed()) as playground, aiohttp.ClientSession() as session:
        installed = playground.install(build_manifest(SLICES), installer="ana")
        installation = await connect_workspace(sqlite_database, installed.bot_token, playground.api_url, read_wall())
        settings = EdgeSettings(installation, playground.api_url)
        edge = build_edge(sqlite_database, [build_slice(gate)], settings, real_clocks())
        mode = SocketMode(edge, installed.app_token, playground.api_url)
        await mode.start()
        hands = Hands(session, playground.url)
        asked = asyncio.create_task(hands.act("command", channel="#general", text=f"{SLASH} slow"))
        for _ in range(100):
            if edge.tasks.names():
                break
            await asyncio.sleep(0.02)
        leaving = asyncio.create_task(mode.stop())
        await asyncio.sleep(0.1)
        gate.is_open.set()
        assert await leaving == 0
        assert (await asked)["ok"]
        assert [each["text"] for each in await hands.see("messages", channel="#general")] == ["slow is done"]


async def test_oauth_settings_in_the_environment_change_nothing(
    sqlite_database: Database, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
):
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from the environment")
    edge = await connect_fake(sqlite_database, slack)
    body = urlencode({"command": SLASH, "text": "help me", "user_id": "U1", "team_id": "T5", "trigger_id": "1"})
    assert "help: me" in texts(read(await edge.app.async_dispatch(sign(body, secret="s"))))
    assert (await edge.app.async_dispatch(sign(body, secret="from the environment"))).status == 401
    await edge.drain()


# ---------------------------------------------------------------- set up wrongly


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with fake_slack() as given:
        yield given


async def connect_fake(database: Database, slack: FakeSlack) -> Edge:
    slack.answers["auth.test"] = {"team_id": "T5", "team": "Five", "user_id": "UB", "bot_id": "B5"}
    installation = await connect_workspace(database, "xoxb-1", f"{slack.url}/api/", read_wall())
    return build_edge(database, SLICES, EdgeSettings(installation, f"{slack.url}/api/", ("s",)), real_clocks())


async def test_a_bad_app_token_is_told_instead_of_tried_for_ever(sqlite_database: Database, slack: FakeSlack):
    edge = await connect_fake(sqlite_database, slack)
    slack.errors["apps.connections.open"] = "invalid_auth"
    mode = SocketMode(edge, "xapp-wrong", f"{slack.url}/api/")
    with pytest.raises(SlackSetupError, match="invalid_auth"):
        await mode.start()
    assert await mode.stop() == 0


async def test_an_address_that_is_taken_is_told(sqlite_database: Database, slack: FakeSlack):
    edge = await connect_fake(sqlite_database, slack)
    first = HttpServer(edge, "127.0.0.1", 0)
    await first.start()
    second = HttpServer(edge, "127.0.0.1", first.port)
    with pytest.raises(UserError, match=str(first.port)):
        await second.start()
    assert await second.stop() == 0
    assert await first.stop() == 0


async def test_what_is_not_slack_gets_no_further_than_the_door(sqlite_database: Database, slack: FakeSlack):
    edge = await connect_fake(sqlite_database, slack)
    server = HttpServer(edge, "127.0.0.1", 0)
    await server.start()
    url = f"http://127.0.0.1:{server.port}/slack/events"
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession() as session:
        for data, headers, status in (
            (b"payload=%7B", form, 400),
            (b"{", {"content-type": "application/json"}, 400),
            (b"\xff\xfe", form, 400),
            (b"text=" + b"x" * 1_000_001, form, 400),
            (b"text=hello&command=%2Fcs", form, 401),
        ):
            with capture_logs() as logs:
                async with session.post(url, data=data, headers=headers) as response:
                    assert response.status == status, data[:20]
            assert "hello" not in str(logs)
        async with session.get(url) as response:
            assert response.status == 405
    assert await server.stop() == 0


# ---------------------------------------------------------------- the manifest


@pytest.mark.parametrize("given", [{}, {"is_socket_mode": False, "url": "https://milepost.example.com/"}])
def test_the_manifest_is_what_slack_accepts(given: dict[str, Any]):
    manifest = build_manifest(SLICES, **given)
    jsonschema.validate(manifest, SCHEMA)
    assert yaml.safe_load(render_yaml(manifest)) == manifest
    assert manifest["settings"]["socket_mode_enabled"] is not bool(given)
    (command,) = manifest["features"]["slash_commands"]
    assert command["usage_hint"].startswith("help | note | lead")
    urls = {command.get("url"), manifest["settings"]["interactivity"].get("request_url")}
    assert urls == ({"https://milepost.example.com/slack/events"} if given else {None})


def test_over_http_the_manifest_needs_a_public_address():
    with pytest.raises(ValueError, match="https"):
        build_manifest(SLICES, is_socket_mode=False, url="http://127.0.0.1")


def test_scopes_and_events_are_in_order_and_said_once():
    manifest = build_manifest(SLICES)
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)
    assert all(reason for reason in SCOPES.values())
