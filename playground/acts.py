"""What a person does in Slack outside views' forms: say something, run a command, open Home, join a channel.

Owns what such an act sends to apps and shows to the person; `acts_elements` and `acts_forms` own presses and forms.
"""

from __future__ import annotations

import asyncio
from typing import Any

from playground.core import Core
from playground.delivery import Ack, Parcel
from playground.errors import ActError, RefusalError
from playground.events import Events
from playground.feed import Change
from playground.manifest import App
from playground.model import Channel, Json, Message, User
from playground.payloads import build_command
from playground.responses import apply_response, read_response
from playground.triggers import ResponseUrl
from playground.views import show_view

SLACKBOT = "USLACKBOT"
MESSAGE_CHANGES = frozenset({"message", "message_changed", "message_deleted", "ephemeral", "ephemeral_changed"})


class Stage:
    """Where people act: finds people and places, shows notices, and tells what an act brought about."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.workspace = core.workspace

    def get_place(self, user: User, reference: str) -> Channel:
        """A conversation that the person can see: by id, #name, or a person's or bot's @handle or id.

        Raises:
            ActError: it does not exist, or the person cannot see it.
        """
        peer = self.workspace.find_user(reference) if reference.startswith(("@", "U", "W")) else None
        if peer is not None:
            return self.workspace.open_im(user.id, peer.id)
        channel = self.workspace.get_channel(reference)
        if not self.workspace.may_see(channel, user.id):
            raise ActError(f"{user.name} cannot see {reference!r}")
        return channel

    def notify(self, user: User, channel: Channel, text: str, thread_ts: str | None = None) -> None:
        """A notice of Slack itself, that only the person sees."""
        ts = self.workspace.ids.mint_ts()
        note = Message(channel=channel.id, ts=ts, user=SLACKBOT, text=text, thread_ts=thread_ts)
        note.ephemeral_to, note.is_notice = user.id, True
        self.workspace.add_ephemeral(note)
        self.workspace.feed.tell("notice", {"channel": channel.id, "text": text}, frozenset({user.id}))

    async def report(self, user: User, since: int, ack: Ack, wait_seconds: float = 0.0) -> Json:
        """What an act brought about, as the control API answers it.

        Args:
            user: who acted.
            since: the feed's number before the act.
            ack: the app's answer.
            wait_seconds: wait at most so long for the first change the person sees.
        """
        if wait_seconds:
            await self.wait_for_change(user, since, wait_seconds)
        changes = self.workspace.feed.list_since(since, user.id)
        messages = [{"change": one.kind, **one.data} for one in changes if one.kind in MESSAGE_CHANGES]
        views = [show_view(view) for view in self.core.shelf.list_seen_by(user.id)]
        body = {"ok": ack.is_ok, "ack": ack.body, "views": views, "messages": messages}
        return {**body, **({"error": ack.error} if ack.error else {})}

    async def wait_for_change(self, user: User, since: int, wait_seconds: float) -> None:
        """Return at the first change after `since` that this person sees, or when the time is over."""
        with self.workspace.feed.follow() as queue:
            if self.workspace.feed.list_since(since, user.id):
                return
            try:
                async with asyncio.timeout(wait_seconds):
                    await wait_until_seen(queue, user.id)
            except TimeoutError:
                return


async def wait_until_seen(queue: asyncio.Queue[Change], user_id: str) -> None:
    """Take changes until one is seen by the person."""
    while not (await queue.get()).is_seen_by(user_id):
        pass


class Acts:
    """The acts themselves."""

    def __init__(self, stage: Stage, events: Events) -> None:
        self.stage = stage
        self.core = stage.core
        self.workspace = stage.workspace
        self.events = events

    def say(self, user: User, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
        """Post a person's message; raises ActError for empty text, strangers and missing threads."""
        if not text.strip():
            raise ActError("a message needs text")
        if user.id not in channel.members:
            raise ActError(f"{user.name} is not in {channel.name or channel.id}; join first")
        if thread_ts and self.workspace.find_message(channel.id, thread_ts) is None:
            raise ActError(f"no message {thread_ts} to reply to")
        ts = self.workspace.ids.mint_ts()
        message = Message(channel=channel.id, ts=ts, user=user.id, text=text, thread_ts=thread_ts)
        return self.workspace.add_message(message)

    async def command(self, user: User, channel: Channel, typed: str, wait_seconds: float = 0.0) -> Json:
        """Run a slash command.

        Raises:
            ActError: no app has the command, or the person is a guest from another team.
        """
        command, _, text = typed.strip().partition(" ")
        app = self.find_app(command)
        if self.workspace.team_id_of(user) != self.workspace.team.id:
            raise ActError("people from other workspaces cannot run slash commands")
        since = self.workspace.feed.last_number
        payload = build_command(self.core, app, user, channel, (command, text.strip()))
        parcel = Parcel("commands", payload, accepts_response=True, command=command)
        ack = await self.core.send(app, parcel, command)
        ack = self.show_answer(app, user, channel, command, ack)
        return await self.stage.report(user, since, ack, wait_seconds)

    def find_app(self, command: str) -> App:
        """The app of a slash command; the newest one wins, as in Slack."""
        if not command.startswith("/"):
            raise ActError("a command starts with /")
        for app in reversed(self.workspace.list_apps()):
            if any(known.command == command for known in app.commands):
                return app
        raise ActError(f"{command} is not a valid command")

    def show_answer(self, app: App, user: User, channel: Channel, command: str, ack: Ack) -> Ack:
        """Show what an app answered to a command, or a notice that it failed."""
        permit = ResponseUrl("", app.app_id, user.id, channel.id, self.workspace.clock())
        try:
            ack.check()
            if ack.body not in (None, "", {}):
                apply_response(self.core, app, permit, read_response(ack.body))
        except RefusalError as refusal:
            self.stage.notify(user, channel, f'{command} failed with the error "{refusal.code}"')
            return Ack(ack.body, refusal.code)
        return ack

    def open_home(self, user: User, app: App) -> Json:
        """Open an app's Home tab; the app hears of it."""
        channel = self.workspace.open_im(app.bot_user_id, user.id)
        home = self.core.shelf.homes.get((app.app_id, user.id))
        event: dict[str, Any] = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home"}
        if home:
            event["view"] = home.to_slack()
        self.events.emit(app, event)
        return {"ok": True, "channel": channel.id, "view": show_view(home) if home else None}

    def join(self, user: User, channel: Channel) -> Json:
        """Join a public channel."""
        if channel.kind != "channel":
            raise ActError("only public channels can be joined")
        return {"ok": True, "joined": self.workspace.join(channel, user.id)}
