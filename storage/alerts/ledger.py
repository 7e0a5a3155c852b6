"""What the ledger counts: alerts by what people did to them, and messages by place and day. Owns these reads, which the
database adds up, so that neither queries nor memory grow with the alerts; refuses to judge (`rules.alerts.ledger`), and
leaves how long people took to `storage.alerts.ledger_waits`.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Date, RowMapping, Subquery, cast, false, func, select
from sqlmodel import and_, case, col, or_

from rules.alerts.alerts import ACCOUNT_GONE
from rules.alerts.ledger import IGNORED_AFTER, Alike
from rules.records import EpisodeState
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx
from storage.delivery.outbox import OutboxRow

_ANSWERS = ("taken", "snoozed", "assigned", "resolved", "dismissed", "cleared")
"""What a person does to an alert; "cleared" by a person: they settled what it was about."""
_DEEDS = ("taken", "resolved", "cleared")


def count_alerts(tx: Tx, since: datetime, until: datetime) -> list[Alike]:
    """The alerts opened in [since, until), with what people did to them by `until`: one query that gives no more rows
    than there are ways for an alert to end.
    """
    row, answered = EpisodeRow, _list_answered(tx, since, until)
    decides = or_(col(row.state) == EpisodeState.DISMISSED, col(row.close_reason) == ACCOUNT_GONE)
    looked = (
        select(
            col(row.kind),
            col(row.state),
            case((decides, col(row.close_reason)), else_="").label("close_reason"),
            (col(row.opened_at) < until - IGNORED_AFTER).label("is_old"),
            col(row.closed_by).is_not(None).label("is_closed_by_person"),
            col(row.announced_at).is_not(None).label("is_told"),
            answered.c.episode_id.is_not(None).label("is_answered"),
            func.coalesce(answered.c.deeds > 0, false()).label("has_deed"),
        )
        .outerjoin_from(row, answered, answered.c.episode_id == col(row.id))
        .where(is_of_period(tx, since, until))
        .subquery("looked")
    )
    query = select(*looked.c, func.count().label("count")).group_by(*looked.c)
    return [_to_alike(found) for found in tx.session.execute(query).mappings()]


def _to_alike(found: RowMapping) -> Alike:
    values = {name: value for name, value in found.items() if name != "has_deed"}
    is_settled = found["state"] is EpisodeState.RESOLVED and found["is_closed_by_person"]
    return Alike(**values, is_acted=bool(found["has_deed"] or is_settled))


def _list_answered(tx: Tx, since: datetime, until: datetime) -> Subquery:
    """The alerts of the period that a person answered, and with how many deeds."""
    event = AlertEventRow
    deeds = func.sum(case((col(event.verb).in_(_DEEDS), 1), else_=0)).label("deeds")
    return (
        select(col(event.episode_id), deeds)
        .join(EpisodeRow, col(EpisodeRow.id) == col(event.episode_id))
        .where(is_answer(tx, until), is_of_period(tx, since, until))
        .group_by(col(event.episode_id))
        .subquery("answered")
    )


def is_of_period(tx: Tx, since: datetime, until: datetime) -> ColumnElement[bool]:
    """Whether an alert was opened in [since, until)."""
    row = EpisodeRow
    return and_(col(row.workspace_id) == tx.workspace_id, col(row.opened_at) >= since, col(row.opened_at) < until)


def is_answer(tx: Tx, until: datetime) -> ColumnElement[bool]:
    """Whether a line of an alert's history is what a person did to it, by `until`."""
    event = AlertEventRow
    return and_(
        col(event.workspace_id) == tx.workspace_id,
        col(event.actor_kind) == "member",
        col(event.verb).in_(_ANSWERS),
        col(event.at) <= until,
    )


class Messages(NamedTuple):
    """New messages of a period: all that were sent to people, to how many people, and the most on one day to one person
    and in one channel. A day is one in UTC.
    """

    to_people: int = 0
    people: int = 0
    most_to_one: int = 0
    most_in_channel: int = 0


def count_messages(tx: Tx, since: datetime, until: datetime) -> Messages:
    """New messages sent of those that were due to be said in [since, until), in one query; changes of messages and
    replies in threads are not counted.
    """
    places = _count_by_day(tx, since, until)
    is_person = func.substr(places.c.channel, 1, 1).in_(("U", "W"))
    own, shared = (case((each, places.c.sent)) for each in (is_person, ~is_person))
    reader = case((is_person, places.c.channel))
    figures = (func.sum(own), func.count(reader.distinct()), func.max(own), func.max(shared))
    return Messages(*(int(figure or 0) for figure in tx.session.execute(select(*figures)).one()))


def _count_by_day(tx: Tx, since: datetime, until: datetime) -> Subquery:
    row = OutboxRow
    moment = func.timezone("UTC", col(row.created_at)) if tx.is_postgres else col(row.created_at)
    day = cast(moment, Date) if tx.is_postgres else func.date(moment, type_=Date)
    wanted = (
        col(row.workspace_id) == tx.workspace_id,
        col(row.state) == "sent",
        col(row.is_update).is_(other=False),
        or_(col(row.thread_kind) == "", col(row.thread_kind).is_(None)),
        col(row.created_at) >= since,
        col(row.created_at) < until,
    )
    return (
        select(col(row.channel), func.count().label("sent")).where(*wanted).group_by(col(row.channel), day).subquery()
    )
