"""Outbox rows as Slack will see them: rendered as of now, with the place they go to. Owns how a row becomes a parcel or
a search, in the caller's transaction, and that nothing new is said where another organisation reads it; refuses to
speak to Slack and to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.slack.delivery_requests import Parcel, Search
from bot.slack.delivery_truth import is_past
from commands.blocks.channels import place_words
from commands.kit import context, message, section
from commands.slice import Message, Render
from rules.delivery.channels import is_person
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, find_post, find_posted
from storage.people.members import find_by_slack_id
from storage.people.workspaces import get_workspace
from words.reader import Reader


class SharedChannelError(Exception):
    """A post would go to a channel that another organisation reads."""


@dataclass(frozen=True)
class Drawing:
    """The renders within one transaction, which remembers who reads what. `shared`: channels that another organisation
    reads, of those that the rows to draw speak of.
    """

    tx: Tx
    renders: Mapping[str, Render]
    shared: frozenset[str] = frozenset()
    _readers: dict[str, Reader] = field(default_factory=dict)

    def draw(self, row: OutboxRow) -> Parcel | None:
        """The message of a row as of now; None when there is nothing (left) to say.

        Raises `SharedChannelError` for a post that may not go where it would.
        """
        posted = find_post(self.tx, row.kind, row.reference) if row.is_update else None
        if row.is_update and posted is None:
            return None
        if not row.is_update and is_past(self.tx, row):
            return None
        reader = self._reader(row.channel)
        return self._draw_post(row, reader) if posted is None else self._draw_update(row, posted, reader)

    def _draw_post(self, row: OutboxRow, reader: Reader) -> Parcel | None:
        channel, thread_ts = _find_thread(self.tx, row) or (row.channel, "")
        if channel in self.shared:
            raise SharedChannelError
        drawn = self._render(row, row.instead_of, reader)
        return Parcel(drawn, row.dedupe_key, channel, thread_ts=thread_ts) if drawn else None

    def _draw_update(self, row: OutboxRow, posted: OutboxRow, reader: Reader) -> Parcel | None:
        """The message anew; where another organisation reads it by now, what takes its place."""
        is_covered = posted.posted_channel in self.shared
        drawn = _cover(reader) if is_covered else self._render(row, posted.instead_of, reader)
        return Parcel(drawn, row.dedupe_key, posted.posted_channel, ts=posted.slack_ts) if drawn else None

    def _render(self, row: OutboxRow, meant: str, reader: Reader) -> Message | None:
        """The message; a fall-back says where it would stand if it could."""
        drawn = self.renders[row.kind](row.reference, self.tx, reader)
        if drawn is None or not meant:
            return drawn
        said = reader.say("Meant for {place}, where I cannot post.", place=place_words(meant))
        if meant in self.shared:
            said = reader.say("Meant for {place}, which another organisation reads.", place=place_words(meant))
        return replace(drawn, blocks=(*drawn.blocks, context(said)))

    def _reader(self, channel: str) -> Reader:
        """A person's own language and zone for a direct message, the workspace's for a channel."""
        name = channel if is_person(channel) else ""
        if name not in self._readers:
            member = find_by_slack_id(self.tx, name) if name else None
            home = member or get_workspace(self.tx)
            self._readers[name] = Reader(home.locale, member.local_zone if member else get_workspace(self.tx).zone)
        return self._readers[name]


def _cover(reader: Reader) -> Message:
    """What stands in the place of a message that another organisation would read."""
    said = reader.say("Milepost says nothing about customers here, because another organisation reads this channel.")
    return message(said, section(said))


def list_channels(rows: Iterable[OutboxRow]) -> set[str]:
    """The channels that the rows speak of."""
    return {channel for row in rows for channel in (row.channel, row.instead_of) if channel}


def make_search(tx: Tx, row: OutboxRow) -> Search:
    """Where to look for the message of a row."""
    channel, ts = _find_thread(tx, row) or (row.posted_channel or row.channel, "")
    return Search(row.dedupe_key, channel, row.first_tried_at or row.created_at, ts)


def _find_thread(tx: Tx, row: OutboxRow) -> tuple[str, str] | None:
    return find_posted(tx, row.thread_kind, row.thread_reference) if row.thread_kind else None
