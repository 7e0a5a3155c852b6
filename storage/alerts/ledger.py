"""What the ledger counts: alerts with what people did to them, and messages by place and day. Owns these reads, a fixed
number of queries however long the period; refuses to judge (`rules.alerts.ledger`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Date, cast, func, select
from sqlmodel import and_, col, or_

from rules.alerts.ledger import Record
from rules.records import EpisodeState
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx
from storage.delivery.outbox import OutboxRow

_ANSWERS = ("taken", "snoozed", "assigned", "resolved", "dismissed", "cleared")
"""What a person does to an alert; "cleared" by a person: they settled what it was about."""
_DEEDS = ("taken", "resolved", "cleared")


def list_records(tx: Tx, since: datetime, until: datetime) -> list[Record]:
    """Every alert opened in [since, until), with the first answer of a person: two queries."""
    answers = {id_: (at, by, is_deed) for id_, at, by, is_deed in _list_answers(tx, since, until)}
    return [_answered(record, answers.get(id_)) for id_, record in _list_opened(tx, since, until)]


def _answered(record: Record, answer: tuple[datetime, str, bool] | None) -> Record:
    if answer is None:
        return record
    at, by, is_deed = answer
    return replace(record, answered_at=at, answered_by=by, is_acted=record.is_acted or is_deed)


def _list_opened(tx: Tx, since: datetime, until: datetime) -> Iterator[tuple[str, Record]]:
    row = EpisodeRow
    columns = (row.id, row.kind, row.state, row.opened_at, row.close_reason, row.closed_by, row.announced_at)
    query = select(*map(col, columns)).where(
        col(row.workspace_id) == tx.workspace_id, col(row.opened_at) >= since, col(row.opened_at) < until
    )
    for id_, kind, state, opened_at, reason, closed_by, told_at in tx.session.execute(query.order_by(col(row.id))):
        is_by_person = closed_by is not None
        is_acted = state is EpisodeState.RESOLVED and is_by_person
        yield id_, Record(kind, state, opened_at, reason, is_acted, is_closed_by_person=is_by_person, told_at=told_at)


def _list_answers(tx: Tx, since: datetime, until: datetime) -> Iterator[tuple[str, datetime, str, bool]]:
    """The first answer to each alert of the period, whose it was, and whether any answer was a deed."""
    event, row = AlertEventRow, EpisodeRow
    query = (
        select(col(event.episode_id), col(event.at), col(event.actor_id), col(event.verb))
        .join(row, and_(col(row.id) == col(event.episode_id), col(row.workspace_id) == tx.workspace_id))
        .where(
            col(event.workspace_id) == tx.workspace_id,
            col(row.opened_at) >= since,
            col(row.opened_at) < until,
            col(event.actor_kind) == "member",
            col(event.verb).in_(_ANSWERS),
        )
        .order_by(col(event.episode_id), col(event.at), col(event.id))
    )
    first: tuple[str, datetime, str, bool] | None = None
    for id_, at, by, verb in tx.session.execute(query):
        is_deed = verb in _DEEDS
        if first is not None and first[0] == id_:
            first = (*first[:3], first[3] or is_deed)
            continue
        if first is not None:
            yield first
        first = (id_, at, by, is_deed)
    if first is not None:
        yield first


def count_messages(tx: Tx, since: datetime, until: datetime) -> dict[tuple[str, date], int]:
    """New messages sent in [since, until) by where they went (a channel's or a person's Slack id) and the day they
    were due to be said, in UTC; changes of messages and replies in threads are not counted.
    """
    row = OutboxRow
    moment = func.timezone("UTC", col(row.created_at)) if tx.is_postgres else col(row.created_at)
    day = cast(moment, Date) if tx.is_postgres else func.date(moment, type_=Date)
    query = (
        select(col(row.channel), day, func.count())
        .where(
            col(row.workspace_id) == tx.workspace_id,
            col(row.state) == "sent",
            col(row.is_update).is_(other=False),
            or_(col(row.thread_kind) == "", col(row.thread_kind).is_(None)),
            col(row.created_at) >= since,
            col(row.created_at) < until,
        )
        .group_by(col(row.channel), day)
    )
    return {(channel, each): count for channel, each, count in tx.session.execute(query)}
