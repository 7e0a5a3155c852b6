"""The workspace in memory: people, channels, messages, read marks.

Owns look-ups and every change of these, each told to the feed; refuses to know the Web API, scopes or apps' rights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.errors import ActError
from playground.feed import Feed
from playground.ids import Ids
from playground.manifest import App
from playground.model import Channel, Json, Message, User
from playground.seed import Seed


class Workspace:
    """All that a throwaway Slack remembers. `clock` returns seconds since the epoch."""

    def __init__(self, seed: Seed, clock: Callable[[], float]) -> None:
        start = seed.model_copy(deep=True)
        self.team = start.team
        self.clock = clock
        self.ids = Ids(clock)
        self.feed = Feed()
        self.users = {user.id: user for user in start.users}
        self.channels = {channel.id: channel for channel in start.channels}
        self.apps: dict[str, App] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.threads: dict[tuple[str, str], list[Message]] = {}
        self.ephemerals: dict[str, Message] = {}
        self.read_marks: dict[tuple[str, str], str] = {}

    # -- people ---------------------------------------------------------------

    def find_user(self, reference: str) -> User | None:
        """A person by id or handle (with or without @)."""
        handle = reference.removeprefix("@")
        by_handle = (user for user in self.users.values() if user.name == handle)
        return self.users.get(reference) or next(by_handle, None)

    def get_user(self, reference: str) -> User:
        """A person by id or handle; raises ActError."""
        user = self.find_user(reference)
        if user is None:
            raise ActError(f"no user {reference!r}")
        return user

    def change_user(self, user_id: str, changes: dict[str, Any]) -> User:
        """Change fields of a person's record and tell it.

        Raises:
            pydantic.ValidationError: an unknown field or a bad value.
        """
        user = User.model_validate({**self.users[user_id].model_dump(), **changes})
        self.users[user_id] = user
        self.feed.tell("user_changed", {"user": user_id})
        return user

    def team_id_of(self, user: User) -> str:
        """The team a person belongs to; another one for guests of shared channels."""
        return user.team_id or self.team.id

    # -- channels -------------------------------------------------------------

    def find_channel(self, reference: str) -> Channel | None:
        """A conversation by id, or a channel by #name or name."""
        name = reference.removeprefix("#")
        by_name = (one for one in self.channels.values() if one.name == name and not one.is_im)
        return self.channels.get(reference) or next(by_name, None)

    def get_channel(self, reference: str) -> Channel:
        """A conversation by id or #name; raises ActError."""
        channel = self.find_channel(reference)
        if channel is None:
            raise ActError(f"no channel {reference!r}")
        return channel

    def open_im(self, first: str, second: str) -> Channel:
        """The direct message between two people (or a person and a bot), made when new."""
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == {first, second}:
                return channel
        channel = Channel(id=self.ids.mint("D"), name="", is_im=True, members=[first, second])
        channel.created = int(self.clock())
        self.channels[channel.id] = channel
        self.feed.tell("channel", {"channel": channel.id}, self.watchers(channel))
        return channel

    def join(self, channel: Channel, user_id: str) -> bool:
        """Make a user a member; False when already one."""
        if user_id in channel.members:
            return False
        channel.members.append(user_id)
        self.feed.tell("channel", {"channel": channel.id, "joined": user_id}, self.watchers(channel))
        return True

    def share(self, channel: Channel, sharing: str) -> None:
        """Share a channel with another organisation ("shared"), invite it ("pending"), or end both ("none"); told when
        the other side came or went.
        """
        was_shared = channel.is_ext_shared
        channel.is_ext_shared, channel.is_pending_ext_shared = sharing == "shared", sharing == "pending"
        if channel.is_ext_shared != was_shared:
            data = {"channel": channel.id, "is_ext_shared": channel.is_ext_shared}
            self.feed.tell("channel", data, self.watchers(channel))

    def watchers(self, channel: Channel) -> frozenset[str] | None:
        """Who sees what happens in a channel; None (everybody) for public ones."""
        return frozenset(channel.members) if channel.is_im or channel.is_private else None

    def may_see(self, channel: Channel, user_id: str) -> bool:
        """Whether a person can look into a channel."""
        watchers = self.watchers(channel)
        return watchers is None or user_id in watchers

    # -- messages -------------------------------------------------------------

    def add_message(self, message: Message) -> Message:
        """Store a new message and tell it."""
        self.messages.setdefault(message.channel, {})[message.ts] = message
        if message.thread_ts not in {None, message.ts}:
            self.threads.setdefault((message.channel, str(message.thread_ts)), []).append(message)
        self.read_marks[message.user, message.channel] = message.ts
        self.tell_message("message", message)
        return message

    def add_ephemeral(self, message: Message) -> Message:
        """Store a note that only `ephemeral_to` sees and tell it."""
        self.ephemerals[message.ts] = message
        self.tell_message("ephemeral", message)
        return message

    def change_message(self, message: Message, changes: dict[str, Any]) -> Message:
        """Change fields of a message (or note) and tell it, with what it was before."""
        before = message.to_slack()
        for name, value in changes.items():
            setattr(message, name, value)
        kind = "ephemeral_changed" if message.ephemeral_to else "message_changed"
        self.tell_message(kind, message, before)
        return message

    def delete_message(self, message: Message) -> None:
        """Remove a message or note and tell it."""
        if message.ephemeral_to:
            self.ephemerals.pop(message.ts, None)
        else:
            self.messages[message.channel].pop(message.ts, None)
            replies = self.threads.get((message.channel, message.thread_ts or ""), [])
            if message in replies:
                replies.remove(message)
        self.tell_message("message_deleted", message, message.to_slack())

    def tell_message(self, kind: str, message: Message, before: Json | None = None) -> None:
        """Tell the feed about a message."""
        data: Json = {"channel": message.channel, "ts": message.ts, "message": self.show_message(message)}
        if before:
            data["previous_message"] = before
        only = frozenset({message.ephemeral_to}) if message.ephemeral_to else None
        self.feed.tell(kind, data, only or self.watchers(self.channels[message.channel]))

    def find_message(self, channel_id: str, ts: str) -> Message | None:
        """A message of a channel by its timestamp; notes are not found here."""
        return self.messages.get(channel_id, {}).get(ts)

    def list_thread(self, channel_id: str, thread_ts: str) -> list[Message]:
        """The parent, if it still stands, and its replies, oldest first."""
        parent = self.find_message(channel_id, thread_ts)
        return [*([parent] if parent else []), *self.threads.get((channel_id, thread_ts), [])]

    def list_channel(self, channel_id: str) -> list[Message]:
        """What stands in the channel itself, oldest first."""
        return [one for one in self.messages.get(channel_id, {}).values() if one.is_in_channel]

    def list_notes(self, channel_id: str, user_id: str) -> list[Message]:
        """The ephemeral notes that a person has in a channel, oldest first."""
        notes = self.ephemerals.values()
        return [one for one in notes if one.channel == channel_id and one.ephemeral_to == user_id]

    def show_message(self, message: Message, *, has_metadata: bool = False) -> Json:
        """A message object, with its thread's figures when it is a parent."""
        body = message.to_slack(has_metadata=has_metadata)
        if message.ephemeral_to:
            return {**body, "ephemeral": True, **({"notice": True} if message.is_notice else {})}
        replies = self.threads.get((message.channel, message.ts))
        if not replies:
            return body
        writers = list(dict.fromkeys(reply.user for reply in replies))
        figures = {"reply_count": len(replies), "reply_users": writers, "reply_users_count": len(writers)}
        return {**body, "thread_ts": message.ts, **figures, "latest_reply": replies[-1].ts}

    # -- apps -----------------------------------------------------------------

    def new_app_message(self, app: App, channel: Channel, **fields: Any) -> Message:
        """A message by an app's bot, not yet stored."""
        profile = app.profile(self.team.id)
        return Message(channel=channel.id, ts=self.ids.mint_ts(), user=app.bot_user_id, bot_profile=profile, **fields)

    def list_apps(self) -> list[App]:
        """The installed apps."""
        return [app for app in self.apps.values() if app.is_active]
