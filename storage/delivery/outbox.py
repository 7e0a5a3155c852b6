"""The outbox: what must be said where, committed with the change that caused it. Owns its tables and how a row
gets in; holds no blocks, and leaves who sends a row when to `storage.delivery.outbox_claims`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, text, tuple_
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col, select

from rules.records import Enqueue
from storage.db import Tx
from storage.delivery.nudges import nudge_others
from storage.fields import key, moment, workspace
from storage.lookup import is_among
from storage.upsert import upsert

_PAGE = 200
_OVER = ("dead", "cancelled")
_AT = "@"
"""Between a message's key and the place of its fall-back."""


class OutboxRow(SQLModel, table=True):
    """One message to post, or to refresh (`is_update`). `state`: queued, sending, sent, uncertain, dead, cancelled.

    `seq` keeps the order per `channel`. `created_at` is business time; all other moments are wall time.
    `instead_of` is the channel that a fall-back stands in for.
    `epoch` grows with each claim, so that whoever lost the row to another cannot write to it any more.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("workspace_id", "dedupe_key"),
        Index("ix_outbox_head", "workspace_id", "state", "channel", "priority", "seq", "id"),
        Index("ix_outbox_urgent", "workspace_id", "state", "priority", "seq"),
        Index("ix_outbox_message", "workspace_id", "kind", "reference"),
        Index("ix_outbox_seq", "workspace_id", "seq"),
        Index(
            "ix_outbox_doubtful",
            "workspace_id",
            "uncertain_since",
            sqlite_where=text("uncertain_since IS NOT NULL"),
            postgresql_where=text("uncertain_since IS NOT NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    seq: int
    kind: str
    reference: str
    channel: str = ""
    dedupe_key: str
    is_update: bool = False
    thread_kind: str = ""
    thread_reference: str = ""
    instead_of: str = ""
    priority: int = 5
    state: str = "queued"
    not_before: datetime | None = moment(default=None, nullable=True)
    attempts: int = 0
    epoch: int = 0
    first_tried_at: datetime | None = moment(default=None, nullable=True)
    lease_until: datetime | None = moment(default=None, nullable=True)
    uncertain_since: datetime | None = moment(default=None, nullable=True)
    posted_channel: str = ""
    slack_ts: str = ""
    error: str = ""
    created_at: datetime = moment()
    sent_at: datetime | None = moment(default=None, nullable=True)


class ChannelSlotRow(SQLModel, table=True):
    """When a channel may be posted to next (wall time), across all processes. A `channel` that is the name of a
    Slack method ("chat.postMessage") stands for the whole workspace, while Slack limits that method.
    """

    __tablename__ = "channel_slots"

    workspace_id: str = workspace(is_key=True)
    channel: str = Field(primary_key=True)
    next_at: datetime = moment()


def enqueue(tx: Tx, intents: Iterable[Enqueue], now: datetime) -> None:
    """Put messages into the outbox, in the order given; `now` is business time.

    A dedupe key known already changes nothing (the default key of a post is kind:reference). An update changes
    nothing while a row of the same message is queued that will show the truth when it is sent, nor when the
    message was never posted. A reply or update is ordered behind the message it belongs to, and a reply goes
    to that message's channel; a reply to nothing, with no channel of its own, is left out.
    """
    wanted = list(intents)
    if not wanted:
        return
    messages = _find_messages(tx, wanted)
    seq = tx.session.exec(
        select(func.coalesce(func.max(OutboxRow.seq), 0)).where(OutboxRow.workspace_id == tx.workspace_id)
    ).one()
    known = _find_keys(tx, wanted)
    rows: list[OutboxRow] = []
    for intent in wanted:
        seq += 1
        if _key(intent, seq) in known:
            continue
        row = _row(tx, intent, messages, seq, now)
        if row is not None:
            messages.setdefault((row.kind, row.reference), []).append(row)
            known.add(row.dedupe_key)
            rows.append(row)
    if upsert(tx, OutboxRow, [row.model_dump() for row in rows], keys=["workspace_id", "dedupe_key"]):
        nudge_others(tx)


def find_post(tx: Tx, kind: str, reference: str) -> OutboxRow | None:
    """The latest post of a message that stands in Slack; None if it was not posted (yet)."""
    posts = select(OutboxRow).where(_is_post(tx, kind, reference), OutboxRow.state == "sent")
    return tx.session.exec(posts.order_by(col(OutboxRow.seq).desc()).limit(1)).first()


def find_latest_post(tx: Tx, kind: str, reference: str) -> OutboxRow | None:
    """The latest row that posts a message, whatever became of it."""
    posts = select(OutboxRow).where(_is_post(tx, kind, reference)).order_by(col(OutboxRow.seq).desc())
    return tx.session.exec(posts.limit(1)).first()


def find_posted(tx: Tx, kind: str, reference: str) -> tuple[str, str] | None:
    """Where that post stands: Slack's (channel, ts)."""
    found = find_post(tx, kind, reference)
    return None if found is None else (found.posted_channel, found.slack_ts)


def list_places(tx: Tx, row: OutboxRow) -> set[str]:
    """The channels in which a message was, will be or could not be posted, itself and its fall-backs; what was said of
    the same thing before is another message.
    """
    message = _find_message(row)
    is_same = or_(
        col(OutboxRow.dedupe_key) == message, col(OutboxRow.dedupe_key).startswith(message + _AT, autoescape=True)
    )
    return set(tx.session.exec(select(OutboxRow.channel).where(_is_post(tx, row.kind, row.reference), is_same)))


def name_fallback(row: OutboxRow, place: str) -> str:
    """The `dedupe_key` of what is said in another place instead of this row: once in each."""
    return f"{_find_message(row)}{_AT}{place}"


def _find_message(row: OutboxRow) -> str:
    return row.dedupe_key.partition(_AT)[0]


def stands_elsewhere(tx: Tx, row: OutboxRow) -> bool:
    """Whether a fall-back says, or will say, what this row says."""
    later = select(OutboxRow.id).where(
        _is_post(tx, row.kind, row.reference),
        col(OutboxRow.instead_of) == (row.instead_of or row.channel),
        col(OutboxRow.seq) > row.seq,
        col(OutboxRow.state).not_in(_OVER),
    )
    return tx.session.exec(later.limit(1)).first() is not None


def _is_post(tx: Tx, kind: str, reference: str) -> ColumnElement[bool]:
    return and_(
        col(OutboxRow.workspace_id) == tx.workspace_id,
        col(OutboxRow.kind) == kind,
        col(OutboxRow.reference) == reference,
        col(OutboxRow.is_update).is_(False),
    )


def find_row(tx: Tx, row_id: str) -> OutboxRow | None:
    """A row by its id."""
    query = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, OutboxRow.id == row_id)
    return tx.session.exec(query).first()


def count_states(tx: Tx) -> dict[str, int]:
    """How many rows are in each state, for the doctor."""
    rows = tx.session.exec(
        select(OutboxRow.state, func.count()).where(OutboxRow.workspace_id == tx.workspace_id).group_by(OutboxRow.state)
    )
    return dict(rows.all())


_Messages = dict[tuple[str, str], list[OutboxRow]]


def _find_messages(tx: Tx, intents: Sequence[Enqueue]) -> _Messages:
    """Rows of the messages that updates and replies speak of, oldest first. Locked on PostgreSQL, all at once: else
    delivery could claim and render a queued row before the change that relies on it is committed.
    """
    wanted = {(each.kind, each.reference) for each in intents if each.is_update}
    wanted |= {(each.thread_kind, each.thread_reference) for each in intents if each.thread_kind}
    names = sorted(wanted)
    pages = [_is_named(tx, names[at : at + _PAGE]) for at in range(0, len(names), _PAGE)]
    if not pages:
        return {}
    is_of = pages[0] if len(pages) == 1 else is_among(tx, col(OutboxRow.id), _list_ids(tx, pages))
    query = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, is_of).order_by(col(OutboxRow.id))
    rows = tx.session.exec(query.with_for_update().execution_options(populate_existing=True))
    found: _Messages = {}
    for row in sorted(rows, key=lambda row: row.seq):
        found.setdefault((row.kind, row.reference), []).append(row)
    return found


def _is_named(tx: Tx, names: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    is_one = tuple_(col(OutboxRow.kind), col(OutboxRow.reference)).in_(names)
    return and_(col(OutboxRow.workspace_id) == tx.workspace_id, is_one)


def _list_ids(tx: Tx, pages: Sequence[ColumnElement[bool]]) -> list[str]:
    return [id_ for page in pages for id_ in tx.session.exec(select(OutboxRow.id).where(page))]


def _row(tx: Tx, intent: Enqueue, messages: _Messages, seq: int, now: datetime) -> OutboxRow | None:
    """The row of one intent; None when there is nothing to say that is not said already."""
    leader = None
    if intent.is_update:
        leader = _find_leader(messages.get((intent.kind, intent.reference), []))
        if leader is None or any(_will_show_truth(row) for row in messages[intent.kind, intent.reference]):
            return None
    elif intent.thread_kind:
        leader = _find_leader(messages.get((intent.thread_kind, intent.thread_reference), []))
    channel = leader.channel if leader else intent.channel
    if not channel:
        return None
    is_behind = leader is not None and leader.state != "sent"
    return OutboxRow(
        workspace_id=tx.workspace_id,
        seq=seq,
        kind=intent.kind,
        reference=intent.reference,
        channel=channel,
        dedupe_key=_key(intent, seq),
        is_update=intent.is_update,
        thread_kind=intent.thread_kind,
        thread_reference=intent.thread_reference,
        instead_of=intent.instead_of,
        priority=max(intent.priority, leader.priority) if leader and is_behind else intent.priority,
        created_at=now,
    )


def _will_show_truth(row: OutboxRow) -> bool:
    """Whether the row will be drawn anew. Of a post that was uncertain once, a late copy may be found instead, which
    shows what was true then.
    """
    return row.state == "queued" and (row.is_update or row.uncertain_since is None)


def _find_leader(rows: Sequence[OutboxRow]) -> OutboxRow | None:
    """The latest post that stands or will stand in Slack."""
    posts = (row for row in reversed(rows) if not row.is_update and row.state not in _OVER)
    return next(posts, None)


def _key(intent: Enqueue, seq: int) -> str:
    """By default a post happens once per message, and each update is another."""
    return intent.dedupe_key or f"{intent.kind}:{intent.reference}" + (f":{seq}" if intent.is_update else "")


def _find_keys(tx: Tx, intents: Sequence[Enqueue]) -> set[str]:
    """Which keys of posts are taken. (A key taken by another transaction meanwhile is caught by the upsert.)"""
    keys = sorted({_key(each, 0) for each in intents if each.dedupe_key or not each.is_update})
    found: set[str] = set()
    for at in range(0, len(keys), _PAGE):
        query = select(OutboxRow.dedupe_key).where(
            OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.dedupe_key).in_(keys[at : at + _PAGE])
        )
        found.update(tx.session.exec(query))
    return found
