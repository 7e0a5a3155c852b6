"""What Slack says of our tokens, scopes, clock and channels, without changing anything. Owns the questions; refuses to
judge the answers (`bot.doctor`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.delivery_requests import open_client

_UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class BotAnswer:
    """Slack's answer about the bot token. `error` is Slack's code, or "unreachable: …"; "" if it works. `scopes` are
    those granted, None where Slack does not tell; `slack_time` is Slack's clock, None where it does not tell.
    """

    error: str = ""
    team: str = ""
    team_id: str = ""
    scopes: frozenset[str] | None = None
    slack_time: datetime | None = None


@dataclass(frozen=True)
class ChannelAnswer:
    """Whether the bot can post in a channel: `error` is Slack's code, "" if the channel is known."""

    channel: str
    name: str = ""
    error: str = ""
    is_archived: bool = False
    is_private: bool = False
    is_member: bool = False


@dataclass(frozen=True)
class SlackProbe:
    """Asks Slack at `base_url` with these tokens; never raises for what Slack or the network answers."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    base_url: str

    async def ask_bot(self) -> BotAnswer:
        """Whose token it is, what it may do, and what time it is there."""
        try:
            told = await self._client().auth_test()
        except (SlackApiError, ClientError, TimeoutError, OSError) as error:
            return BotAnswer(error=_name(error))
        headers = {str(name).lower(): str(value) for name, value in (told.headers or {}).items()}
        granted = headers.get("x-oauth-scopes")
        return BotAnswer(
            team=str(told.get("team", "")),
            team_id=str(told.get("team_id", "")),
            scopes=None if granted is None else frozenset(each.strip() for each in granted.split(",")),
            slack_time=parsedate_to_datetime(headers["date"]) if "date" in headers else None,
        )

    async def ask_app(self) -> str:
        """Slack's error code for the app-level token, "" if Socket Mode can be opened with it."""
        try:
            await self._client().apps_connections_open(app_token=self.app_token)
        except (SlackApiError, ClientError, TimeoutError, OSError) as error:
            return _name(error)
        return ""

    async def ask_channels(self, channels: Sequence[str]) -> list[ChannelAnswer]:
        """What Slack knows of each channel, one question each (Slack allows 50 a minute)."""
        client = self._client()
        return [await _ask_channel(client, each) for each in channels]

    def _client(self) -> AsyncWebClient:
        return open_client(self.bot_token, self.base_url)


async def _ask_channel(client: AsyncWebClient, channel: str) -> ChannelAnswer:
    try:
        told = await client.conversations_info(channel=channel)
    except (SlackApiError, ClientError, TimeoutError, OSError) as error:
        return ChannelAnswer(channel, error=_name(error))
    found = dict(told.get("channel") or {})
    return ChannelAnswer(
        channel,
        name=str(found.get("name", "")),
        is_archived=bool(found.get("is_archived")),
        is_private=bool(found.get("is_private")),
        is_member=bool(found.get("is_member")),
    )


def _name(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return str(error.response.get("error", "unknown_error"))
    return f"{_UNREACHABLE}: {str(error) or type(error).__name__}"
