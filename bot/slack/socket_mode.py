"""Payloads over Socket Mode: connect, and leave without cutting an answer off. Owns the probe before connecting
(with a bad app token Slack's client would try for ever); refuses to handle payloads.
"""

from __future__ import annotations

from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.edge import Edge
from bot.slack.errors import SlackSetupError


class SocketMode:
    """One Socket Mode connection of an edge. `app_token` is the app-level token, `xapp-…`."""

    def __init__(self, edge: Edge, app_token: str, base_url: str) -> None:
        self._edge = edge
        self._app_token = app_token
        self._client = AsyncWebClient(base_url=base_url, timeout=10)
        self._handler: _TrackedHandler | None = None

    async def start(self) -> None:
        """Connect and return once payloads can come. Raises `SlackSetupError`, in plain words."""
        await self._probe()
        self._handler = _TrackedHandler(self._edge, self._app_token, self._client)
        await self._handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped

    async def is_connected(self) -> bool:
        """Whether payloads can come in."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def stop(self) -> int:
        """Drain the edge, then disconnect; returns how much had to be cut off."""
        left = await self._edge.drain()
        if self._handler is not None:
            await self._handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        return left

    async def _probe(self) -> None:
        try:
            await self._client.apps_connections_open(app_token=self._app_token)
        except SlackApiError as error:
            raise SlackSetupError(
                "Slack refuses the app-level token ({code}). Make one with the scope connections:write under "
                "Basic Information, App-Level Tokens (xapp-…), and switch Socket Mode on.",
                code=str(error.response.get("error", "")),
            ) from error
        except (ClientError, TimeoutError, OSError) as error:
            raise SlackSetupError(
                "Slack cannot be reached at {url}: {reason}.",
                url=self._client.base_url,
                reason=str(error) or type(error).__name__,
            ) from error


class _TrackedHandler(AsyncSocketModeHandler):
    """Bolt's handler whose work, up to the acknowledgement on the wire, is known to the edge."""

    def __init__(self, edge: Edge, app_token: str, client: AsyncWebClient) -> None:
        super().__init__(edge.app, app_token, web_client=client)
        self._edge = edge

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as Bolt's own subclass
        await self._edge.tasks.start(super().handle(client, req), "envelope")
