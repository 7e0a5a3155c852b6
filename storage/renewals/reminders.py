"""Reminders of renewals: which were looked at, and what the message at the head of a thread has seen. Owns reading what
may be due and writing what was said, rows and outbox together; refuses to decide (`rules.renewals.reminders`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, tuple_
from sqlmodel import col, or_, select

from rules.records import Enqueue, RenewalOutcome
from rules.renewals.readiness import Check, Lack, Readiness
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.renewals.readiness import Prospect, list_prospects
from storage.renewals.renewals import REPLY, ROOT, RenewalReminderRow, RenewalRow
from storage.upsert import upsert

_PRIORITY = 6
Place = tuple[date, str]
"""Where a page ended: decision date and id."""


@dataclass(frozen=True)
class Telling:
    """What to do about one renewal. `days_before` None: only what was seen changed. `is_said`: post; a renewal without
    a thread opens one in `channel`.
    """

    renewal_id: str
    decides_on: date
    seen: Mapping[str, Any] = field(default_factory=dict)
    days_before: int | None = None
    is_said: bool = False
    channel: str = ""


def page_open(tx: Tx, until: date, after: Place | None, limit: int) -> list[RenewalRow]:
    """The next open renewals decided until `until`, the first decision first, of accounts in use."""
    query = (
        select(RenewalRow)
        .join(AccountRow, col(AccountRow.id) == col(RenewalRow.account_id))
        .where(
            RenewalRow.workspace_id == tx.workspace_id,
            is_in_use(tx),
            RenewalRow.outcome == RenewalOutcome.OPEN,
            RenewalRow.decides_on <= until,
            *_is_later(after),
        )
    )
    return list(tx.session.exec(query.order_by(col(RenewalRow.decides_on), col(RenewalRow.id)).limit(limit)))


def list_given(tx: Tx, rows: Iterable[RenewalRow]) -> dict[str, set[int]]:
    """By renewal the offsets looked at for its present decision date."""
    wanted = [(row.id, row.decides_on) for row in rows]
    found: dict[str, set[int]] = {id_: set() for id_, _day in wanted}
    given = tx.session.exec(
        select(RenewalReminderRow.renewal_id, RenewalReminderRow.days_before).where(
            RenewalReminderRow.workspace_id == tx.workspace_id,
            tuple_(col(RenewalReminderRow.renewal_id), col(RenewalReminderRow.decides_on)).in_(wanted),
        )
    )
    for id_, days in given:
        found[id_].add(days)
    return found


def count_threads(tx: Tx, since: datetime) -> dict[str, int]:
    """How many threads were opened since then, by channel."""
    query = select(OutboxRow.channel, func.count()).where(
        OutboxRow.workspace_id == tx.workspace_id,
        OutboxRow.kind == ROOT,
        col(OutboxRow.is_update).is_(other=False),
        OutboxRow.created_at >= since,
    )
    return dict(tx.session.exec(query.group_by(col(OutboxRow.channel))).all())


def describe_seen(prospect: Prospect, day: date) -> dict[str, Any]:
    """What is known on `day`, as `RenewalRow.seen` holds it."""
    health = prospect.health
    return {
        "day": day.isoformat(),
        "missing": {lack.check.value: lack.count for lack in prospect.readiness.missing},
        "computed": prospect.computed.value if prospect.computed else None,
        "band": prospect.band.value,
        "score": health.score if health else None,
    }


def read_readiness(seen: Mapping[str, Any]) -> Readiness:
    """What was missing, of `RenewalRow.seen`; a check of another version is left out."""
    missing: Mapping[str, int] = seen.get("missing") or {}
    return Readiness(tuple(Lack(check, missing[check.value]) for check in Check if check.value in missing))


def is_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the message has to be drawn anew: something is missing, or is no longer; the score alone is no news."""
    names = ("missing", "computed", "band")
    return [before.get(name) for name in names] != [after.get(name) for name in names]


def apply_tellings(tx: Tx, tellings: Sequence[Telling], now: datetime) -> int:
    """Write down and say what is due, except where the renewal was decided or moved meanwhile, or another run was
    first; how many messages go out. The rows and the outbox commit together, so that a crash neither loses nor doubles
    a reminder.
    """
    rows = _lock(tx, [each.renewal_id for each in tellings])
    given = list_given(tx, rows.values())
    posts: list[Enqueue] = []
    ticked: list[dict[str, object]] = []
    for each in tellings:
        row = rows.get(each.renewal_id)
        if row is None or row.decides_on != each.decides_on or each.days_before in given[row.id]:
            continue
        posts += _post(row, each)
        row.seen = dict(each.seen)
        if each.days_before is not None:
            ticked.append(_tick(each, now))
    upsert(tx, RenewalReminderRow, ticked, keys=["renewal_id", "decides_on", "days_before"])
    enqueue(tx, posts, now)
    return sum(not each.is_update for each in posts)


def redraw(tx: Tx, row: RenewalRow, today: date, now: datetime) -> None:
    """Look at the renewal anew, because somebody changed it, and show that at the head of its thread."""
    row.seen = describe_seen(list_prospects(tx, [row], today)[row.id], today)
    tx.session.flush()
    enqueue(tx, [Enqueue(ROOT, row.id, is_update=True, priority=_PRIORITY)], now)


def read_reply(reference: str) -> tuple[str, date, int] | None:
    """Renewal, decision date and offset of a reminder's reference; None for any other text."""
    parts = reference.split(":")
    try:
        id_, day, days = parts
        return id_, date.fromisoformat(day), int(days)
    except ValueError:
        return None


def _post(row: RenewalRow, telling: Telling) -> list[Enqueue]:
    if telling.is_said and not row.thread_channel:
        row.thread_channel = telling.channel
        return [Enqueue(ROOT, row.id, telling.channel, f"{ROOT}:{row.id}", priority=_PRIORITY)]
    drawn = Enqueue(ROOT, row.id, is_update=True, priority=_PRIORITY)
    update = [drawn] if row.thread_channel and is_news(row.seen, telling.seen) else []
    if not telling.is_said:
        return update
    reference = f"{row.id}:{telling.decides_on.isoformat()}:{telling.days_before}"
    reply = Enqueue(REPLY, reference, row.thread_channel, thread_kind=ROOT, thread_reference=row.id, priority=_PRIORITY)
    return [*update, reply]


def _tick(telling: Telling, now: datetime) -> dict[str, object]:
    return {
        "renewal_id": telling.renewal_id,
        "decides_on": telling.decides_on,
        "days_before": telling.days_before,
        "given_at": now,
    }


def _lock(tx: Tx, ids: Collection[str]) -> dict[str, RenewalRow]:
    query = select(RenewalRow).where(
        RenewalRow.workspace_id == tx.workspace_id,
        col(RenewalRow.id).in_(ids),
        RenewalRow.outcome == RenewalOutcome.OPEN,
    )
    ordered = query.order_by(col(RenewalRow.id)).with_for_update().execution_options(populate_existing=True)
    return {row.id: row for row in tx.session.exec(ordered)}


def _is_later(after: Place | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    day, id_ = after
    same_day = and_(col(RenewalRow.decides_on) == day, col(RenewalRow.id) > id_)
    return [or_(col(RenewalRow.decides_on) > day, same_day)]
