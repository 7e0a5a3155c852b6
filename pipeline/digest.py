"""Digests: each person's in their own morning, the team channel's unclaimed alerts daily, its renewals weekly. Owns
the order of reading, deciding and writing; refuses to choose (`rules.delivery.digests`) and to word
(`commands.delivery`).

State-based: whose local time has come and who has no digest of that day gets one, so a run that comes late or twice
makes each digest once. A fixed number of queries for all people of a local day, and one transaction per page of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline.report import JobReport
from rules.delivery.digests import (
    RENEWAL_DAYS,
    UNCLAIMED_TIME,
    Item,
    MakeDigest,
    arrange,
    dump_contents,
    find_digest_day,
    is_first_of_week,
    is_weekly_due,
    is_worth_telling,
    share_out,
)
from rules.people.working_time import WorkingTime
from rules.records import DigestKind, DigestWish
from storage.agenda import Reached, list_open_items, list_reached, list_unclaimed
from storage.db import Database, Tx
from storage.delivery.channels import find_team_channel
from storage.delivery.digests import apply_digests, list_last_days, list_last_made, list_made
from storage.people.members import MemberRow
from storage.people.team import (
    find_stand_ins,
    get_team_time,
    list_away,
    list_leads,
    list_people,
    list_working_times,
)
from storage.renewals.renewals import list_coming

_PAGE = 100
_NEWS_DAYS = 7
"""How far back the first digest looks for good news."""
MOST_UNCLAIMED = 10
_LOOK_BACK = timedelta(days=35)
"""Longer ago than any weekly day that may still be made up for."""


@dataclass(frozen=True)
class _Due:
    """A person whose digest should be there by now, without one yet."""

    member: MemberRow
    times: WorkingTime
    day: date


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Make every digest that is due and missing. Safe to repeat."""
    with database.reading(workspace_id) as tx:
        due = _list_due(tx, now)
        wanted = [each for day in sorted({each.day for each in due}) for each in _list_personal(tx, due, day, now)]
        wanted += _list_of_channel(tx, now)
    counts = {"made": 0, "empty": 0}
    for page in (wanted[at : at + _PAGE] for at in range(0, len(wanted), _PAGE)):
        with database.writing(workspace_id) as tx:
            for row in apply_digests(tx, page, now):
                counts["empty" if row.is_empty else "made"] += 1
    return JobReport("digest", counts)


# ---------------------------------------------------------------- people


def _list_due(tx: Tx, now: datetime) -> list[_Due]:
    times = list_working_times(tx)
    last = list_last_days(tx, now.date() - _LOOK_BACK)
    days = (
        (row, find_digest_day(times[row.id], now, row.digest_wish, last.get((DigestKind.PERSON, row.slack_id))))
        for row in list_people(tx)
    )
    due = [_Due(row, times[row.id], day) for row, day in days if day is not None]
    made = list_made(tx, {each.day for each in due}) if due else set()
    return [each for each in due if (DigestKind.PERSON, each.member.slack_id, each.day) not in made]


def _list_personal(tx: Tx, due: Sequence[_Due], day: date, now: datetime) -> Iterator[MakeDigest]:
    """The digests of all whose local day it is, but for who is away."""
    people, away = list_people(tx), list_away(tx, day)
    there = {row.id for row in people} - away
    since = now - timedelta(days=_NEWS_DAYS)
    reached = list_reached(tx, day, since)
    items = [*list_open_items(tx, day), *(each.item for each in reached)]
    shared = share_out(items, there, find_stand_ins(tx, day), list_leads(tx, people))
    last = list_last_made(tx, DigestKind.PERSON, day - timedelta(days=_NEWS_DAYS + 1))
    for each in due:
        if each.day == day and each.member.id not in away:
            told = _drop_old(shared.get(each.member.id, ()), reached, last.get(each.member.slack_id, since))
            yield _make(each, told)


def _drop_old(items: Sequence[Item], reached: Sequence[Reached], since: datetime) -> list[Item]:
    """Without the good news that the person's last digest told already."""
    old = {each.item for each in reached if each.saved_at <= since}
    return [item for item in items if item not in old] if old else list(items)


def _make(of: _Due, items: Sequence[Item]) -> MakeDigest:
    contents = arrange(items, of.day)
    is_first = is_first_of_week(of.times, of.day) or of.member.digest_wish is DigestWish.WEEKLY
    is_empty = not is_worth_telling(contents, of.day, is_first_of_week=is_first)
    stored: Mapping[str, object] = {} if is_empty else dump_contents(contents)
    return MakeDigest(DigestKind.PERSON, of.member.slack_id, of.day, is_empty, stored)


# ---------------------------------------------------------------- the team's channel


def _list_of_channel(tx: Tx, now: datetime) -> Iterator[MakeDigest]:
    """Alerts nobody took, each working day; the table of renewals, once a week (later if its day was slept over)."""
    channel, times = find_team_channel(tx), get_team_time(tx)
    day = find_digest_day(times, now) if channel else None
    if day is None:
        return
    made = list_made(tx, [day])
    if (DigestKind.TEAM, channel, day) not in made:
        ids, count = list_unclaimed(tx, now - UNCLAIMED_TIME, MOST_UNCLAIMED)
        yield MakeDigest(DigestKind.TEAM, channel, day, not ids, {"alerts": ids, "count": count})
    last = list_last_days(tx, day - _LOOK_BACK).get((DigestKind.RENEWALS, channel))
    if is_weekly_due(times, day, last):
        is_empty = not list_coming(tx, day + timedelta(days=RENEWAL_DAYS), limit=1)
        yield MakeDigest(DigestKind.RENEWALS, channel, day, is_empty)
