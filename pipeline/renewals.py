"""Renewals day by day: who left is lost, the others are kept in step with their contracts, and spoken of when it is
time. Owns the pages and the order; refuses to decide (`rules.renewals`) and to word.

What is due is worked out from what is stored, so that a run that was missed, killed or repeated comes to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.report import JobReport
from rules.people.working_time import WorkingTime
from rules.records import Actor
from rules.renewals.reminders import find_reminder
from rules.renewals.renewals import COMING_DAYS
from storage.accounts.accounts import get_accounts, page_account_ids
from storage.db import Database
from storage.people.team import get_team_time
from storage.renewals.keeping import keep_renewals, list_gone_ids, plan_renewals
from storage.renewals.leaving import page_leaving_ids, settle_leaving
from storage.renewals.places import list_places
from storage.renewals.readiness import Prospect, list_prospects
from storage.renewals.reminders import (
    Place,
    Telling,
    apply_tellings,
    count_threads,
    describe_seen,
    is_news,
    list_given,
    page_open,
)
from storage.renewals.renewals import RenewalRow

ACTOR = Actor.job("renewals")
MOST_THREADS = 5
"""So many threads are opened in a channel on a day, those decided first; the others follow on the next days."""
_PAGE = 100


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Keep the renewals and, on a working day of the workspace, say what is due. Safe to repeat. A run that comes after
    the working day says nothing: the next morning's does.
    """
    with database.reading(workspace_id) as tx:
        team = get_team_time(tx)
    today = team.to_local(now).date()
    counts = _let_go(database, workspace_id, today, now)
    counts += _keep_all(database, workspace_id, today, now)
    if team.is_working_day(today) and not _is_evening(team, now):
        counts += _remind_all(database, workspace_id, _Day(today, now, _midnight(team, today)))
    return JobReport("renewals", dict(counts))


@dataclass(frozen=True)
class _Day:
    """The workspace's day, the moment of the run, and when the day began."""

    today: date
    now: datetime
    began_at: datetime


def _is_evening(team: WorkingTime, now: datetime) -> bool:
    return team.to_local(now).time() >= team.work_until > team.digest_at


def _midnight(team: WorkingTime, today: date) -> datetime:
    return datetime.combine(today, time(), ZoneInfo(team.zone))


# ---------------------------------------------------------------- leaving


def _let_go(database: Database, workspace_id: str, today: date, now: datetime) -> Counter[str]:
    """Those whose last day as a customer is over; each page is settled for good, so that the next read is empty."""
    counts: Counter[str] = Counter()
    while ids := _leaving_page(database, workspace_id, today):
        with database.writing(workspace_id) as tx:
            counts += settle_leaving(tx, ids, today, ACTOR, now)
    return counts


def _leaving_page(database: Database, workspace_id: str, today: date) -> list[str]:
    with database.reading(workspace_id) as tx:
        return page_leaving_ids(tx, today, _PAGE)


# ---------------------------------------------------------------- keeping


def _keep_all(database: Database, workspace_id: str, today: date, now: datetime) -> Counter[str]:
    """Page by page; a page that is in step is only read."""
    counts: Counter[str] = Counter()
    after = ""
    while ids := _next_page(database, workspace_id, after):
        counts += _keep(database, workspace_id, ids, today, now)
        after = ids[-1]
    while ids := _gone_page(database, workspace_id):
        counts += _keep(database, workspace_id, ids, today, now)
    return counts


def _next_page(database: Database, workspace_id: str, after: str) -> list[str]:
    with database.reading(workspace_id) as tx:
        return page_account_ids(tx, after=after, limit=_PAGE)


def _gone_page(database: Database, workspace_id: str) -> list[str]:
    with database.reading(workspace_id) as tx:
        return list_gone_ids(tx, _PAGE)


def _keep(database: Database, workspace_id: str, ids: Sequence[str], today: date, now: datetime) -> Counter[str]:
    with database.reading(workspace_id) as tx:
        is_in_step = not plan_renewals(tx, ids, today)
    if is_in_step:
        return Counter()
    with database.writing(workspace_id) as tx:
        return keep_renewals(tx, ids, today, ACTOR, now)


# ---------------------------------------------------------------- reminding


def _remind_all(database: Database, workspace_id: str, day: _Day) -> Counter[str]:
    """All that are near, the first decision first, so that the most urgent threads are opened first."""
    until = day.today + timedelta(days=COMING_DAYS)
    counts: Counter[str] = Counter()
    after: Place | None = None
    with database.reading(workspace_id) as tx:
        opened = Counter(count_threads(tx, day.began_at))
    while True:
        with database.reading(workspace_id) as tx:
            rows = page_open(tx, until, after, _PAGE)
            if not rows:
                return counts
            accounts = get_accounts(tx, {row.account_id for row in rows})
            places, given = list_places(tx, accounts.values()), list_given(tx, rows)
            prospects = list_prospects(tx, rows, day.today)
        found = [_tell(row, prospects[row.id], given[row.id], places[row.account_id], day.today) for row in rows]
        tellings = [each for each in found if each is not None]
        counts += _say(database, workspace_id, _fit(tellings, rows, opened, counts), day.now)
        after = (rows[-1].decides_on, rows[-1].id)


def _tell(row: RenewalRow, prospect: Prospect, given: set[int], place: str, today: date) -> Telling | None:
    """What is due for one renewal: a reminder, a message drawn anew, or nothing."""
    seen, has_thread = describe_seen(prospect, today), bool(row.thread_channel)
    is_ready = prospect.readiness.is_ready
    due = find_reminder(row.decides_on, today, given, has_thread=has_thread, is_ready=is_ready)
    if due is not None:
        return Telling(row.id, row.decides_on, seen, due.days_before, due.is_said, row.thread_channel or place)
    return Telling(row.id, row.decides_on, seen) if has_thread and is_news(row.seen, seen) else None


def _fit(
    tellings: Sequence[Telling], rows: Sequence[RenewalRow], opened: Counter[str], counts: Counter[str]
) -> list[Telling]:
    """Those that have somewhere to go and do not flood it; the others wait, which the counts tell."""
    threads = {row.id: row.thread_channel for row in rows}
    fitting = []
    for each in tellings:
        opens = each.is_said and not threads[each.renewal_id]
        if opens and not each.channel:
            counts["without_channel"] += 1
        elif opens and opened[each.channel] >= MOST_THREADS:
            counts["waiting"] += 1
        else:
            opened[each.channel] += opens
            fitting.append(each)
    return fitting


def _say(database: Database, workspace_id: str, tellings: Sequence[Telling], now: datetime) -> Counter[str]:
    if not tellings:
        return Counter()
    with database.writing(workspace_id) as tx:
        return Counter(said=apply_tellings(tx, tellings, now), looked_at=len(tellings))
