"""What arrived where, and at which business minute: the local Slack's messages beside the outbox rows they came from.

Slack's own timestamps are wall time; the business minute is the row's. Answers to a click or a command (whispers) are
no posts and stand in no outbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from playground.model import Message
from playground.state import Workspace
from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.delivery.schedules import ScheduleRunRow

Json = dict[str, Any]
WAITING = ("queued", "sending", "uncertain")


@dataclass(frozen=True)
class Post:
    """One delivered outbox row. `at`: business time at which it was due (UTC); `channel`: Slack's conversation;
    `to`: that channel, or the person (Slack id) of a direct message. `text` and `blocks` are what stands there now, so
    an update and its post show the same.
    """

    kind: str
    reference: str
    key: str
    at: datetime
    channel: str
    to: str
    ts: str
    thread_ts: str
    text: str
    blocks: Sequence[Json]
    is_update: bool

    @property
    def message(self) -> Json:
        """As the control API shows a message, for `find_button` and `said`."""
        return {"channel": self.channel, "ts": self.ts, "text": self.text, "blocks": list(self.blocks)}


def is_idle(tx: Tx) -> bool:
    """Whether every run is finished and nothing waits for delivery."""
    rows = tx.session.exec(select(func.count()).select_from(OutboxRow).where(col(OutboxRow.state).in_(WAITING))).one()
    unfinished = select(func.count()).select_from(ScheduleRunRow).where(col(ScheduleRunRow.finished_at).is_(None))
    return rows == 0 and tx.session.exec(unfinished).one() == 0


def list_rows_between(tx: Tx, since: datetime, until: datetime) -> list[OutboxRow]:
    """The outbox rows due from `since` to before `until` (business time), in order."""
    query = select(OutboxRow).where(
        OutboxRow.workspace_id == tx.workspace_id, OutboxRow.created_at >= since, OutboxRow.created_at < until
    )
    return list(tx.session.exec(query.order_by(col(OutboxRow.created_at), col(OutboxRow.seq))))


def join_posts(workspace: Workspace, rows: Iterable[OutboxRow]) -> list[Post]:
    """The messages of these rows. Raises `AssertionError` for a message that stands twice, and for a row that was given
    up or says that it was posted where nothing stands.
    """
    known = list(rows)
    found = _by_key(workspace)
    lost = [f"{row.kind} {row.reference}: {row.error}" for row in known if row.state == "dead"]
    assert not lost, lost
    sent = [row for row in known if row.state == "sent"]
    missing = [row.dedupe_key for row in sent if not row.is_update and row.dedupe_key not in found]
    assert not missing, f"said to be posted, but nowhere in Slack: {missing}"
    return [post for row in sent if (post := _join(workspace, row, found)) is not None]


def _by_key(workspace: Workspace) -> dict[str, Message]:
    """The bot's messages by their key."""
    messages = [each for channel in workspace.messages.values() for each in channel.values()]
    keyed = [(each.metadata["event_payload"]["key"], each) for each in messages if each.metadata]
    twice = [key for key, count in Counter(key for key, _ in keyed).items() if count > 1]
    assert not twice, f"posted more than once: {twice}"
    return dict(keyed)


def _join(workspace: Workspace, row: OutboxRow, found: dict[str, Message]) -> Post | None:
    """The post of a row; None for an update whose message was taken away since."""
    message = workspace.find_message(row.posted_channel, row.slack_ts) if row.is_update else found.get(row.dedupe_key)
    if message is None:
        return None
    return Post(
        kind=row.kind,
        reference=row.reference,
        key=row.dedupe_key,
        at=row.created_at.astimezone(UTC),
        channel=message.channel,
        to=row.channel,
        ts=message.ts,
        thread_ts=message.thread_ts or "",
        text=message.text,
        blocks=message.blocks,
        is_update=row.is_update,
    )
