"""Outbox rows as Slack will see them: rendered as of now, with the place they go to. Owns how a row becomes a parcel or
a search, in the caller's transaction; refuses to speak to Slack and to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.slack.delivery_requests import Parcel, Search
from bot.slack.delivery_truth import is_past
from commands.delivery.places import place_words
from commands.kit import context
from commands.slice import Message, Render
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, find_post, find_posted
from storage.people.members import find_by_slack_id
from storage.people.workspaces import get_workspace
from words.reader import Reader


@dataclass(frozen=True)
class Drawing:
    """The renders within one transaction, which remembers who reads what."""

    tx: Tx
    renders: Mapping[str, Render]
    _readers: dict[str, Reader] = field(default_factory=dict)

    def draw(self, row: OutboxRow) -> Parcel | None:
        """The message of a row as of now; None when there is nothing (left) to say."""
        posted = find_post(self.tx, row.kind, row.reference) if row.is_update else None
        if row.is_update and posted is None:
            return None
        if not row.is_update and is_past(self.tx, row):
            return None
        reader = self._reader(row.channel)
        message = self.renders[row.kind](row.reference, self.tx, reader)
        if message is None:
            return None
        message = _tell_meant(message, (posted or row).instead_of, reader)
        if posted is not None:
            return Parcel(message, row.dedupe_key, posted.posted_channel, ts=posted.slack_ts)
        channel, thread_ts = _find_thread(self.tx, row) or (row.channel, "")
        return Parcel(message, row.dedupe_key, channel, thread_ts=thread_ts)

    def _reader(self, channel: str) -> Reader:
        """A person's own language and zone for a direct message, the workspace's for a channel."""
        name = channel if channel[:1] in {"U", "W"} else ""
        if name not in self._readers:
            member = find_by_slack_id(self.tx, name) if name else None
            home = member or get_workspace(self.tx)
            self._readers[name] = Reader(home.locale, member.local_zone if member else get_workspace(self.tx).zone)
        return self._readers[name]


def _tell_meant(message: Message, channel: str, reader: Reader) -> Message:
    """A fall-back says where it would stand if it could."""
    if not channel:
        return message
    said = reader.say("Meant for {place}, where I cannot post.", place=place_words(channel))
    return replace(message, blocks=(*message.blocks, context(said)))


def make_search(tx: Tx, row: OutboxRow) -> Search:
    """Where to look for the message of a row."""
    channel, ts = _find_thread(tx, row) or (row.posted_channel or row.channel, "")
    return Search(row.dedupe_key, channel, row.first_tried_at or row.created_at, ts)


def _find_thread(tx: Tx, row: OutboxRow) -> tuple[str, str] | None:
    return find_posted(tx, row.thread_kind, row.thread_reference) if row.thread_kind else None
