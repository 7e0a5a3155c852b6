"""The installation the bot speaks for: whose token, which team. Owns who is one of ours and Bolt's authorize."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import ClientError
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import SlackSetupError
from storage.db import Database
from storage.people.connections import connect_team


@dataclass(frozen=True)
class Installation:
    """One team (or org, then `team_id` is the org's) that installed the app. `workspace_id` is ours."""

    workspace_id: str
    team_id: str
    bot_token: str = field(repr=False)
    team_name: str = ""
    enterprise_id: str = ""
    bot_user_id: str = ""
    bot_id: str = ""
    is_org: bool = False

    def is_ours(self, team_id: str, enterprise_id: str) -> bool:
        """Whether a person of that team may be served. In a shared channel people of other teams can click,
        even people of another workspace of the same org; what names no team comes from our own.
        """
        if self.is_org:
            return enterprise_id in {"", self.enterprise_id} and bool(enterprise_id or team_id in {"", self.team_id})
        return team_id in {"", self.team_id}


def build_authorize(installation: Installation) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Bolt's `authorize`: always the one installation, without asking Slack on each request.

    Payloads of clickers from other teams are let through; the edge refuses them in words.
    """
    result = AuthorizeResult(
        enterprise_id=installation.enterprise_id or None,
        team_id=installation.team_id,
        bot_user_id=installation.bot_user_id,
        bot_id=installation.bot_id,
        bot_token=installation.bot_token,
    )

    async def authorize() -> AuthorizeResult:
        return result

    return authorize


async def connect_workspace(database: Database, bot_token: str, base_url: str, now: datetime) -> Installation:
    """Ask Slack whose token this is and adopt that team. `now` is business time.

    Raises `SlackSetupError`, in plain words, when the token does not work or Slack cannot be reached.
    """
    client = AsyncWebClient(token=bot_token, base_url=base_url, timeout=10)
    try:
        told = await client.auth_test()
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
        raise SlackSetupError(
            "Slack refuses the bot token ({code}). Copy the Bot User OAuth Token of the app (xoxb-…) again.", code=code
        ) from error
    except (ClientError, TimeoutError, OSError) as error:
        raise SlackSetupError(
            "Slack cannot be reached at {url}: {reason}.", url=base_url, reason=str(error) or type(error).__name__
        ) from error
    return await asyncio.to_thread(_adopt, database, bot_token, told, now)


def _adopt(database: Database, bot_token: str, told: AsyncSlackResponse, now: datetime) -> Installation:
    team_id = str(told.get("team_id", ""))
    with database.write() as session:
        row = connect_team(session, team_id, str(told.get("team", "")), str(told.get("user_id", "")), now)
    return Installation(
        workspace_id=row.id,
        team_id=team_id,
        bot_token=bot_token,
        team_name=row.name,
        enterprise_id=str(told.get("enterprise_id") or ""),
        bot_user_id=row.bot_user_id,
        bot_id=str(told.get("bot_id") or ""),
        is_org=bool(told.get("is_enterprise_install")),
    )
