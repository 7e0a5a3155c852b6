"""A playground with short deadlines, a real Bolt app in it, and a person's hands on the control API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from playground.installing import Installed
from playground.seed import default_seed
from playground.server import Playground

MANIFEST = {
    "display_information": {"name": "Tester"},
    "features": {
        "app_home": {"home_tab_enabled": True},
        "bot_user": {"display_name": "tester"},
        "slash_commands": [{"command": "/try", "description": "Try it", "usage_hint": "[anything]"}],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read",
                "channels:history",
                "channels:join",
                "channels:read",
                "chat:write",
                "commands",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "team:read",
                "users:read",
                "users:read.email",
            ]
        }
    },
    "settings": {
        "socket_mode_enabled": True,
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {
            "bot_events": [
                "app_home_opened",
                "app_mention",
                "app_uninstalled",
                "channel_shared",
                "channel_unshared",
                "member_joined_channel",
                "message.channels",
                "message.im",
                "user_change",
            ]
        },
    },
}


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Hands:
    """A person's hands: the control API."""

    session: aiohttp.ClientSession
    url: str

    async def post(self, act: str, **body: Any) -> dict[str, Any]:
        async with self.session.post(f"{self.url}/_play/{act}", json=body) as response:
            return {"status": response.status, **await response.json()}

    async def get(self, what: str, **query: str) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/_play/{what}", params=query) as response:
            return {"status": response.status, **await response.json()}

    async def delete(self, what: str, **query: str) -> dict[str, Any]:
        async with self.session.delete(f"{self.url}/_play/{what}", params=query) as response:
            return {"status": response.status, **await response.json()}

    async def command(self, text: str, **body: Any) -> dict[str, Any]:
        return await self.post("command", **{"user": "ben", "channel": "#general", "text": text, **body})


@dataclass
class Bot:
    """A real Bolt app, connected."""

    app: AsyncApp
    client: AsyncWebClient
    installed: Installed
    socket: SocketModeClient


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manifest() -> dict[str, Any]:
    return deepcopy(MANIFEST)


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[Playground]:
    options = {"ack_seconds": 0.4, "retry_delays": (0.0, 0.05)}
    async with Playground(default_seed(), clock=clock, **options) as playground:
        yield playground


@pytest.fixture
def installed(slack: Playground, manifest: dict[str, Any]) -> Installed:
    return slack.install(manifest, "ana")


@pytest.fixture
def client(slack: Playground, installed: Installed) -> AsyncWebClient:
    slack.join("#general", installed.bot_user_id)
    return AsyncWebClient(installed.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
async def hands(slack: Playground) -> AsyncIterator[Hands]:
    async with aiohttp.ClientSession() as session:
        yield Hands(session, slack.url)


@pytest.fixture
async def bot(slack: Playground, installed: Installed, client: AsyncWebClient) -> AsyncIterator[Bot]:
    app = AsyncApp(client=client, ignoring_self_events_enabled=False)
    handler = AsyncSocketModeHandler(app, installed.app_token, web_client=AsyncWebClient(base_url=slack.api_url))
    await handler.connect_async()
    yield Bot(app, client, installed, handler.client)
    await handler.close_async()
