"""Reads a version 2 app manifest into an installed app.

Owns which parts of a manifest matter here and the tokens made for it; refuses to deliver anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.errors import ManifestError
from playground.ids import Ids
from playground.model import Json

APP_NAME_LIMIT = 35
COMMANDS_LIMIT = 50


@dataclass(frozen=True)
class Command:
    """A slash command of an app, with its leading slash; `url` only in HTTP mode."""

    command: str
    description: str = ""
    usage_hint: str = ""
    url: str | None = None


@dataclass
class App:
    """An app as installed in the workspace. Scopes and events are names as in the manifest.

    `dead_tokens` holds tokens that worked once, with the error code they are refused with now.
    """

    app_id: str
    name: str
    display_name: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str
    installer: str
    is_socket_mode: bool
    has_home: bool
    scopes: frozenset[str]
    events: frozenset[str]
    commands: list[Command]
    urls: dict[str, str] = field(default_factory=dict)
    is_active: bool = True
    dead_tokens: dict[str, str] = field(default_factory=dict)

    def url_for(self, kind: str, command: str | None = None) -> str | None:
        """Where HTTP payloads of `kind` (events, commands, interactivity, options) go."""
        for known in self.commands:
            if command and known.command == command and known.url:
                return known.url
        if kind == "options":
            return self.urls.get("options") or self.urls.get("interactivity")
        return self.urls.get(kind)

    def profile(self, team_id: str) -> Json:
        """The `bot_profile` that its messages carry."""
        return {
            "id": self.bot_id,
            "app_id": self.app_id,
            "name": self.display_name,
            "team_id": team_id,
            "deleted": False,
            "updated": 0,
            "icons": {},
        }


def read_manifest(manifest: Mapping[str, Any], installer: str, ids: Ids) -> App:
    """Make an app of a manifest.

    Raises:
        ManifestError: a part is missing, has another shape, or is over Slack's limits.
    """
    name = text_at(manifest, "display_information", "name")
    if not name or len(name) > APP_NAME_LIMIT:
        raise ManifestError(f"display_information.name must have 1 to {APP_NAME_LIMIT} characters")
    events = mapping_at(manifest, "settings", "event_subscriptions")
    return App(
        app_id=ids.mint("A"),
        name=name,
        display_name=text_at(manifest, "features", "bot_user", "display_name") or name,
        bot_user_id=ids.mint("U"),
        bot_id=ids.mint("B"),
        bot_token=mint_bot_token(),
        app_token=f"xapp-1-{secrets.token_hex(5).upper()}-{secrets.token_hex(32)}",
        signing_secret=secrets.token_hex(16),
        verification_token=secrets.token_urlsafe(18),
        installer=installer,
        is_socket_mode=bool(mapping_at(manifest, "settings").get("socket_mode_enabled", False)),
        has_home=bool(mapping_at(manifest, "features", "app_home").get("home_tab_enabled", False)),
        scopes=frozenset(mapping_at(manifest, "oauth_config", "scopes").get("bot") or []),
        events=frozenset(events.get("bot_events") or []),
        commands=read_commands(mapping_at(manifest, "features").get("slash_commands") or []),
        urls=read_urls(manifest),
    )


def mint_bot_token() -> str:
    """A token that nobody could guess."""
    return f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_urlsafe(18)}"


def read_commands(entries: list[Mapping[str, Any]]) -> list[Command]:
    """The slash commands of `features.slash_commands`."""
    if len(entries) > COMMANDS_LIMIT:
        raise ManifestError(f"features.slash_commands: at most {COMMANDS_LIMIT}")
    commands = [
        Command(
            command=str(entry.get("command", "")),
            description=str(entry.get("description", "")),
            usage_hint=str(entry.get("usage_hint", "")),
            url=entry.get("url"),
        )
        for entry in entries
    ]
    for command in commands:
        if not command.command.startswith("/") or not command.description:
            raise ManifestError("features.slash_commands: each needs a /command and a description")
    return commands


def read_urls(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The request URLs of HTTP mode that the manifest names."""
    interactivity = mapping_at(manifest, "settings", "interactivity")
    found = {
        "events": mapping_at(manifest, "settings", "event_subscriptions").get("request_url"),
        "interactivity": interactivity.get("request_url"),
        "options": interactivity.get("message_menu_options_url"),
    }
    return {kind: str(url) for kind, url in found.items() if url}


def mapping_at(manifest: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object at a path of the manifest, empty when absent."""
    here = manifest
    for step in path:
        inner = here.get(step) or {}
        if not isinstance(inner, Mapping):
            raise ManifestError(f"{'.'.join(path)}: an object is expected at {step}")
        here = inner
    return here


def text_at(manifest: Mapping[str, Any], *path: str) -> str:
    """The text at a path of the manifest, empty when absent."""
    value = mapping_at(manifest, *path[:-1]).get(path[-1]) or ""
    if not isinstance(value, str):
        raise ManifestError(f"{'.'.join(path)}: text is expected")
    return value
