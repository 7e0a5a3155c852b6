"""Messages that wait or cannot be sent, as people see them: grouped by channel and reason. Owns reading those groups,
and sending dead ones again or dropping them, audited; who delivers them is `storage.delivery.outbox_claims`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, update
from sqlalchemy import select as select_columns
from sqlmodel import col, func, select

from rules.delivery.outbox import UNSEEN
from rules.records import Actor, Change, Enqueue
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.lookup import is_among

REQUEUED, DROPPED = "outbox.requeued", "outbox.dropped"
_OPEN = ("dead", "uncertain", "queued", "sending")
_GROUPED = (col(OutboxRow.state), col(OutboxRow.channel), col(OutboxRow.error))


@dataclass(frozen=True)
class Group:
    """Messages of one channel in one state with the same error. `oldest` is business time; `row_id` is one of them."""

    state: str
    channel: str
    error: str
    count: int
    oldest: datetime
    row_id: str


@dataclass(frozen=True)
class Wanted:
    """Which dead messages: one by its id, those of a channel, those with an error, or (all empty) every one."""

    row_id: str = ""
    channel: str = ""
    error: str | None = None

    def facts(self) -> dict[str, object]:
        """What the audit keeps of it."""
        named = {"row": self.row_id, "channel": self.channel, "error": self.error}
        return {name: value for name, value in named.items() if value}


def list_groups(tx: Tx, *, limit: int, offset: int = 0) -> list[Group]:
    """Groups of messages that are not sent: dead ones first, then uncertain ones, then those that wait, then those
    under way; oldest first.
    """
    urgency = case(*((col(OutboxRow.state) == state, rank) for rank, state in enumerate(_OPEN)), else_=len(_OPEN))
    oldest: ColumnElement[datetime] = func.min(OutboxRow.created_at)
    told = (func.count(), oldest, func.min(OutboxRow.id))
    query = select_columns(*_GROUPED, *told).where(_is_open(tx)).group_by(*_GROUPED)
    rows = tx.session.execute(query.order_by(urgency, oldest, col(OutboxRow.channel)).limit(limit).offset(offset))
    return [Group(*row) for row in rows]


def count_groups(tx: Tx) -> int:
    """How many groups there are."""
    groups = select_columns(*_GROUPED).where(_is_open(tx)).distinct().subquery()
    return tx.session.exec(select(func.count()).select_from(groups)).one()


def list_rows(tx: Tx, *, states: Sequence[str] = _OPEN, channel: str = "", limit: int = 100) -> list[OutboxRow]:
    """Messages in these states (of a channel), in the order they were enqueued."""
    query = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, col(OutboxRow.state).in_(states))
    query = query.where(OutboxRow.channel == channel) if channel else query
    query = query.order_by(col(OutboxRow.seq)).limit(limit)
    return list(tx.session.exec(query, execution_options={"populate_existing": True}))


def list_beginning(tx: Tx, beginning: str) -> list[OutboxRow]:
    """The message with this id, or two of those whose id begins so."""
    mine = select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id)
    return list(tx.session.exec(mine.where(col(OutboxRow.id).startswith(beginning, autoescape=True)).limit(2)))


def requeue(tx: Tx, wanted: Wanted, actor: Actor, now: datetime) -> int:
    """Send dead messages again, each in its place in the order of its channel; returns how many.

    One that may have been posted is looked for first; it is refreshed then, as changes were not told to the dead.
    """
    refreshes = _list_refreshes(tx, wanted)
    may_stand = col(OutboxRow.error).startswith(UNSEEN)
    values: dict[str, object] = {
        "state": case((may_stand, "uncertain"), else_="queued"),
        # One that was uncertain once keeps its count: by it the sweep knows that a second copy may appear.
        "attempts": case((col(OutboxRow.uncertain_since).is_not(None), OutboxRow.attempts), else_=0),
        "not_before": None,
    }
    count = _change(tx, wanted, values, REQUEUED, actor, now)
    enqueue(tx, refreshes, now)
    return count


def drop(tx: Tx, wanted: Wanted, actor: Actor, now: datetime) -> int:
    """Give dead messages up for good; returns how many. What may stand of them in Slack is left there, unswept."""
    return _change(tx, wanted, {"state": "cancelled", "uncertain_since": None}, DROPPED, actor, now)


def _list_refreshes(tx: Tx, wanted: Wanted) -> list[Enqueue]:
    """Of the dead posts of which a copy may stand, or may yet appear."""
    columns = (col(OutboxRow.kind), col(OutboxRow.reference))
    doubtful = (col(OutboxRow.uncertain_since).is_not(None), col(OutboxRow.is_update).is_(False))
    query = select_columns(*columns).where(_is_wanted(tx, wanted), *doubtful).order_by(col(OutboxRow.seq))
    return [Enqueue(kind, reference, is_update=True) for kind, reference in tx.session.execute(query)]


def _change(tx: Tx, wanted: Wanted, values: dict[str, object], verb: str, actor: Actor, now: datetime) -> int:
    ids = _lock(tx, wanted)
    mine = (col(OutboxRow.workspace_id) == tx.workspace_id, is_among(tx, col(OutboxRow.id), ids))
    tx.session.connection().execute(update(OutboxRow).where(*mine).values(values))
    if count := len(ids):
        change = Change(verb, "outbox", wanted.row_id or tx.workspace_id, after={"count": count, **wanted.facts()})
        record(tx, change, actor, now)
    return count


def _lock(tx: Tx, wanted: Wanted) -> Sequence[str]:
    query = select(OutboxRow.id).where(_is_wanted(tx, wanted)).order_by(col(OutboxRow.id))
    return tx.session.exec(query.with_for_update()).all()


def _is_open(tx: Tx) -> ColumnElement[bool]:
    return and_(col(OutboxRow.workspace_id) == tx.workspace_id, col(OutboxRow.state).in_(_OPEN))


def _is_wanted(tx: Tx, wanted: Wanted) -> ColumnElement[bool]:
    conditions = [col(OutboxRow.workspace_id) == tx.workspace_id, col(OutboxRow.state) == "dead"]
    if wanted.row_id:
        conditions.append(col(OutboxRow.id) == wanted.row_id)
    if wanted.channel:
        conditions.append(col(OutboxRow.channel) == wanted.channel)
    if wanted.error is not None:
        conditions.append(col(OutboxRow.error) == wanted.error)
    return and_(*conditions)
