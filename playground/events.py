"""Turns changes of the workspace into events for the apps that subscribed, with Slack's retries.

Owns which app hears of what; refuses to change the workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from playground.core import Core
from playground.delivery import Parcel, Retry
from playground.feed import Change
from playground.manifest import App
from playground.model import Json
from playground.payloads import build_event

SUBSCRIPTIONS = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}
RETRY_REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "connection_failed"}
OTHER_TEAM = "T0000OTHER1"
"""The organisation that channels are shared with."""
MESSAGE_KINDS = frozenset({"message", "message_changed", "message_deleted"})


class Events:
    """Listens to the feed and sends events."""

    def __init__(self, core: Core) -> None:
        self.core = core
        core.workspace.feed.listeners.append(self.hear)

    def hear(self, change: Change) -> None:
        """Send the events of one change."""
        for app in self.core.workspace.list_apps():
            for event in self.list_events(app, change):
                self.emit(app, event)

    def list_events(self, app: App, change: Change) -> Iterator[Json]:
        """The events of a change that this app may hear."""
        if change.kind in MESSAGE_KINDS:
            yield from self.list_message_events(app, change)
        elif change.kind == "channel" and "joined" in change.data:
            yield from self.list_join_events(app, change.data)
        elif change.kind == "channel" and "is_ext_shared" in change.data:
            yield from self.list_share_events(app, change.data)
        elif change.kind == "user_changed":
            workspace = self.core.workspace
            user = workspace.users[change.data["user"]]
            has_email = "users:read.email" in app.scopes
            shown = user.to_slack(workspace.team.id, workspace.clock(), has_email=has_email, has_locale=True)
            yield {"type": "user_change", "user": shown, "cache_ts": int(workspace.clock())}

    def list_message_events(self, app: App, change: Change) -> Iterator[Json]:
        """message.* and app_mention, in conversations the bot is in."""
        channel = self.core.workspace.channels[change.data["channel"]]
        if app.bot_user_id not in channel.members or (channel.is_im and "ephemeral" in change.data["message"]):
            return
        if "ephemeral" in change.data["message"]:
            return
        if SUBSCRIPTIONS[channel.kind] in app.events:
            yield frame_message(change, channel.id, channel.kind)
        is_mention = f"<@{app.bot_user_id}>" in change.data["message"]["text"]
        if change.kind == "message" and is_mention and not channel.is_im:
            yield {**change.data["message"], "type": "app_mention", "channel": channel.id}

    def list_join_events(self, app: App, data: Json) -> Iterator[Json]:
        """member_joined_channel, in channels the bot is in."""
        workspace = self.core.workspace
        channel = workspace.channels[data["channel"]]
        if app.bot_user_id in channel.members and not channel.is_im:
            kind = "G" if channel.is_private else "C"
            joined = {"user": data["joined"], "channel": channel.id, "channel_type": kind}
            yield {"type": "member_joined_channel", **joined, "team": workspace.team.id}

    def list_share_events(self, app: App, data: Json) -> Iterator[Json]:
        """channel_shared and channel_unshared, in channels the bot can see."""
        if not self.core.workspace.may_see(self.core.workspace.channels[data["channel"]], app.bot_user_id):
            return
        if data["is_ext_shared"]:
            yield {"type": "channel_shared", "channel": data["channel"], "connected_team_id": OTHER_TEAM}
        else:
            left = {"previously_connected_team_id": OTHER_TEAM, "is_ext_shared": False}
            yield {"type": "channel_unshared", "channel": data["channel"], **left}

    def emit(self, app: App, event: Json) -> None:
        """Send an event in the background if the app subscribed to it."""
        if not is_subscribed(app, event):
            return
        stamped = {**event, "event_ts": event.get("ts") or self.core.workspace.ids.mint_ts()}
        payload = build_event(self.core, app, stamped)
        self.core.start_task(self.deliver(app, payload))

    async def deliver(self, app: App, payload: Json) -> None:
        """Send an event until it is acknowledged, forbidden to retry, or the retries are used up."""
        name = payload["event"]["type"]
        ack = await self.core.send(app, Parcel("events", payload, accepts_response=False), name)
        for number, delay in enumerate(self.core.retry_delays, start=1):
            if ack.is_ok or ack.is_final:
                return
            await asyncio.sleep(delay)
            retry = Retry(number, RETRY_REASONS.get(ack.error or "", "http_error"))
            parcel = Parcel("events", payload, accepts_response=False, retry=retry)
            ack = await self.core.send(app, parcel, name)


def is_subscribed(app: App, event: Json) -> bool:
    """Whether the manifest asks for the event; message.* was decided with the channel at hand."""
    return event["type"] == "message" or event["type"] in app.events


def frame_message(change: Change, channel_id: str, channel_type: str) -> Json:
    """The inner event of a message, a change of one, or its removal."""
    message = change.data["message"]
    place = {"channel": channel_id, "channel_type": channel_type}
    if change.kind == "message":
        return {**message, **place}
    hidden = {"type": "message", "subtype": change.kind, "hidden": True, **place}
    previous = {"previous_message": change.data["previous_message"]}
    if change.kind == "message_deleted":
        return {**hidden, **previous, "deleted_ts": message["ts"]}
    return {**hidden, **previous, "message": message}
