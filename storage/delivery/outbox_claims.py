"""Who sends which row of the outbox now, and what became of it. Owns claims, leases, slots and the moves between
states, each guarded by the row's epoch; refuses to know Slack. Every moment here is wall time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, true, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, func, select

from rules.delivery.outbox import Pace
from storage.db import Tx
from storage.delivery.outbox import ChannelSlotRow, OutboxRow
from storage.delivery.outbox_due import (
    HEAD_ROWS,
    OPEN_ROWS,
    OPEN_ROWS_LOCKED,
    OUTBOX,
    POST,
    STRAY_ROWS,
    UNCLEAR_ROWS,
    UPDATE,
    among,
    find_due,
    is_slot_free,
    tell_times,
)
from storage.upsert import upsert, upsert_where

_FRESH = {"populate_existing": True}


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
    """Rows whose sender lost its lease become uncertain: nobody knows whether the message was posted. Returns how many.

    Rows uncertain since a moment yet to come are uncertain since now: the clock was put back.
    """
    states = tx.session.connection().execute(STRAY_ROWS, tell_times(tx, now, pace))
    found = {row.id: row.state for row in states}
    lost = [id_ for id_, state in found.items() if state == "sending"]
    values = {"state": "uncertain", "lease_until": None, "error": "lease lost", "epoch": OUTBOX.c.epoch + 1}
    _change(tx, list(found), {"uncertain_since": now})
    return _change(tx, lost, values)


def claim(tx: Tx, now: datetime, pace: Pace, limit: int, heads: Sequence[str] | None = None) -> list[OutboxRow]:
    """Take up to `limit` rows to send, at most the head of each channel whose slot has come, with a lease; of `heads`,
    where a search before this transaction found some.

    The slot is what two claimers cannot both take, even where each sees another head of the channel.
    """
    wanted = find_due(tx, now, pace, limit).heads if heads is None else heads[:limit]
    found = _lock(tx, HEAD_ROWS, wanted, now, pace)
    taken = _take_slots(tx, {row.channel for row in found if not _is_prompt(row)}, now, pace)
    mine = [row for row in found if _is_prompt(row) or row.channel in taken]
    return _lease(tx, mine, now, pace, is_attempt=True)


def claim_uncertain(
    tx: Tx, now: datetime, pace: Pace, limit: int, unclear: Sequence[str] | None = None
) -> list[OutboxRow]:
    """Take up to `limit` uncertain rows whose settle time is over, to find out what became of them; of `unclear`, where
    a search found some.
    """
    wanted = find_due(tx, now, pace, limit).unclear if unclear is None else unclear[:limit]
    return _lease(tx, _lock(tx, UNCLEAR_ROWS, wanted, now, pace), now, pace, is_attempt=False)


def find_held(tx: Tx, rows: Iterable[OutboxRow], *, is_locking: bool = False) -> set[str]:
    """The ids of the rows whose claim still holds; `is_locking` keeps them from others until the transaction ends, and
    leaves out those that another transaction has in hand, so that none waits for the other in a circle.
    """
    epochs = {row.id: row.epoch for row in rows}
    statement = OPEN_ROWS_LOCKED if is_locking else OPEN_ROWS
    found = tx.session.connection().execute(statement, {"workspace": tx.workspace_id, "ids": list(epochs)})
    return {id_ for id_, epoch in found if epochs[id_] == epoch}


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
    ordered = sorted(sents, key=lambda each: each.row.id)
    if not ordered:
        return 0
    _set_slots(tx, {each.row.channel for each in ordered if not each.row.is_update}, now + _spacing(pace))
    told = [{"workspace": tx.workspace_id, "new_sent_at": now, **_tell_sent(each)} for each in ordered]
    done = tx.session.connection().execute(_MARK_SENT, told, execution_options={"preserve_rowcount": True})
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


def list_doubtful(tx: Tx, now: datetime, pace: Pace, limit: int = 10) -> list[OutboxRow]:
    """Messages sent again after an uncertain attempt, or given up after one because there was nothing left to say, long
    enough ago for a late copy to have landed.
    """
    wait, last = timedelta(seconds=pace.sweep), func.coalesce(OutboxRow.sent_at, OutboxRow.uncertain_since)
    query = select(OutboxRow).where(
        col(OutboxRow.workspace_id) == tx.workspace_id,
        col(OutboxRow.state).in_(("sent", "cancelled")),
        col(OutboxRow.uncertain_since).is_not(None),
        col(OutboxRow.is_update).is_(False),
        or_(last <= now - wait, last > now + wait),  # or the clock was put back
    )
    return list(tx.session.exec(query.order_by(col(OutboxRow.uncertain_since)).limit(limit), execution_options=_FRESH))


def mark_swept(tx: Tx, row: OutboxRow) -> None:
    """The message was looked for and has no copy now that should not stand."""
    statement = update(OutboxRow).where(col(OutboxRow.workspace_id) == tx.workspace_id, col(OutboxRow.id) == row.id)
    tx.session.connection().execute(statement.values(uncertain_since=None))


# ---------------------------------------------------------------- writes


def _lock(tx: Tx, statement: Select[Any], ids: Sequence[str], now: datetime, pace: Pace) -> list[OutboxRow]:
    """Those of the rows that fulfil the statement's condition, most urgent first, kept from others."""
    given = {**tell_times(tx, now, pace), "ids": list(ids)}
    rows: Iterable[OutboxRow] = tx.session.scalars(statement, given, execution_options=_FRESH) if ids else ()
    return sorted(rows, key=lambda row: (row.priority, row.seq, row.id))


def _lease(tx: Tx, rows: Sequence[OutboxRow], now: datetime, pace: Pace, *, is_attempt: bool) -> list[OutboxRow]:
    """Lease locked rows to the caller, under a new epoch."""
    leases = [_tell_lease(row, now, pace, is_attempt=is_attempt) for row in rows]
    for row, values in zip(rows, leases, strict=True):
        for name, value in values.items():
            set_committed_value(row, name, value)
    if leases:
        told = [
            {"workspace": tx.workspace_id, "row_id": row.id, **_news(values)}
            for row, values in zip(rows, leases, strict=True)
        ]
        tx.session.connection().execute(_LEASE, told)
    return list(rows)


def _tell_lease(row: OutboxRow, now: datetime, pace: Pace, *, is_attempt: bool) -> dict[str, object]:
    return {
        "epoch": row.epoch + 1,
        "state": "sending" if is_attempt else row.state,
        "attempts": row.attempts + is_attempt,
        "lease_until": now + timedelta(seconds=pace.lease),
        "first_tried_at": row.first_tried_at or now,
    }


def _move(tx: Tx, row: OutboxRow, state: str, **values: object) -> bool:
    """Change a claimed row's state and end its lease; False (and no change) if the claim was lost meanwhile."""
    given = {"workspace": tx.workspace_id, "row_id": row.id, "row_epoch": row.epoch}
    statement = update(OUTBOX).where(_IS_ROW, _IS_OURS).values(state=state, lease_until=None, **values)
    return tx.session.connection().execute(statement, given).rowcount == 1


def _change(tx: Tx, ids: Sequence[str], values: Mapping[str, Any]) -> int:
    statement = update(OUTBOX).where(among(true())).values(values)
    return tx.session.connection().execute(statement, {"workspace": tx.workspace_id, "ids": ids}).rowcount if ids else 0


def _tell_sent(sent: Sent) -> dict[str, object]:
    row = sent.row
    since = row.uncertain_since if row.attempts > 1 else None
    place = {"posted_channel": sent.channel, "slack_ts": sent.ts, "uncertain_since": since}
    return {"row_id": row.id, "row_epoch": row.epoch, **_news(place)}


def _news(values: Mapping[str, object]) -> dict[str, object]:
    """Values as the parameters of a statement that sets them; a parameter may not be named like its column."""
    return {f"new_{name}": value for name, value in values.items()}


def _take_slots(tx: Tx, channels: Iterable[str], now: datetime, pace: Pace) -> set[str]:
    """Take the next slot of these channels; returns those whose slot had come."""
    slots = [{"channel": name, "next_at": now + _spacing(pace)} for name in sorted(channels)]
    keys, is_free = ["workspace_id", "channel"], is_slot_free(now)
    return upsert_where(tx, ChannelSlotRow, slots, keys=keys, update=["next_at"], where=is_free, tell="channel")


def _set_slots(tx: Tx, names: Iterable[str], at: datetime) -> None:
    slots = [{"channel": name, "next_at": at} for name in sorted(set(names))]
    upsert(tx, ChannelSlotRow, slots, keys=["workspace_id", "channel"], update=["next_at"])


def _spacing(pace: Pace) -> timedelta:
    return timedelta(seconds=pace.spacing)


def _is_prompt(row: OutboxRow) -> bool:
    """The answer to a click: it neither waits for the channel's slot nor takes one (Slack paces posts, not updates)."""
    return row.is_update and row.priority == 0


def _news_of(*names: str) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}", type_=OUTBOX.c[name].type) for name in names}


_IS_ROW = and_(OUTBOX.c.id == bindparam("row_id"), OUTBOX.c.workspace_id == bindparam("workspace"))
_IS_OURS = and_(
    OUTBOX.c.epoch == bindparam("row_epoch"), or_(OUTBOX.c.state == "sending", OUTBOX.c.state == "uncertain")
)
_LEASE = update(OUTBOX).where(_IS_ROW)
_LEASE = _LEASE.values(_news_of("epoch", "state", "attempts", "lease_until", "first_tried_at"))
_MARK_SENT = update(OUTBOX).where(_IS_ROW, _IS_OURS)
_MARK_SENT = _MARK_SENT.values(state="sent", lease_until=None, error="")
_MARK_SENT = _MARK_SENT.values(_news_of("sent_at", "posted_channel", "slack_ts", "uncertain_since"))
