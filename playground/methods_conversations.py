"""conversations.*: finding, joining and reading conversations."""

from __future__ import annotations

from typing import Literal

from playground.errors import RefusalError
from playground.method import AnyMethod, Arguments, Call, Method, cut_page
from playground.model import Channel, Json, Message

TYPES = {"channel": "public_channel", "group": "private_channel", "im": "im"}
ALL_TYPES = frozenset({*TYPES.values(), "mpim"})
SCOPES = {"channel": "channels", "group": "groups", "im": "im"}
TYPE_SCOPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
PAGE_LIMIT = 999


class ConversationsList(Arguments):
    """Arguments of conversations.list; `types` is a comma-separated list."""

    cursor: str | None = None
    exclude_archived: bool = False
    limit: int = 100
    types: str = "public_channel"


class ConversationsInfo(Arguments):
    """Arguments of conversations.info."""

    channel: str
    include_locale: bool = False
    include_num_members: bool = False


class ConversationsMembers(Arguments):
    """Arguments of conversations.members."""

    channel: str
    cursor: str | None = None
    limit: int = 100


class ConversationsHistory(Arguments):
    """Arguments of conversations.history; `oldest` and `latest` are timestamps."""

    channel: str
    cursor: str | None = None
    inclusive: bool = False
    include_all_metadata: bool = False
    latest: str | None = None
    limit: int = 100
    oldest: str | None = None


class ConversationsReplies(ConversationsHistory):
    """Arguments of conversations.replies."""

    ts: str


class ConversationsOpen(Arguments):
    """Arguments of conversations.open; `users` is a comma-separated list."""

    channel: str | None = None
    users: str | None = None
    return_im: bool = False
    prevent_creation: bool = False


class ConversationsJoin(Arguments):
    """Arguments of conversations.join."""

    channel: str


def show_channel(call: Call, channel: Channel) -> Json:
    """A conversation object as the bot sees it."""
    return channel.to_slack(call.team_id, call.app.bot_user_id)


def list_conversations(call: Call, args: ConversationsList) -> Json:
    """Public channels, and private ones and direct messages that the bot is in."""
    types = [kind.strip() for kind in args.types.split(",")]
    if not set(types) <= ALL_TYPES:
        raise RefusalError("invalid_types")
    for kind in types:
        call.need_scope(f"{TYPE_SCOPES[kind]}:read")
    found = [
        channel
        for channel in call.workspace.channels.values()
        if TYPES[channel.kind] in types
        and (channel.kind == "channel" or call.is_member(channel))
        and not (args.exclude_archived and channel.is_archived)
    ]
    page, following = cut_page(found, args.cursor, args.limit, PAGE_LIMIT)
    return {"channels": [show_channel(call, channel) for channel in page], "response_metadata": following}


def conversations_info(call: Call, args: ConversationsInfo) -> Json:
    """One conversation."""
    channel = call.get_channel(args.channel)
    call.need_scope(f"{SCOPES[channel.kind]}:read")
    shown = show_channel(call, channel)
    if args.include_num_members:
        shown["num_members"] = len(channel.members)
    if args.include_locale:
        shown["locale"] = "en-US"
    return {"channel": shown}


def conversations_members(call: Call, args: ConversationsMembers) -> Json:
    """The members of a conversation, in pages."""
    channel = call.get_channel(args.channel)
    call.need_scope(f"{SCOPES[channel.kind]}:read")
    page, following = cut_page(channel.members, args.cursor, args.limit)
    return {"members": page, "response_metadata": following}


def conversations_history(call: Call, args: ConversationsHistory) -> Json:
    """What stands in a conversation, newest first."""
    channel = get_readable(call, args.channel)
    found = [one for one in call.workspace.list_channel(channel.id) if is_between(one, args)]
    page, following = cut_page(found[::-1], args.cursor, args.limit, PAGE_LIMIT)
    return {**show_page(call, page, following, args), "pin_count": 0}


def conversations_replies(call: Call, args: ConversationsReplies) -> Json:
    """A thread, oldest first; of a reply's ts only that reply."""
    channel = get_readable(call, args.channel)
    message = call.workspace.find_message(channel.id, args.ts)
    if message is None:
        raise RefusalError("thread_not_found")
    found = [one for one in call.workspace.list_thread(channel.id, args.ts) if is_between(one, args)]
    if message not in found:
        found.insert(0, message)
    page, following = cut_page(found, args.cursor, args.limit, PAGE_LIMIT)
    return show_page(call, page, following, args)


def get_readable(call: Call, reference: str) -> Channel:
    """A conversation whose messages the bot may read."""
    channel = call.get_channel(reference)
    call.need_scope(f"{SCOPES[channel.kind]}:history")
    return call.get_joined_channel(reference)


def is_between(message: Message, args: ConversationsHistory) -> bool:
    """Whether a message lies between `oldest` and `latest`."""
    ts, oldest, latest = float(message.ts), read_ts(args.oldest, "oldest"), read_ts(args.latest, "latest")
    return (oldest <= ts <= latest) if args.inclusive else (oldest < ts < latest)


def read_ts(text: str | None, side: Literal["oldest", "latest"]) -> float:
    """A boundary, open when not given; raises RefusalError `invalid_ts_oldest` or `invalid_ts_latest`."""
    if not text:
        return 0.0 if side == "oldest" else float("inf")
    try:
        return float(text)
    except ValueError as error:
        raise RefusalError(f"invalid_ts_{side}") from error


def show_page(call: Call, page: list[Message], following: Json, args: ConversationsHistory) -> Json:
    """Messages with the fields every page has."""
    has_metadata = args.include_all_metadata
    shown = [call.workspace.show_message(one, has_metadata=has_metadata) for one in page]
    has_more = bool(following["next_cursor"])
    return {"messages": shown, "has_more": has_more, **({"response_metadata": following} if has_more else {})}


def conversations_open(call: Call, args: ConversationsOpen) -> Json:
    """Open the direct message with one person; group messages are not supported here."""
    if args.channel:
        channel = call.get_channel(args.channel)
        return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    users = [user for user in (args.users or "").split(",") if user]
    if not users:
        raise RefusalError("users_list_not_supplied")
    if len(users) > 1:
        raise RefusalError("too_many_users", ["[ERROR] the playground opens no group messages"])
    user = call.workspace.users.get(users[0])
    if user is None or user.deleted:
        raise RefusalError("user_not_found")
    if user.is_bot:
        raise RefusalError("cannot_dm_bot")
    known = set(call.workspace.channels)
    channel = call.workspace.open_im(call.app.bot_user_id, user.id)
    shown = show_channel(call, channel) if args.return_im else {"id": channel.id}
    return {"channel": shown, **({"no_op": True, "already_open": True} if channel.id in known else {})}


def conversations_join(call: Call, args: ConversationsJoin) -> Json:
    """Let the bot join a public channel."""
    channel = call.get_channel(args.channel)
    if channel.kind != "channel":
        raise RefusalError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise RefusalError("is_archived")
    is_new = call.workspace.join(channel, call.app.bot_user_id)
    answer: Json = {"channel": show_channel(call, channel)}
    warning = "already_in_channel"
    if not is_new:
        answer |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return answer


METHODS: dict[str, AnyMethod] = {
    "conversations.list": Method(ConversationsList, list_conversations),
    "conversations.info": Method(ConversationsInfo, conversations_info),
    "conversations.members": Method(ConversationsMembers, conversations_members),
    "conversations.history": Method(ConversationsHistory, conversations_history),
    "conversations.replies": Method(ConversationsReplies, conversations_replies),
    "conversations.open": Method(ConversationsOpen, conversations_open, "im:write"),
    "conversations.join": Method(ConversationsJoin, conversations_join, "channels:join"),
}
