"""Who sends which row of the outbox now, and what became of it. Owns claims, leases, slots and the moves between
states, each guarded by the row's epoch; refuses to know Slack. Every moment here is wall time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, exists, func, not_, or_, tuple_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.delivery.outbox import LONGEST_WAIT_SECONDS, Pace
from storage.db import Tx
from storage.delivery.outbox import ChannelSlotRow, OutboxRow
from storage.upsert import upsert

POST = "chat.postMessage"
UPDATE = "chat.update"

# A wait that ends later than any wait we ever set comes from a clock that was put back: it is over.
_LONGEST_WAIT = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
_LONGEST_SLOT = timedelta(seconds=10)
_FRESH = {"populate_existing": True}
_TAKING = {**_FRESH, "synchronize_session": False}


def method_of(row: OutboxRow) -> str:
    """The Slack method that delivers the row."""
    return UPDATE if row.is_update else POST


def has_work(tx: Tx, now: datetime, pace: Pace) -> bool:
    """Whether a claim or a recovery would find something: a read, so that idle polls never take the writer's turn."""
    conditions = (_is_head(tx, now), _is_lost(now, pace), _is_unclear(now, pace))
    return any(tx.session.exec(_ids(tx, condition).limit(1)).first() is not None for condition in conditions)


def recover(tx: Tx, now: datetime, pace: Pace) -> int:
    """Rows whose sender lost its lease become uncertain: nobody knows whether the message was posted."""
    values = {"state": "uncertain", "uncertain_since": now, "lease_until": None, "error": "lease lost"}
    lost = update(OutboxRow).where(_in_workspace(tx), _is_lost(now, pace))
    lost = lost.values(epoch=col(OutboxRow.epoch) + 1, **values)
    ahead = update(OutboxRow).where(
        _in_workspace(tx),
        col(OutboxRow.state) == "uncertain",
        col(OutboxRow.uncertain_since) > now + timedelta(seconds=pace.lease),
    )
    tx.session.connection().execute(ahead.values(uncertain_since=now))
    return tx.session.connection().execute(lost).rowcount


def claim(tx: Tx, now: datetime, pace: Pace, limit: int) -> list[OutboxRow]:
    """Take up to `limit` rows to send, at most the head of each channel whose slot has come, with a lease."""
    rows = _take(tx, _is_head(tx, now), now, pace, limit, {"state": "sending", "attempts": OutboxRow.attempts + 1})
    spaced = [row.channel for row in rows if not _is_prompt(row)]
    _set_slots(tx, spaced, now + timedelta(seconds=pace.spacing))
    return rows


def claim_uncertain(tx: Tx, now: datetime, pace: Pace, limit: int) -> list[OutboxRow]:
    """Take up to `limit` uncertain rows whose settle time is over, to find out what became of them."""
    return _take(tx, _is_unclear(now, pace), now, pace, limit, {})


def is_held(tx: Tx, row: OutboxRow) -> bool:
    """Whether the claim still holds."""
    return tx.session.exec(_ids(tx, _is_ours(row))).first() is not None


def mark_sent(tx: Tx, row: OutboxRow, channel: str, ts: str, now: datetime, pace: Pace) -> bool:
    """The message stands at (channel, ts). One that may have been posted twice stays marked for the sweep."""
    if not row.is_update:
        _set_slots(tx, [row.channel], now + timedelta(seconds=pace.spacing))
    since = row.uncertain_since if row.attempts > 1 else None
    return _move(tx, row, "sent", posted_channel=channel, slack_ts=ts, sent_at=now, uncertain_since=since, error="")


def mark_uncertain(tx: Tx, row: OutboxRow, error: str, now: datetime) -> bool:
    """Nobody knows whether the message was posted; it is looked up after the settle time."""
    return _move(tx, row, "uncertain", uncertain_since=now, error=error)


def defer_lookup(tx: Tx, row: OutboxRow, at: datetime, error: str) -> bool:
    """The look-up itself failed: try it again at `at`."""
    return _move(tx, row, "uncertain", not_before=at, error=error)


def requeue(tx: Tx, row: OutboxRow, at: datetime, error: str = "") -> bool:
    """The message was certainly not posted: send it at `at`."""
    return _move(tx, row, "queued", not_before=at, error=error)


def release(tx: Tx, row: OutboxRow) -> bool:
    """Give an untouched claim back; it does not count as an attempt."""
    return _move(tx, row, "queued", attempts=row.attempts - 1)


def mark_dead(tx: Tx, row: OutboxRow, error: str) -> bool:
    """The message cannot be sent until a person does something."""
    return _move(tx, row, "dead", error=error)


def cancel(tx: Tx, row: OutboxRow, reason: str) -> bool:
    """There is nothing left to say."""
    return _move(tx, row, "cancelled", error=reason)


def hold_method(tx: Tx, method: str, until: datetime) -> None:
    """Slack limits this method for the workspace: nobody calls it for a message before `until`."""
    _set_slots(tx, [method], until)


def requeue_dead(tx: Tx, channel: str = "") -> int:
    """Dead messages of `channel` (or of all) are tried again, as if new. Returns how many."""
    statement = update(OutboxRow).where(_in_workspace(tx), col(OutboxRow.state) == "dead")
    if channel:
        statement = statement.where(col(OutboxRow.channel) == channel)
    values = {"state": "queued", "attempts": 0, "not_before": None}
    return tx.session.connection().execute(statement.values(values)).rowcount


def list_dead(tx: Tx, limit: int = 50) -> list[OutboxRow]:
    """Dead messages, oldest first."""
    query = select(OutboxRow).where(_in_workspace(tx), OutboxRow.state == "dead").order_by(col(OutboxRow.seq))
    return list(tx.session.exec(query.limit(limit), execution_options=_FRESH))


def list_doubtful(tx: Tx, now: datetime, pace: Pace, limit: int = 10) -> list[OutboxRow]:
    """Messages sent again after an uncertain attempt, long enough ago for a late copy to have landed."""
    query = select(OutboxRow).where(
        _in_workspace(tx),
        OutboxRow.state == "sent",
        col(OutboxRow.uncertain_since).is_not(None),
        col(OutboxRow.is_update).is_(False),
        col(OutboxRow.sent_at) <= now - timedelta(seconds=pace.sweep),
    )
    return list(tx.session.exec(query.order_by(col(OutboxRow.seq)).limit(limit), execution_options=_FRESH))


def mark_swept(tx: Tx, row: OutboxRow) -> None:
    """The message was looked for and has no second copy now."""
    statement = update(OutboxRow).where(_in_workspace(tx), col(OutboxRow.id) == row.id)
    tx.session.connection().execute(statement.values(uncertain_since=None))


# ---------------------------------------------------------------- conditions


def _in_workspace(tx: Tx) -> ColumnElement[bool]:
    return col(OutboxRow.workspace_id) == tx.workspace_id


def _ids(tx: Tx, condition: ColumnElement[bool]) -> SelectOfScalar[str]:
    order = (col(OutboxRow.priority), col(OutboxRow.seq), col(OutboxRow.id))
    return select(OutboxRow.id).where(_in_workspace(tx), condition).order_by(*order)


def _is_head(tx: Tx, now: datetime) -> ColumnElement[bool]:
    """Queued, due, first of its channel with none before it under way, and neither slot nor method is held."""
    is_prompt = and_(col(OutboxRow.is_update), col(OutboxRow.priority) == 0)
    method = case((col(OutboxRow.is_update), UPDATE), else_=POST)
    return and_(
        col(OutboxRow.state) == "queued",
        _is_over(col(OutboxRow.not_before), now, _LONGEST_WAIT),
        not_(_has_earlier(tx)),
        or_(is_prompt, not_(_has_slot(tx, col(OutboxRow.channel), now, _LONGEST_SLOT))),
        not_(_has_slot(tx, method, now, _LONGEST_WAIT)),
    )


def _has_earlier(tx: Tx) -> ColumnElement[bool]:
    """Another message of the channel is under way, or queued before this one."""
    other = aliased(OutboxRow)
    here = (col(other.workspace_id) == tx.workspace_id, col(other.channel) == col(OutboxRow.channel))
    its_place = tuple_(col(other.priority), col(other.seq), col(other.id))
    my_place = tuple_(col(OutboxRow.priority), col(OutboxRow.seq), col(OutboxRow.id))
    return or_(
        exists().where(*here, col(other.state).in_(("sending", "uncertain"))),
        exists().where(*here, col(other.state) == "queued", its_place < my_place),
    )


def _has_slot(tx: Tx, name: SQLColumnExpression[str], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """A slot of this name lies ahead."""
    return exists().where(
        col(ChannelSlotRow.workspace_id) == tx.workspace_id,
        col(ChannelSlotRow.channel) == name,
        not_(_is_over(col(ChannelSlotRow.next_at), now, longest)),
    )


def _is_over(moment: SQLColumnExpression[Any], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    return or_(moment.is_(None), moment <= now, moment > now + longest)


def _is_lost(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Being sent by someone whose lease is over."""
    return and_(col(OutboxRow.state) == "sending", _is_over(col(OutboxRow.lease_until), now, _longest_lease(pace)))


def _is_unclear(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Uncertain, settled, and looked up by nobody now."""
    return and_(
        col(OutboxRow.state) == "uncertain",
        col(OutboxRow.uncertain_since) <= now - timedelta(seconds=pace.settle),
        _is_over(col(OutboxRow.not_before), now, _LONGEST_WAIT),
        _is_over(col(OutboxRow.lease_until), now, _longest_lease(pace)),
    )


def _longest_lease(pace: Pace) -> timedelta:
    return timedelta(seconds=2 * pace.lease)


def _is_ours(row: OutboxRow) -> ColumnElement[bool]:
    return and_(
        col(OutboxRow.id) == row.id,
        col(OutboxRow.epoch) == row.epoch,
        col(OutboxRow.state).in_(("sending", "uncertain")),
    )


# ---------------------------------------------------------------- writes


def _take(
    tx: Tx, condition: ColumnElement[bool], now: datetime, pace: Pace, limit: int, values: Mapping[str, object]
) -> list[OutboxRow]:
    """Lease the rows of a condition. Two statements: PostgreSQL may run a locking subquery of an UPDATE twice."""
    ids = list(tx.session.exec(_ids(tx, condition).limit(limit).with_for_update(skip_locked=True, of=OutboxRow)))
    statement = update(OutboxRow).where(_in_workspace(tx), col(OutboxRow.id).in_(ids))
    statement = statement.values(
        epoch=col(OutboxRow.epoch) + 1,
        lease_until=now + timedelta(seconds=pace.lease),
        first_tried_at=func.coalesce(OutboxRow.first_tried_at, now),
        **values,
    )
    taken = tx.session.scalars(statement.returning(OutboxRow), execution_options=_TAKING) if ids else ()
    return sorted(taken, key=lambda row: (row.priority, row.seq, row.id))


def _move(tx: Tx, row: OutboxRow, state: str, **values: object) -> bool:
    """Change a claimed row's state and end its lease; False (and no change) if the claim was lost meanwhile."""
    statement = update(OutboxRow).where(_in_workspace(tx), _is_ours(row))
    statement = statement.values(state=state, lease_until=None, **values)
    return tx.session.connection().execute(statement).rowcount == 1


def _set_slots(tx: Tx, names: Sequence[str], at: datetime) -> None:
    slots = [{"channel": name, "next_at": at} for name in sorted(set(names))]
    upsert(tx, ChannelSlotRow, slots, keys=["workspace_id", "channel"], update=["next_at"])


def _is_prompt(row: OutboxRow) -> bool:
    """The answer to a click: it neither waits for the channel's slot nor takes one (Slack paces posts, not updates)."""
    return row.is_update and row.priority == 0
