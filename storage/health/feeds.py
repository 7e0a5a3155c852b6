"""Sources of usage: when each was last heard, who relies on it alone, and the stops that were told. Owns their table,
queries and writes; refuses to decide what a stop is (`rules.health.feeds`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased
from sqlmodel import Field, Index, SQLModel, col
from sqlmodel import select as select_rows

from rules.health.feeds import ChangeStop, EndStop, OpenStop, Source, Stop, StopIntent, reliance_since
from rules.records import Actor, Change, Enqueue
from storage.accounts.accounts import AccountRow, is_in_use
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.fields import key, moment, workspace
from storage.health.usage import UsageEventRow

STOPPED = "feed_stopped"
"""Kind of the outbox row that tells an admin; its reference is the stop's id."""
_PRIORITY = 4


class FeedStopRow(SQLModel, table=True):
    """A source that stopped: its last day with events, when it was told, and how many accounts relied on it alone.
    `resumed_on` is the last day of events with which it was heard again; with 0 accounts, the day nobody relied on it
    any more. At most one lasting stop per source.
    """

    __tablename__ = "feed_stops"
    __table_args__ = (
        Index(
            "uq_feed_stops_open",
            "workspace_id",
            "source",
            unique=True,
            sqlite_where=text("resumed_on IS NULL"),
            postgresql_where=text("resumed_on IS NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    source: str
    last_day: date
    accounts: int
    told_at: datetime = moment()
    resumed_on: date | None = Field(default=None)


def list_sources(tx: Tx, on: date) -> dict[str, date]:
    """Every source with its last day of events, not after `on`: two seeks in the index for each, however many events
    it has.
    """
    event = UsageEventRow
    own = col(event.workspace_id) == tx.workspace_id
    names = select(func.min(col(event.source)).label("name")).where(own).cte("names", recursive=True)
    after = select(func.min(col(event.source))).where(own, col(event.source) > names.c.name).scalar_subquery()
    names = names.union_all(select(after).where(names.c.name.is_not(None)))
    last = select(func.max(col(event.day))).where(own, col(event.source) == names.c.name, col(event.day) <= on)
    rows = tx.session.execute(select(names.c.name, last.scalar_subquery()).where(names.c.name.is_not(None)))
    return {name: day for name, day in rows if day is not None}


def list_relying(tx: Tx, source: Source, others: Iterable[str]) -> list[str]:
    """The accounts in use that the source reported of lately, and none of the `others` since."""
    event, other = UsageEventRow, aliased(UsageEventRow)
    since = reliance_since(source)
    is_reported = select(col(event.account_id)).where(
        col(event.workspace_id) == tx.workspace_id,
        col(event.source) == source.name,
        col(event.day).between(since, source.last_day),
    )
    is_told_of = (
        select(col(other.account_id))
        .where(
            col(other.workspace_id) == tx.workspace_id,
            col(other.source).in_(sorted(others)),
            col(other.account_id) == col(AccountRow.id),
            col(other.day) >= since,
        )
        .exists()
    )
    query = select(col(AccountRow.id)).where(is_in_use(tx), col(AccountRow.id).in_(is_reported), ~is_told_of)
    return list(tx.session.execute(query.order_by(col(AccountRow.id))).scalars())


def find_unheard(tx: Tx, on: date, day: date) -> dict[str, date]:
    """Where other sources still run: the accounts that only stopped ones reported of, with the last day that anything
    could be known of them. One query for the sources, and one for each that stopped.
    """
    sources = [Source(name, last) for name, last in list_sources(tx, on).items()]
    running = [each.name for each in sources if not each.is_stopped(day)]
    found: dict[str, date] = {}
    if not running:
        return found
    for source in sorted((each for each in sources if each.is_stopped(day)), key=lambda each: each.last_day):
        found |= dict.fromkeys(list_relying(tx, source, running), source.last_day)
    return found


def list_stops(tx: Tx) -> dict[str, Stop]:
    """The stops that last, by source."""
    row = FeedStopRow
    query = select_rows(row).where(row.workspace_id == tx.workspace_id, col(row.resumed_on).is_(None))
    return {each.source: Stop(each.id, each.source, each.last_day, each.accounts) for each in tx.session.exec(query)}


def find_stop(tx: Tx, stop_id: str) -> FeedStopRow | None:
    """The stop, also one that is over."""
    row = FeedStopRow
    return tx.session.exec(select_rows(row).where(row.workspace_id == tx.workspace_id, row.id == stop_id)).first()


def apply_stops(tx: Tx, intents: Sequence[StopIntent], channel: str, actor: Actor, now: datetime) -> list[FeedStopRow]:
    """Keep what was decided; tell of a new stop in `channel` (a person's Slack id, "" for nobody), and show an old one
    anew where it was told.
    """
    rows = [_apply(tx, each, actor, now) for each in intents]
    tx.session.flush()
    said = [
        Enqueue(STOPPED, row.id, channel if is_new else "", is_update=not is_new, priority=_PRIORITY)
        for row, is_new in rows
    ]
    enqueue(tx, said, now)
    return [row for row, _is_new in rows]


def _apply(tx: Tx, intent: StopIntent, actor: Actor, now: datetime) -> tuple[FeedStopRow, bool]:
    match intent:
        case OpenStop(source):
            row = FeedStopRow(
                workspace_id=tx.workspace_id,
                source=source.name,
                last_day=source.last_day,
                accounts=source.accounts,
                told_at=now,
            )
            _record(tx, "feed.stopped", row, {"accounts": row.accounts}, actor, now)
        case ChangeStop(stop_id, accounts):
            row = _get(tx, stop_id)
            row.accounts = accounts
        case EndStop(stop_id, resumed_on, is_replaced):
            row = _get(tx, stop_id)
            row.resumed_on, row.accounts = resumed_on, 0 if is_replaced else row.accounts
            _record(tx, "feed.resumed", row, {"resumed_on": resumed_on.isoformat()}, actor, now)
    tx.session.add(row)
    return row, isinstance(intent, OpenStop)


def _get(tx: Tx, stop_id: str) -> FeedStopRow:
    row = find_stop(tx, stop_id)
    if row is None:
        raise LookupError(stop_id)
    return row


def _record(tx: Tx, verb: str, row: FeedStopRow, after: Mapping[str, object], actor: Actor, now: datetime) -> None:
    facts = {"source": row.source, "last_day": row.last_day.isoformat(), **after}
    record(tx, Change(verb, "feed", row.id, after=facts), actor, now)
