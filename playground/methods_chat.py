"""chat.*: posting, changing and deleting messages."""

from __future__ import annotations

from typing import Any

from playground.errors import RefusalError
from playground.messages import check_content, refuse_empty
from playground.method import AnyMethod, Arguments, Call, Method
from playground.methods_files import check_pictures
from playground.model import Channel, Json, Message

UPDATE_TEXT_LIMIT = 4000


class Content(Arguments):
    """What all that say something take. `as_user`, `link_names` and `parse` are taken and change nothing."""

    channel: str
    text: str | None = None
    markdown_text: str | None = None
    blocks: Any = None
    attachments: Any = None
    as_user: bool | None = None
    link_names: bool | None = None
    parse: str | None = None


class PostMessage(Content):
    """Arguments of chat.postMessage."""

    thread_ts: str | None = None
    reply_broadcast: bool = False
    metadata: Any = None
    mrkdwn: bool | None = None
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None


class PostEphemeral(Content):
    """Arguments of chat.postEphemeral."""

    user: str
    thread_ts: str | None = None


class Update(Content):
    """Arguments of chat.update."""

    ts: str
    metadata: Any = None
    reply_broadcast: bool | None = None


class Delete(Arguments):
    """Arguments of chat.delete."""

    channel: str
    ts: str
    as_user: bool | None = None


class GetPermalink(Arguments):
    """Arguments of chat.getPermalink."""

    channel: str
    message_ts: str


def find_target(call: Call, reference: str) -> Channel:
    """Where a message may be posted: a channel, or the direct message with a person given by id.

    Raises:
        RefusalError: channel_not_found, not_in_channel, is_archived.
    """
    user = call.workspace.users.get(reference)
    if user is not None:
        if user.deleted or user.id == call.app.bot_user_id:
            raise RefusalError("channel_not_found")
        return call.workspace.open_im(call.app.bot_user_id, user.id)
    named = call.workspace.find_channel(reference)
    channel = call.get_channel(named.id if named else reference)
    may_post = call.is_member(channel) or "chat:write.public" in call.app.scopes
    if not may_post:
        raise RefusalError("not_in_channel")
    if channel.is_archived:
        raise RefusalError("is_archived")
    return channel


def check_thread(call: Call, channel: Channel, thread_ts: str | None) -> str | None:
    """The parent's ts for a reply; raises RefusalError `thread_not_found`."""
    if thread_ts is None:
        return None
    parent = call.workspace.find_message(channel.id, thread_ts)
    if parent is None:
        raise RefusalError("thread_not_found")
    return parent.thread_ts or parent.ts


def post_message(call: Call, args: PostMessage) -> Json:
    """Post into a channel, a thread or a direct message."""
    content = check_content(args.model_dump(exclude_none=True))
    refuse_empty(content)
    check_pictures(call, content.get("blocks", ()))
    channel = find_target(call, args.channel)
    thread_ts = check_thread(call, channel, args.thread_ts)
    message = call.workspace.new_app_message(
        call.app,
        channel,
        thread_ts=thread_ts,
        is_broadcast=args.reply_broadcast and thread_ts is not None,
        **content,
    )
    call.workspace.add_message(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.to_slack(has_metadata=True)}


def post_ephemeral(call: Call, args: PostEphemeral) -> Json:
    """Show a note to one member of a conversation."""
    content = check_content(args.model_dump(exclude_none=True))
    refuse_empty(content)
    check_pictures(call, content.get("blocks", ()))
    channel = call.get_joined_channel(args.channel)
    if args.user not in channel.members:
        raise RefusalError("user_not_in_channel")
    note = call.workspace.new_app_message(call.app, channel, thread_ts=args.thread_ts, **content)
    note.ephemeral_to = args.user
    call.workspace.add_ephemeral(note)
    return {"message_ts": note.ts}


def update(call: Call, args: Update) -> Json:
    """Change an own message. Blocks, attachments and metadata that are not given stay; an empty one is removed."""
    content = check_content(args.model_dump(exclude_none=True), UPDATE_TEXT_LIMIT)
    check_pictures(call, content.get("blocks", ()))
    message = get_own_message(call, args.channel, args.ts, "cant_update_message")
    if not any(key in content for key in ("text", "blocks", "attachments")):
        raise RefusalError("no_text")
    edited = {"user": call.app.bot_user_id, "ts": call.workspace.ids.mint_ts()}
    call.workspace.change_message(message, {**content, "edited": edited})
    shown = message.to_slack(has_metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call, args: Delete) -> Json:
    """Delete an own message."""
    message = get_own_message(call, args.channel, args.ts, "cant_delete_message")
    call.workspace.delete_message(message)
    return {"channel": message.channel, "ts": message.ts}


def get_own_message(call: Call, channel_id: str, ts: str, code: str) -> Message:
    """A message of this app; raises RefusalError channel_not_found, message_not_found or `code`."""
    channel = call.get_channel(channel_id)
    message = call.workspace.find_message(channel.id, ts)
    if message is None:
        raise RefusalError("message_not_found")
    if message.app_id != call.app.app_id:
        raise RefusalError(code)
    return message


def get_permalink(call: Call, args: GetPermalink) -> Json:
    """A link that the playground's page opens."""
    channel = call.get_channel(args.channel)
    message = call.workspace.find_message(channel.id, args.message_ts)
    if message is None:
        raise RefusalError("message_not_found")
    link = f"{call.core.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    in_thread = message.thread_ts and message.thread_ts != message.ts
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if in_thread else ""
    return {"channel": channel.id, "permalink": link + thread}


METHODS: dict[str, AnyMethod] = {
    "chat.postMessage": Method(PostMessage, post_message, "chat:write"),
    "chat.postEphemeral": Method(PostEphemeral, post_ephemeral, "chat:write"),
    "chat.update": Method(Update, update, "chat:write"),
    "chat.delete": Method(Delete, delete, "chat:write"),
    "chat.getPermalink": Method(GetPermalink, get_permalink),
}
