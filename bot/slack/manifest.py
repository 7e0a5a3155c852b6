"""The app's manifest for Slack, made from the slices. Owns scopes, events, the HTTP path and the texts people see
when they install it; refuses to write files.

Source: Slack's reference of app manifests (version 2) and its JSON schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from commands.help import SLASH
from commands.kit import clip
from commands.slice import Slice

PATH = "/slack/events"
_HINT_LENGTH = 100
# What each scope is used for; nothing is asked that nothing uses.
SCOPES = {
    "channels:history": "look whether an uncertain post arrived",
    "channels:join": "post in the public channel that was picked",
    "channels:read": "name the channels that can be picked, and see which of them another organisation reads",
    "chat:write": "post alerts and answers",
    "chat:write.public": "post in public channels without joining them",
    "commands": "the slash command",
    "files:write": "put pictures into messages",
    "groups:history": "the same look in private channels",
    "groups:read": "the same for private channels the bot is in",
    "im:history": "the same look in direct messages",
    "im:read": "know the direct messages with the bot",
    "im:write": "open a direct message",
    "team:read": "the name of the workspace",
    "users:read": "names, time zones, languages and admins",
    "users:read.email": "match people with the owners of imported accounts",
}
EVENTS = ("app_home_opened", "app_uninstalled", "channel_shared", "channel_unshared", "tokens_revoked", "user_change")
_LONG_DESCRIPTION = (
    "Milepost keeps what each customer wants to achieve, in numbers, with dates and people on both sides. It watches "
    "product usage and targets, speaks up when something slips, says why, and asks who takes it. Alerts carry the "
    "factors behind them and buttons to take, snooze, assign or dismiss them. Log progress with one line: "
    "/cs log acme conversion 7.5%. Everything stays in your own database."
)

Manifest = dict[str, Any]


def build_manifest(slices: Sequence[Slice], *, is_socket_mode: bool = True, url: str = "") -> Manifest:
    """The manifest as a dict. `url` is the public address for HTTP, e.g. `https://milepost.example.com`.

    Raises `ValueError` when HTTP is wanted without a url.
    """
    if not is_socket_mode and not url.startswith("https://"):
        raise ValueError("HTTP needs a public https:// address")
    endpoint = {} if is_socket_mode else {"request_url": url.rstrip("/") + PATH}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Milepost",
            "description": "Customer journeys, targets and alerts you can trust",
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Milepost", "always_online": True},
            "slash_commands": [_build_command(slices, {} if is_socket_mode else {"url": endpoint["request_url"]})],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**endpoint, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **endpoint, **_options_url(endpoint)},
            "org_deploy_enabled": False,
            "socket_mode_enabled": is_socket_mode,
            "token_rotation_enabled": False,
        },
    }


def render_yaml(manifest: Manifest) -> str:
    """The manifest as YAML, in the order it was built."""
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=110)
    return f"# Made by `milepost manifest`; a test checks that it is current.\n{text}"


def _build_command(slices: Sequence[Slice], endpoint: dict[str, str]) -> dict[str, Any]:
    names = [command.name for each in slices for command in each.commands]
    return {
        "command": SLASH,
        "description": "Accounts, targets, health and alerts",
        "usage_hint": clip(" | ".join(names), _HINT_LENGTH),
        "should_escape": True,
        **endpoint,
    }


def _options_url(endpoint: dict[str, str]) -> dict[str, str]:
    return {"message_menu_options_url": endpoint["request_url"]} if endpoint else {}
