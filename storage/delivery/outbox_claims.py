"""Who sends which row of the outbox now, and what became of it. Owns claims, leases, slots and the moves between
states, each guarded by the row's epoch; refuses to know Slack. Every moment here is wall time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, update
from sqlmodel import col, select

from rules.delivery.outbox import Pace
from storage.db import Tx
from storage.delivery.outbox import ChannelSlotRow, OutboxRow
from storage.delivery.outbox_due import (
    POST,
    UPDATE,
    among,
    find_due,
    ids_of,
    in_workspace,
    is_ahead,
    is_head,
    is_lost,
    is_slot_free,
    is_unclear,
)
from storage.upsert import upsert, upsert_where

_FRESH = {"populate_existing": True}
_TAKING = {**_FRESH, "synchronize_session": False}


@dataclass(frozen=True)
class Sent:
    """A claimed row that stands in Slack, at (channel, ts)."""

    row: OutboxRow
    channel: str
    ts: str


def method_of(row: OutboxRow) -> str:
    """The Slack method that delivers the row."""
    return UPDATE if row.is_update else POST


def recover(tx: Tx, now: datetime, pace: Pace) -> int:
    """Rows whose sender lost its lease become uncertain: nobody knows whether the message was posted."""
    values: dict[str, Any] = {"state": "uncertain", "uncertain_since": now, "lease_until": None, "error": "lease lost"}
    lost = update(OutboxRow).where(in_workspace(tx), is_lost(now, pace))
    lost = lost.values(epoch=col(OutboxRow.epoch) + 1, **values)
    ahead = update(OutboxRow).where(in_workspace(tx), is_ahead(now, pace)).values(uncertain_since=now)
    tx.session.connection().execute(ahead)
    return tx.session.connection().execute(lost).rowcount


def claim(tx: Tx, now: datetime, pace: Pace, limit: int, among_ids: Sequence[str] | None = None) -> list[OutboxRow]:
    """Take up to `limit` rows to send, at most the head of each channel whose slot has come, with a lease; of those in
    `among_ids` where a search before this transaction found some.

    The slot is what two claimers cannot both take, even where each sees another head of the channel.
    """
    ids = find_due(tx, now, pace, limit).heads if among_ids is None else among_ids[:limit]
    found = _lock(tx, among(tx, ids, is_head(tx, now)))
    slots = {row.channel for row in found if not _is_prompt(row)}
    taken = _take_slots(tx, slots, now, pace)
    mine = [row for row in found if _is_prompt(row) or row.channel in taken]
    return _lease(tx, mine, now, pace, {"state": "sending", "attempts": col(OutboxRow.attempts) + 1})


def claim_uncertain(tx: Tx, now: datetime, pace: Pace, limit: int) -> list[OutboxRow]:
    """Take up to `limit` uncertain rows whose settle time is over, to find out what became of them."""
    ids = list(tx.session.exec(ids_of(tx, is_unclear(now, pace)).limit(limit)))
    return _lease(tx, _lock(tx, among(tx, ids, is_unclear(now, pace))), now, pace, {})


def find_held(tx: Tx, rows: Sequence[OutboxRow], *, is_locking: bool = False) -> set[str]:
    """The ids of the rows whose claim still holds; `is_locking` keeps them from others until the transaction ends, and
    leaves out those that another transaction has in hand, so that none waits for the other in a circle.
    """
    ids = [row.id for row in rows]
    query = select(OutboxRow.id, OutboxRow.epoch).where(among(tx, ids, _is_open()))
    query = query.with_for_update(skip_locked=True) if is_locking else query
    epochs = dict(tx.session.exec(query).all())
    return {row.id for row in rows if epochs.get(row.id) == row.epoch}


def is_held(tx: Tx, row: OutboxRow) -> bool:
    """Whether the claim still holds."""
    return row.id in find_held(tx, [row])


def mark_sent(tx: Tx, row: OutboxRow, channel: str, ts: str, now: datetime, pace: Pace) -> bool:
    """The message stands at (channel, ts)."""
    return mark_all_sent(tx, [Sent(row, channel, ts)], now, pace) == 1


def mark_all_sent(tx: Tx, sents: Iterable[Sent], now: datetime, pace: Pace) -> int:
    """The messages stand in Slack; returns for how many of them the claim still held. One that may have been posted
    twice stays marked for the sweep.
    """
    ordered = sorted(sents, key=lambda each: each.row.id)  # all lock in the same order
    posted = {each.row.channel for each in ordered if not each.row.is_update}
    _set_slots(tx, posted, now + timedelta(seconds=pace.spacing))
    statement = update(OutboxRow.__table__).where(*_is_row(tx, bindparam("row_id"), bindparam("row_epoch")))  # type: ignore[attr-defined]  # SQLModel sets it; its type does not say so
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("posted_channel", "slack_ts", "uncertain_since")}
    statement = statement.values(state="sent", lease_until=None, error="", sent_at=now, **values)
    told = [_tell_sent(each) for each in ordered]
    if not told:
        return 0
    done = tx.session.connection().execute(statement, told, execution_options={"preserve_rowcount": True})
    return done.rowcount


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
    statement = update(OutboxRow).where(in_workspace(tx), col(OutboxRow.state) == "dead")
    if channel:
        statement = statement.where(col(OutboxRow.channel) == channel)
    values = {"state": "queued", "attempts": 0, "not_before": None}
    return tx.session.connection().execute(statement.values(values)).rowcount


def list_dead(tx: Tx, limit: int = 50) -> list[OutboxRow]:
    """Dead messages, oldest first."""
    query = select(OutboxRow).where(in_workspace(tx), OutboxRow.state == "dead").order_by(col(OutboxRow.seq))
    return list(tx.session.exec(query.limit(limit), execution_options=_FRESH))


def list_doubtful(tx: Tx, now: datetime, pace: Pace, limit: int = 10) -> list[OutboxRow]:
    """Messages sent again after an uncertain attempt, long enough ago for a late copy to have landed."""
    query = select(OutboxRow).where(
        in_workspace(tx),
        OutboxRow.state == "sent",
        col(OutboxRow.uncertain_since).is_not(None),
        col(OutboxRow.is_update).is_(False),
        col(OutboxRow.sent_at) <= now - timedelta(seconds=pace.sweep),
    )
    return list(tx.session.exec(query.order_by(col(OutboxRow.seq)).limit(limit), execution_options=_FRESH))


def mark_swept(tx: Tx, row: OutboxRow) -> None:
    """The message was looked for and has no second copy now."""
    statement = update(OutboxRow).where(in_workspace(tx), col(OutboxRow.id) == row.id)
    tx.session.connection().execute(statement.values(uncertain_since=None))


# ---------------------------------------------------------------- writes


def _lock(tx: Tx, condition: ColumnElement[bool]) -> list[OutboxRow]:
    """The rows of a condition, most urgent first, kept from others: who has one already is not waited for."""
    query = select(OutboxRow).where(condition).with_for_update(skip_locked=True)
    rows = tx.session.exec(query, execution_options=_FRESH)
    return sorted(rows, key=lambda row: (row.priority, row.seq, row.id))


def _lease(
    tx: Tx, rows: Sequence[OutboxRow], now: datetime, pace: Pace, values: Mapping[str, object]
) -> list[OutboxRow]:
    """Lease locked rows to the caller, under a new epoch."""
    statement = update(OutboxRow).where(among(tx, [row.id for row in rows], in_workspace(tx)))
    statement = statement.values(
        epoch=col(OutboxRow.epoch) + 1,
        lease_until=now + timedelta(seconds=pace.lease),
        first_tried_at=func.coalesce(OutboxRow.first_tried_at, now),
        **values,
    )
    taken = tx.session.scalars(statement.returning(OutboxRow), execution_options=_TAKING) if rows else ()
    return sorted(taken, key=lambda row: (row.priority, row.seq, row.id))


def _move(tx: Tx, row: OutboxRow, state: str, **values: object) -> bool:
    """Change a claimed row's state and end its lease; False (and no change) if the claim was lost meanwhile."""
    statement = update(OutboxRow).where(*_is_row(tx, row.id, row.epoch))
    statement = statement.values(state=state, lease_until=None, **values)
    return tx.session.connection().execute(statement).rowcount == 1


def _is_row(tx: Tx, row_id: Any, epoch: Any) -> tuple[ColumnElement[bool], ...]:
    """The row is still under way, in the claim of this epoch."""
    return col(OutboxRow.id) == row_id, in_workspace(tx), col(OutboxRow.epoch) == epoch, _is_open()


def _is_open() -> ColumnElement[bool]:
    return or_(col(OutboxRow.state) == "sending", col(OutboxRow.state) == "uncertain")


def _tell_sent(sent: Sent) -> dict[str, object]:
    row = sent.row
    return {
        "row_id": row.id,
        "row_epoch": row.epoch,
        "new_posted_channel": sent.channel,
        "new_slack_ts": sent.ts,
        "new_uncertain_since": row.uncertain_since if row.attempts > 1 else None,
    }


def _take_slots(tx: Tx, channels: Iterable[str], now: datetime, pace: Pace) -> set[str]:
    """Take the next slot of these channels; returns those whose slot had come."""
    at = now + timedelta(seconds=pace.spacing)
    slots = [{"channel": name, "next_at": at} for name in sorted(channels)]
    is_free = is_slot_free(now)
    return upsert_where(
        tx, ChannelSlotRow, slots, keys=["workspace_id", "channel"], update=["next_at"], where=is_free, tell="channel"
    )


def _set_slots(tx: Tx, names: Iterable[str], at: datetime) -> None:
    slots = [{"channel": name, "next_at": at} for name in sorted(set(names))]
    upsert(tx, ChannelSlotRow, slots, keys=["workspace_id", "channel"], update=["next_at"])


def _is_prompt(row: OutboxRow) -> bool:
    """The answer to a click (see `outbox_due.is_prompt`)."""
    return row.is_update and row.priority == 0
