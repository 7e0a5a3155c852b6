"""What is due in the outbox: heads of channels, lost claims, uncertain messages. Owns those conditions and the quick
search for what fulfils them; changes nothing. Every moment here is wall time.

A condition tells the truth about one row, whatever else goes on. The search only proposes rows, so that it may be
quick: it hops from channel to channel along an index, however many messages wait in each. Subqueries are scalar with
LIMIT 1, which no planner turns into a join over the whole table when its statistics are old. Statements are put
together once: that takes longer than running them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
)

from rules.delivery.outbox import LONGEST_WAIT_SECONDS, Pace
from storage.db import Tx
from storage.delivery.outbox import ChannelSlotRow, OutboxRow
from storage.fields import table_of
from storage.types import UtcDateTime

POST = "chat.postMessage"
UPDATE = "chat.update"

OUTBOX, _SLOTS = table_of(OutboxRow), table_of(ChannelSlotRow)

# A wait that ends later than any wait we ever set comes from a clock that was put back: it is over.
_LONGEST_WAIT = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
_LONGEST_SLOT = timedelta(seconds=10)


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
    given = {**tell_times(tx, now, pace), "limit": limit}
    connection = tx.session.connection()
    lost = connection.execute(_LOST, given).first()
    unclear = list(connection.execute(_UNCLEAR, given).scalars())
    urgent = connection.execute(_URGENT, given).scalars()
    walked = _walk(tx, given, limit, after)
    wanted = list(dict.fromkeys([*urgent, *walked.values()]))[:limit]
    heads = list(connection.execute(_HEADS, {**given, "ids": wanted}).scalars()) if wanted else []
    return Due(heads, unclear, lost is not None, list(walked)[-1] if len(walked) == limit else "")


def tell_times(tx: Tx, now: datetime, pace: Pace) -> dict[str, Any]:
    """The values of the parameters that the conditions speak of."""
    return {
        "workspace": tx.workspace_id,
        "now": now,
        "after_any_slot": now + _LONGEST_SLOT,
        "after_any_wait": now + _LONGEST_WAIT,
        "after_any_lease": now + timedelta(seconds=2 * pace.lease),
        "lease_ahead": now + timedelta(seconds=pace.lease),
        "settled": now - timedelta(seconds=pace.settle),
    }


def is_slot_free(now: datetime) -> ColumnElement[bool]:
    """The slot of a channel has come."""
    return or_(_SLOTS.c.next_at <= now, _SLOTS.c.next_at > now + _LONGEST_SLOT)


def _walk(tx: Tx, given: dict[str, Any], limit: int, after: str) -> dict[str, str]:
    """Up to `limit` channels that may be posted to, and the first row of each; behind `after`, then from the start."""
    found: dict[str, str] = {}
    for start in dict.fromkeys((after, "")):
        if len(found) < limit:
            hops = {**given, "start": start, "limit": limit - len(found)}
            found.update((channel, id_) for channel, id_ in tx.session.connection().execute(_WALK, hops))
    return found


# ---------------------------------------------------------------- conditions


def _at(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _is_over(moment: SQLColumnExpression[Any], longest: str) -> ColumnElement[bool]:
    """A wait until `moment` is over, or longer than any wait can be."""
    return or_(moment.is_(None), moment <= _at("now"), moment > _at(longest))


def _is_here(row: FromClause) -> ColumnElement[bool]:
    return row.c.workspace_id == bindparam("workspace")


def _place(row: FromClause) -> tuple[ColumnElement[Any], ...]:
    return row.c.priority, row.c.seq, row.c.id


def _is_prompt(row: FromClause) -> ColumnElement[bool]:
    """The answer to a click: it neither waits for the channel's slot nor takes one (Slack paces posts, not updates)."""
    return and_(row.c.is_update, row.c.priority == 0)


def _find_slot(name: SQLColumnExpression[str], longest: str) -> ColumnElement[Any]:
    """The slot of this name, if it lies ahead."""
    slot = _SLOTS.alias()
    ahead = select(slot.c.next_at).where(_is_here(slot), slot.c.channel == name)
    return ahead.where(slot.c.next_at > _at("now"), slot.c.next_at <= _at(longest)).limit(1).scalar_subquery()


def _is_sendable(row: FromClause) -> ColumnElement[bool]:
    """Due, and held by neither slot nor method."""
    method = case((row.c.is_update, UPDATE), else_=POST)
    return and_(
        _is_over(row.c.not_before, "after_any_wait"),
        or_(_is_prompt(row), _find_slot(row.c.channel, "after_any_slot").is_(None)),
        _find_slot(method, "after_any_wait").is_(None),
    )


def _find_first(channel: SQLColumnExpression[str], row: FromClause, what: ColumnElement[Any]) -> ColumnElement[Any]:
    """`what` of the first queued row of a channel."""
    here = select(what).where(_is_here(row), row.c.state == "queued", row.c.channel == channel)
    return here.order_by(*_place(row)).limit(1).scalar_subquery()


def _is_idle(channel: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Nothing of the channel is being sent, or may have been."""
    row = OUTBOX.alias()
    under_way = select(row.c.id).where(_is_here(row), row.c.channel == channel, _is_under_way(row))
    return under_way.limit(1).scalar_subquery().is_(None)


def _is_under_way(row: FromClause) -> ColumnElement[bool]:
    return row.c.state.in_(("sending", "uncertain"))


def _is_head() -> ColumnElement[bool]:
    """Queued, sendable, first of its channel with none before it under way."""
    row = OUTBOX.alias()
    first = _find_first(OUTBOX.c.channel, row, row.c.id)
    return and_(OUTBOX.c.state == "queued", first == OUTBOX.c.id, _is_sendable(OUTBOX), _is_idle(OUTBOX.c.channel))


def _is_lost() -> ColumnElement[bool]:
    """Being sent by someone whose lease is over."""
    return and_(OUTBOX.c.state == "sending", _is_over(OUTBOX.c.lease_until, "after_any_lease"))


def _is_ahead() -> ColumnElement[bool]:
    """Uncertain since a moment that has yet to come: the clock was put back."""
    return and_(OUTBOX.c.state == "uncertain", OUTBOX.c.uncertain_since > _at("lease_ahead"))


def _is_unclear() -> ColumnElement[bool]:
    """Uncertain, settled, and looked up by nobody now."""
    return and_(
        OUTBOX.c.state == "uncertain",
        OUTBOX.c.uncertain_since <= _at("settled"),
        _is_over(OUTBOX.c.not_before, "after_any_wait"),
        _is_over(OUTBOX.c.lease_until, "after_any_lease"),
    )


# ---------------------------------------------------------------- statements


def among(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The rows with the ids `:ids` that fulfil a condition. `IS TRUE` hides from SQLite what else it could search by:
    without statistics it takes a workspace for ten rows, and would rather look through all of it.
    """
    ids: ColumnElement[Any] = bindparam("ids", expanding=True)
    return and_(OUTBOX.c.id.in_(ids), and_(_is_here(OUTBOX), condition).is_(true()))


def _list_channels() -> CTE:
    """Channels with something queued, behind `:start`: each step is one hop in the index (a "loose index scan"). Ends
    in an empty row.
    """

    def hop(last: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        row = OUTBOX.alias()
        behind = select(func.min(row.c.channel)).where(_is_here(row), row.c.state == "queued", row.c.channel > last)
        return behind.scalar_subquery()

    found = select(hop(bindparam("start")).label("channel")).cte("lines", recursive=True)
    return found.union_all(select(hop(found.c.channel)).where(found.c.channel.is_not(None)))


def _make_walk() -> Select[Any]:
    channel = _list_channels().c.channel
    row, other = OUTBOX.alias(), OUTBOX.alias()
    is_sendable = _find_first(channel, row, case((_is_sendable(row), 1), else_=0)) == 1
    found = select(channel, _find_first(channel, other, other.c.id))
    return found.where(channel.is_not(None), _is_idle(channel), is_sendable).limit(bindparam("limit"))


def _ids(condition: ColumnElement[bool]) -> Select[Any]:
    return select(OUTBOX.c.id).where(condition).order_by(*_place(OUTBOX))


_IS_STRAY = and_(_is_under_way(OUTBOX), or_(_is_lost(), _is_ahead()))
_LOST = _ids(and_(_is_here(OUTBOX), _IS_STRAY)).limit(1)
_UNCLEAR = _ids(and_(_is_here(OUTBOX), _is_unclear())).limit(bindparam("limit"))
_URGENT = _ids(and_(_is_here(OUTBOX), OUTBOX.c.priority == 0, _is_head())).limit(bindparam("limit"))
_HEADS = _ids(among(_is_head()))
_WALK = _make_walk()

# For who is about to change the rows: what another transaction has in hand is left out, not waited for.
STRAY_ROWS = select(OUTBOX.c.id, OUTBOX.c.state).where(_is_here(OUTBOX), _IS_STRAY).with_for_update(skip_locked=True)
HEAD_ROWS = select(OutboxRow).where(among(_is_head())).with_for_update(skip_locked=True)
UNCLEAR_ROWS = select(OutboxRow).where(among(_is_unclear())).with_for_update(skip_locked=True)
OPEN_ROWS = select(OUTBOX.c.id, OUTBOX.c.epoch).where(among(_is_under_way(OUTBOX)))
OPEN_ROWS_LOCKED = OPEN_ROWS.with_for_update(skip_locked=True)
