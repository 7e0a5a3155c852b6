"""What is due in the outbox: heads of channels, lost claims, uncertain messages. Owns those conditions and the quick
search for what fulfils them; changes nothing. Every moment here is wall time.

A condition tells the truth about one row, whatever else goes on. The search only proposes rows, so that it may be
quick: it hops from channel to channel along an index, however many messages wait in each. Subqueries are scalar with
LIMIT 1, which no planner turns into a join over the whole table when its statistics are old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, SQLColumnExpression, and_, case, func, literal, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.delivery.outbox import LONGEST_WAIT_SECONDS, Pace
from storage.db import Tx
from storage.delivery.outbox import ChannelSlotRow, OutboxRow

POST = "chat.postMessage"
UPDATE = "chat.update"

# A wait that ends later than any wait we ever set comes from a clock that was put back: it is over.
_LONGEST_WAIT = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
_LONGEST_SLOT = timedelta(seconds=10)
_UNDER_WAY = ("sending", "uncertain")


@dataclass(frozen=True)
class Due:
    """Ids of rows to send and to look up, most urgent first; whether some claim was lost; and the channel after which
    the next search should begin, so that none waits for ever ("": at the first one).
    """

    heads: list[str]
    unclear: list[str]
    has_lost: bool
    after: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.heads or self.unclear or self.has_lost)


def find_due(tx: Tx, now: datetime, pace: Pace, limit: int, after: str = "") -> Due:
    """What can be done now, at most `limit` rows of each kind: a read, so that looking never takes the writer's turn.

    Answers to clicks come first, then one channel after the other, from the one behind `after`.
    """
    lost = and_(col(OutboxRow.state).in_(_UNDER_WAY), or_(is_lost(now, pace), is_ahead(now, pace)))
    has_lost = tx.session.exec(ids_of(tx, lost).limit(1)).first() is not None
    unclear = list(tx.session.exec(ids_of(tx, is_unclear(now, pace)).limit(limit)))
    urgent = tx.session.exec(ids_of(tx, and_(col(OutboxRow.priority) == 0, is_head(tx, now))).limit(limit))
    walked = _walk(tx, now, limit, after)
    wanted = list(dict.fromkeys([*urgent, *walked.values()]))[:limit]
    heads = (
        list(
            tx.session.exec(
                select(OutboxRow.id).where(among(tx, wanted, is_head(tx, now))).order_by(*_place(OutboxRow))
            )
        )
        if wanted
        else []
    )
    return Due(heads, unclear, has_lost, list(walked)[-1] if len(walked) == limit else "")


def find_heads(tx: Tx, now: datetime, pace: Pace, limit: int) -> list[str]:
    """The ids of up to `limit` rows that may be sent now."""
    return find_due(tx, now, pace, limit).heads


def in_workspace(tx: Tx) -> ColumnElement[bool]:
    """Rows of the transaction's workspace."""
    return col(OutboxRow.workspace_id) == tx.workspace_id


def among(tx: Tx, ids: Sequence[str], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rows with these ids that fulfil a condition. `IS TRUE` hides from SQLite what else it could search by:
    without statistics it takes a workspace for ten rows, and would rather look through all of it.
    """
    return and_(col(OutboxRow.id).in_(ids), and_(in_workspace(tx), condition).is_(true()))


def ids_of(tx: Tx, condition: ColumnElement[bool]) -> SelectOfScalar[str]:
    """The rows of a condition, most urgent first."""
    return select(OutboxRow.id).where(in_workspace(tx), condition).order_by(*_place(OutboxRow))


def is_head(tx: Tx, now: datetime) -> ColumnElement[bool]:
    """Queued, due, first of its channel with none before it under way, and neither slot nor method is held."""
    method = case((col(OutboxRow.is_update), UPDATE), else_=POST)
    return and_(
        col(OutboxRow.state) == "queued",
        is_over(col(OutboxRow.not_before), now, _LONGEST_WAIT),
        _is_open(tx, col(OutboxRow.channel), now),
        _find_slot(tx, method, now, _LONGEST_WAIT).is_(None),
        _find_first(tx, col(OutboxRow.channel)) == col(OutboxRow.id),
    )


def is_lost(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Being sent by someone whose lease is over."""
    return and_(col(OutboxRow.state) == "sending", is_over(col(OutboxRow.lease_until), now, _longest_lease(pace)))


def is_ahead(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Uncertain since a moment that has yet to come: the clock was put back."""
    since = col(OutboxRow.uncertain_since)
    return and_(col(OutboxRow.state) == "uncertain", since > now + timedelta(seconds=pace.lease))


def is_unclear(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Uncertain, settled, and looked up by nobody now."""
    return and_(
        col(OutboxRow.state) == "uncertain",
        col(OutboxRow.uncertain_since) <= now - timedelta(seconds=pace.settle),
        is_over(col(OutboxRow.not_before), now, _LONGEST_WAIT),
        is_over(col(OutboxRow.lease_until), now, _longest_lease(pace)),
    )


def is_slot_free(now: datetime) -> ColumnElement[bool]:
    """The slot of a channel has come."""
    return is_over(col(ChannelSlotRow.next_at), now, _LONGEST_SLOT)


def is_over(moment: SQLColumnExpression[Any], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """A wait until `moment` is over, or longer than any wait can be."""
    return or_(moment.is_(None), moment <= now, moment > now + longest)


def is_prompt(table: type[OutboxRow]) -> ColumnElement[bool]:
    """The answer to a click: it neither waits for the channel's slot nor takes one (Slack paces posts, not updates)."""
    return and_(col(table.is_update), col(table.priority) == 0)


def _walk(tx: Tx, now: datetime, limit: int, after: str) -> dict[str, str]:
    """Up to `limit` channels that may be posted to, and the first row of each; behind `after`, then from the start."""
    found: dict[str, str] = {}
    for start in dict.fromkeys((after, "")):
        channel = _list_channels(tx, start).c.channel
        query = select(channel, _find_first(tx, channel))
        query = query.where(channel.is_not(None), _is_open(tx, channel, now)).limit(limit - len(found))
        found.update(dict(tx.session.exec(query).all()) if len(found) < limit else {})
    return found


def _list_channels(tx: Tx, after: str) -> CTE:
    """Channels with something queued, behind `after`: each step is one hop in the index (a "loose index scan"). Ends in
    an empty row.
    """

    def hop(last: SQLColumnExpression[str]) -> ColumnElement[Any]:
        row = aliased(OutboxRow)
        query = select(func.min(col(row.channel))).where(
            col(row.workspace_id) == tx.workspace_id, col(row.state) == "queued", col(row.channel) > last
        )
        return query.scalar_subquery()

    found = select(hop(literal(after)).label("channel")).cte("channels", recursive=True)
    return found.union_all(select(hop(found.c.channel)).where(found.c.channel.is_not(None)))


def _place(table: type[OutboxRow]) -> tuple[SQLColumnExpression[Any], ...]:
    return col(table.priority), col(table.seq), col(table.id)


def _is_open(tx: Tx, channel: SQLColumnExpression[str], now: datetime) -> ColumnElement[bool]:
    """Nothing of the channel is under way, and its slot has come or its first row needs none."""
    other = aliased(OutboxRow)
    here = (col(other.workspace_id) == tx.workspace_id, col(other.channel) == channel)
    under_way = select(other.id).where(*here, col(other.state).in_(_UNDER_WAY)).limit(1)
    is_free = _find_slot(tx, channel, now, _LONGEST_SLOT).is_(None)
    first = aliased(OutboxRow)
    prompt = _firsts(tx, channel, first, case((is_prompt(first), 1), else_=0)) == 1
    return and_(under_way.scalar_subquery().is_(None), or_(is_free, prompt))


def _find_first(tx: Tx, channel: SQLColumnExpression[str]) -> ColumnElement[str]:
    """The first queued row of a channel."""
    row = aliased(OutboxRow)
    return _firsts(tx, channel, row, col(row.id))


def _firsts(
    tx: Tx, channel: SQLColumnExpression[str], row: type[OutboxRow], what: SQLColumnExpression[Any]
) -> ColumnElement[Any]:
    here = (col(row.workspace_id) == tx.workspace_id, col(row.state) == "queued", col(row.channel) == channel)
    return select(what).where(*here).order_by(*_place(row)).limit(1).scalar_subquery()


def _find_slot(tx: Tx, name: SQLColumnExpression[str], now: datetime, longest: timedelta) -> ColumnElement[Any]:
    """The slot of this name, if it lies ahead."""
    ahead = select(ChannelSlotRow.next_at).where(
        col(ChannelSlotRow.workspace_id) == tx.workspace_id,
        col(ChannelSlotRow.channel) == name,
        col(ChannelSlotRow.next_at) > now,
        col(ChannelSlotRow.next_at) <= now + longest,
    )
    return ahead.limit(1).scalar_subquery()


def _longest_lease(pace: Pace) -> timedelta:
    return timedelta(seconds=2 * pace.lease)
