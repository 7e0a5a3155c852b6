"""How long people took to answer what they were told of: the medians, found by the database. Owns this one query; who
works when is laid out by `rules.people.working_stretches`.

Every wait has its place in the order of its rule and of all, and only those in the middle are read. Moments are whole
microseconds, so that the figures are those of a sum by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Subquery, Text, and_, case, cast, extract, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from rules.alerts.ledger import Wait, Waits
from rules.people.working_stretches import DAY_MICROS, Stretch, lay_out
from rules.people.working_time import WorkingTime
from rules.records import AlertKind
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.ledger import is_answer, is_of_period
from storage.db import Tx
from storage.lookup import lay_table

_HOUR = timedelta(hours=1) // timedelta(microseconds=1)
_ORDERS = ("waited", "worked")
_BIG = BigInteger()
_Hours = tuple[str, time, time, str]


def measure_waits(tx: Tx, since: datetime, until: datetime, times: Mapping[str, WorkingTime]) -> Waits:
    """The medians of the alerts opened in [since, until), answered by `until`, in one query. `times` are by member id;
    whoever is not in it works Monday to Friday, nine to half past five, in UTC.
    """
    ranked = _rank(_measure(tx, since, until, times))
    ends = [
        end(case((_is_in_the_middle(ranked, order, scope), ranked.c[order]))).label(f"{order}_{scope}_{name}")
        for order in _ORDERS
        for scope in ("kind", "all")
        for name, end in (("low", func.min), ("high", func.max))
    ]
    query = select(ranked.c.kind, *ends).group_by(ranked.c.kind)
    found = [dict(row) for row in tx.session.execute(query).mappings()]
    waits: dict[AlertKind | None, Wait] = {row["kind"]: _to_wait(row, "kind") for row in found}
    return {**waits, None: _to_wait(_merge(found), "all")} if found else {}


def _merge(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The middle of all stands with one rule, or with two."""
    low = {f"{order}_all_low": min(_list_known(rows, f"{order}_all_low")) for order in _ORDERS}
    return low | {f"{order}_all_high": max(_list_known(rows, f"{order}_all_high")) for order in _ORDERS}


def _list_known(rows: Iterable[Mapping[str, Any]], name: str) -> list[int]:
    return [row[name] for row in rows if row[name] is not None]


def _to_wait(row: Mapping[str, Any], scope: str) -> Wait:
    return Wait(*((row[f"{each}_{scope}_low"] / _HOUR + row[f"{each}_{scope}_high"] / _HOUR) / 2 for each in _ORDERS))


# ---------------------------------------------------------------- the query, inside out


def _list_first_answers(tx: Tx, since: datetime, until: datetime) -> Subquery:
    """Each line by which a person answered an alert of the period that was told of, with its place among those."""
    event, row = AlertEventRow, EpisodeRow
    in_order = func.row_number().over(partition_by=col(event.episode_id), order_by=(col(event.at), col(event.id)))
    told, at = _micros(tx, col(row.announced_at)), _micros(tx, col(event.at))
    return (
        select(
            col(row.kind),
            told.label("told"),
            case((at > told, at), else_=told).label("answered"),
            col(event.actor_id).label("by"),
            in_order.label("place"),
        )
        .join(row, col(row.id) == col(event.episode_id))
        .where(is_answer(tx, until), is_of_period(tx, since, until), col(row.announced_at).is_not(None))
        .subquery("answers")
    )


def _measure(tx: Tx, since: datetime, until: datetime, times: Mapping[str, WorkingTime]) -> Subquery:
    """How long each answer took, in microseconds: by the clock, and of work. What was told after the end of the period,
    though answered before, waited for nobody.
    """
    calendars, whose = _lay_calendars(tx, since, until, times)
    answers = _list_first_answers(tx, since, until)
    first, last = calendars.alias("told_in"), calendars.alias("answered_in")
    by = func.coalesce(whose.c.calendar, 0)
    worked = _worked(last, answers.c.answered) - _worked(first, answers.c.told)
    return (
        select(
            answers.c.kind,
            (answers.c.answered - answers.c.told).label("waited"),
            func.coalesce(worked, 0).label("worked"),
        )
        .outerjoin_from(answers, whose, whose.c.member == answers.c.by)
        .outerjoin(first, _is_in(first, by, answers.c.told))
        .outerjoin(last, _is_in(last, by, answers.c.answered))
        .where(answers.c.place == 1)
        .subquery("waits")
    )


def _rank(waits: Subquery) -> Subquery:
    """The place of each wait in both orders, among those of its rule and among all, and how many those are."""
    places = [
        func.row_number().over(partition_by=part, order_by=waits.c[order]).label(f"{order}_{scope}")
        for order in _ORDERS
        for scope, part in (("kind", waits.c.kind), ("all", None))
    ]
    of_kind = func.count().over(partition_by=waits.c.kind).label("of_kind")
    return select(*waits.c, *places, of_kind, func.count().over().label("of_all")).subquery("ranked")


def _is_in_the_middle(ranked: Subquery, order: str, scope: str) -> ColumnElement[bool]:
    """Whether a wait is the one in the middle, or one of the two there."""
    twice, count = 2 * ranked.c[f"{order}_{scope}"], ranked.c[f"of_{scope}"]
    return twice.between(count, count + 2)


def _micros(tx: Tx, moment: ColumnElement[Any] | Mapped[Any]) -> ColumnElement[int]:
    """Microseconds since 1970. SQLite keeps moments as text, the six digits of the fraction at its end."""
    if tx.is_postgres:
        return cast(extract("epoch", moment) * 1_000_000, BigInteger)
    return cast(func.strftime("%s", moment), BigInteger) * 1_000_000 + cast(func.substr(moment, -6), BigInteger)


# ---------------------------------------------------------------- working time


def _lay_calendars(tx: Tx, since: datetime, until: datetime, times: Mapping[str, WorkingTime]) -> tuple[Any, Any]:
    """The stretches of each calendar, and which calendar is whose; number 0 is that of everybody else."""
    numbers = {_hours(WorkingTime()): 0}
    whose = [(member, numbers.setdefault(_hours(each), len(numbers))) for member, each in times.items()]
    found = {
        number: WorkingTime(zone, begin, end, country=country)
        for (zone, begin, end, country), number in numbers.items()
    }
    rows = ((number, *each) for number, one in found.items() for each in lay_out(one, since.date(), until.date()))
    columns = {"calendar": Integer(), **dict.fromkeys(Stretch._fields, _BIG)}
    return lay_table(tx, "calendars", columns, rows), lay_table(
        tx, "whose", {"member": Text(), "calendar": Integer()}, whose
    )


def _hours(working: WorkingTime) -> _Hours:
    """What tells one calendar from another."""
    return working.zone, working.work_from, working.work_until, working.country


def _is_in(stretch: Any, calendar: ColumnElement[int], moment: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(
        stretch.c.calendar == calendar,
        stretch.c.day == moment // DAY_MICROS,
        stretch.c.starts <= moment,
        moment < stretch.c.stops,
    )


def _worked(stretch: Any, moment: ColumnElement[int]) -> ColumnElement[int]:
    """What was worked up to a moment of the stretch."""
    until = case((moment < stretch.c.ends, moment), else_=stretch.c.ends)
    worked: ColumnElement[int] = stretch.c.before + until - stretch.c.starts
    return worked
