"""Builds the payloads of commands, interactions and events with Slack's fields.

Owns their shape; refuses to send them. Source: Slack's reference of interaction payloads, slash commands and
the Events API envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.core import Core
from playground.manifest import App
from playground.model import Channel, Json, Message, User, View


def build_command(core: Core, app: App, user: User, channel: Channel, typed: tuple[str, str]) -> Json:
    """A slash command; `typed` is (command, text)."""
    workspace = core.workspace
    key = core.permits.give_response_url(app.app_id, user.id, channel.id)
    return {
        "token": app.verification_token,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": channel.id,
        "channel_name": channel.command_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": typed[0],
        "text": typed[1],
        "api_app_id": app.app_id,
        "is_enterprise_install": "false",
        "response_url": f"{core.url}/commands/{key}",
        "trigger_id": core.permits.give_trigger(app.app_id, user.id),
    }


def build_interaction(core: Core, app: App, user: User, kind: str) -> Json:
    """What every interaction carries; `team` is the clicking person's."""
    team_id = core.workspace.team_id_of(user)
    own = core.workspace.team
    domain = own.domain if team_id == own.id else team_id.lower()
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team_id},
        "api_app_id": app.app_id,
        "token": app.verification_token,
        "team": {"id": team_id, "domain": domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def locate_in_message(core: Core, message: Message) -> Json:
    """Container, channel and message of an interaction; a note's content is not sent, as in Slack."""
    channel = core.workspace.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    place: Json = {"container": container, "channel": {"id": channel.id, "name": channel.command_name}}
    if message.ephemeral_to is None:
        place["message"] = core.workspace.show_message(message)
    return place


def locate_in_view(view: View) -> Json:
    """Container and view of an interaction."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.to_slack()}


def give_response_url(core: Core, app: App, user: User, message: Message) -> str:
    """A response URL for an interaction with a message."""
    key = core.permits.give_response_url(app.app_id, user.id, message.channel, message.ts, message.thread_ts)
    return f"{core.url}/actions/{key}"


def build_action(core: Core, block: Json, element: Json, picked: Mapping[str, Any]) -> Json:
    """One entry of `actions`."""
    action: Json = {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "type": element["type"],
        "action_ts": core.workspace.ids.mint_ts(),
        **picked,
    }
    optional = ("text", "style", "placeholder", "confirm")
    return action | {name: element[name] for name in optional if name in element}


def build_event(core: Core, app: App, event: Mapping[str, Any]) -> Json:
    """The Events API envelope of an inner event."""
    team_id = core.workspace.team.id
    authorization = {
        "enterprise_id": None,
        "team_id": team_id,
        "user_id": app.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    channel = core.workspace.channels.get(str(event.get("channel", "")))
    return {
        "token": app.verification_token,
        "team_id": team_id,
        "context_team_id": team_id,
        "context_enterprise_id": None,
        "api_app_id": app.app_id,
        "event": dict(event),
        "type": "event_callback",
        "event_id": core.workspace.ids.mint("Ev"),
        "event_time": int(core.workspace.clock()),
        "authorizations": [authorization],
        "is_ext_shared_channel": bool(channel and channel.is_ext_shared),
        "event_context": core.workspace.ids.mint("4-"),
    }
