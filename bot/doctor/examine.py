"""All checks in their order: settings, database, Slack, what is set up, what is under way. Owns the order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bot.clocks import Clocks
from bot.doctor.findings import Finding, fail, is_broken, ok
from bot.doctor.slack import judge_app, judge_bot, judge_channels, judge_clock, judge_scopes
from bot.doctor.workspace import check_database, check_setup, check_work
from bot.settings import Settings
from bot.slack.probe import SlackProbe
from storage.db import Database
from storage.health.portfolio import list_channels
from storage.people.workspaces import find_by_team, get_workspace
from storage.revision import HEAD, current_revision

_MOST_CHANNELS = 40
"""Slack answers 50 such questions a minute."""


async def examine(settings: Settings, database: Database, clocks: Clocks) -> list[Finding]:
    """Everything that can be found out; later checks are left out where they need what failed."""
    about_data = await asyncio.to_thread(lambda: list(check_database(database)))
    found = [*check_settings(settings), *about_data]
    is_readable = not is_broken(about_data) and current_revision(database) == HEAD
    if not settings.slack_bot_token.get_secret_value():
        return found
    probe = SlackProbe(
        settings.slack_bot_token.get_secret_value(),
        settings.slack_app_token.get_secret_value(),
        settings.slack_api_url,
    )
    bot = await probe.ask_bot()
    found += [judge_bot(bot), *judge_scopes(bot), *judge_clock(bot, clocks.wall())]
    if settings.is_socket_mode and not bot.error:
        found.append(judge_app(await probe.ask_app()))
    if is_readable and bot.team_id:
        found += await _examine_workspace(database, probe, bot.team_id, clocks)
    return found


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Whether the settings that are needed are there, and look like what they are."""
    bot, app = settings.slack_bot_token.get_secret_value(), settings.slack_app_token.get_secret_value()
    if not bot:
        to_do = "Create the app from manifest.yml at api.slack.com/apps, install it, set MILEPOST_SLACK_BOT_TOKEN."
        yield fail("settings", "there is no bot token", to_do)
    elif not bot.startswith("xoxb-"):
        yield fail("settings", "the bot token does not begin with xoxb-", "Copy the Bot User OAuth Token.")
    if app and not app.startswith("xapp-"):
        yield fail("settings", "the app token does not begin with xapp-", "Copy the token under App-Level Tokens.")
    if not app and not settings.signing_secrets:
        to_do = "Set MILEPOST_SLACK_APP_TOKEN (xapp-…), or MILEPOST_SLACK_SIGNING_SECRET to serve HTTP."
        yield fail("settings", "neither an app token nor a signing secret", to_do)
    elif not app:
        yield ok("settings", f"serving HTTP on {settings.http_host}:{settings.http_port}")


async def _examine_workspace(database: Database, probe: SlackProbe, team_id: str, clocks: Clocks) -> list[Finding]:
    def look() -> tuple[list[Finding], list[str]]:
        with database.read() as session:
            row = find_by_team(session, team_id)
        if row is None:
            return [ok("workspace", "not connected before: milepost run will set it up")], []
        with database.reading(row.id) as tx:
            team = get_workspace(tx).team_channel_id
            channels = [*([team] if team else []), *list_channels(tx, _MOST_CHANNELS)]
            return [*check_setup(tx), *check_work(tx, clocks.business())], list(dict.fromkeys(channels))

    found, channels = await asyncio.to_thread(look)
    return [*found, *judge_channels(await probe.ask_channels(channels[:_MOST_CHANNELS]))]
