"""Offering check-ins: each morning every person learns in one message which of their accounts are due, and is reminded
once of older ones. Owns the order and the pages; refuses to decide (`rules.success.cadence`, `rules.success.checkins`).

It compares what should be with what is: whoever's working day has begun and who was not told anything today is told
what is due; run again, it changes nothing. An owner who is away is stood in for; an account of nobody is the lead's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pipeline.report import JobReport
from rules.people.working_time import WorkingTime
from rules.records import Actor
from rules.success.cadence import cadence_days, next_due
from rules.success.checkins import Due, Offer, TellMember, decide_morning, decide_supersede
from storage.accounts.accounts import page_account_ids
from storage.db import Database, Tx
from storage.people.members import MemberRow
from storage.people.team import find_stand_ins, list_away, list_people, list_working_times
from storage.people.workspaces import get_workspace
from storage.renewals.renewals import list_renewal_facts
from storage.success.cadences import Watched, list_cadences
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import list_offered_rows, list_told_members

ACTOR = Actor.job("checkins")
_READ_PAGE = 200
_WRITE_PAGE = 100
"""Withdrawn offers, or offers and reminders, per transaction."""


@dataclass(frozen=True)
class _Team:
    """Everybody as of `now`: who they are, when they work, on which day they are, who is away and who covers them."""

    people: Mapping[str, MemberRow]
    times: Mapping[str, WorkingTime]
    days: Mapping[str, date]
    away: Mapping[date, frozenset[str]]
    covers: Mapping[date, Mapping[str, str]]
    told: frozenset[tuple[str, date]]
    lead_id: str | None
    now: datetime

    def find_responsible(self, owner_id: str | None) -> str | None:
        """Who is to be asked about an account: its owner, else the lead; whoever covers them while they are away."""
        who = owner_id if owner_id in self.people else self.lead_id
        if who not in self.people or who is None:
            return None
        return self._find_cover(who) or who

    def _find_cover(self, who: str) -> str | None:
        """Who stands in. An absence counts on the later date of the two, so that whoever covers, wherever they live,
        begins and ends on mornings of their own, and nobody is asked in between.
        """
        for day in sorted((day for day in self.covers if day >= self.days[who]), reverse=True):
            cover = self.covers[day].get(who)
            if cover is not None and max(self.days[cover], self.days[who]) == day:
                return cover
        return None

    def is_to_tell(self, member_id: str) -> bool:
        """Whether the person is at work by now and was told nothing today."""
        time, day = self.times[member_id], self.days[member_id]
        is_there = time.is_working_day(day) and member_id not in self.away[day]
        return is_there and is_at_work(time, self.now) and (member_id, day) not in self.told


def is_at_work(time: WorkingTime, now: datetime) -> bool:
    """Whether the working day has begun on the person's clock, and has not ended; a night shift ends on the next."""
    clock = time.to_local(now).time()
    return time.work_from <= clock and (clock < time.work_until or time.work_until <= time.work_from)


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Tell everybody whose working day has begun what is due. Safe to repeat."""
    with database.reading(workspace_id) as tx:
        team, today = _read_team(tx, now), now.astimezone(ZoneInfo(get_workspace(tx).zone)).date()
        offers = [to_offer(row) for row in list_offered_rows(tx)]
    watched = [each for page in _page_watched(database, workspace_id, today) for each in page]
    right, wrong = _sort_offers(offers, watched, team)
    counts = _withdraw(database, workspace_id, wrong, team, now)
    told = _tell(database, workspace_id, list(_decide(watched, right, team)), now)
    nobodys = sum(team.find_responsible(each.owner_id) is None for each in watched)
    return JobReport("checkins", {"accounts": len(watched), **counts, **told}, tuple(_list_remarks(nobodys)))


def _read_team(tx: Tx, now: datetime) -> _Team:
    people, times = {row.id: row for row in list_people(tx)}, list_working_times(tx)
    days = {id_: times[id_].to_local(now).date() for id_ in people}
    distinct = sorted(set(days.values()))
    return _Team(
        people=people,
        times=times,
        days=days,
        away={day: list_away(tx, day) for day in distinct},
        covers={day: find_stand_ins(tx, day) for day in distinct},
        told=frozenset(list_told_members(tx, distinct)),
        lead_id=get_workspace(tx).lead_id,
        now=now,
    )


def _page_watched(database: Database, workspace_id: str, today: date) -> Iterator[list[Watched]]:
    """Page by page the accounts that have a rhythm."""
    after = ""
    while True:
        with database.reading(workspace_id) as tx:
            ids = page_account_ids(tx, after=after, limit=_READ_PAGE)
            page = list_cadences(tx, ids, today, list_renewal_facts(tx, ids, today))
        if not ids:
            return
        yield [each for each in page if cadence_days(each.facts, today) is not None]
        after = ids[-1]


def _sort_offers(
    offers: Iterable[Offer], watched: Iterable[Watched], team: _Team
) -> tuple[dict[str, Offer], list[Offer]]:
    """Open offers by account that still stand, and those to withdraw: the account is somebody else's by now, or no
    longer due.
    """
    due = {each.account_id: team.find_responsible(each.owner_id) for each in watched if _is_due(each, team)}
    right = {each.account_id: each for each in offers if due.get(each.account_id) == each.member_id}
    return right, [each for each in offers if each.account_id not in right]


def _is_due(each: Watched, team: _Team) -> bool:
    member_id = team.find_responsible(each.owner_id)
    return member_id is not None and _find_due(each, team, member_id) is not None


def _withdraw(database: Database, workspace_id: str, wrong: list[Offer], team: _Team, now: datetime) -> dict[str, int]:
    """Of those found wrong the ones that nobody settled since they were read."""
    count = 0
    for at in range(0, len(wrong), _WRITE_PAGE):
        page = wrong[at : at + _WRITE_PAGE]
        with database.writing(workspace_id) as tx:
            standing = {to_offer(row) for row in list_offered_rows(tx)}
            gone = [decide_supersede(each, _day_of(team, each)) for each in page if each in standing]
            apply_checkins(tx, gone, ACTOR, now)
        count += len(gone)
    return {"withdrawn": count}


def _day_of(team: _Team, offer: Offer) -> date:
    return team.days.get(offer.member_id) or team.now.date()


def _decide(watched: Iterable[Watched], offers: Mapping[str, Offer], team: _Team) -> Iterator[TellMember]:
    """What each person who is to be told something is told."""
    due: dict[str, list[Due]] = {}
    for each in watched:
        member_id = team.find_responsible(each.owner_id)
        if member_id is not None and each.account_id not in offers and team.is_to_tell(member_id):
            found = _find_due(each, team, member_id)
            due.setdefault(member_id, []).extend([found] if found else [])
    mine: dict[str, list[Offer]] = {}
    for offer in offers.values():
        if team.is_to_tell(offer.member_id):
            mine.setdefault(offer.member_id, []).append(offer)
    for member_id in sorted({*due, *mine}):
        channel, day, country = team.people[member_id].slack_id, team.days[member_id], team.times[member_id].country
        told = decide_morning(member_id, channel, due.get(member_id, ()), mine.get(member_id, ()), day, country)
        if told is not None:
            yield told


def _find_due(each: Watched, team: _Team, member_id: str) -> Due | None:
    day, country = team.days[member_id], team.times[member_id].country
    days, due_on = cadence_days(each.facts, day), next_due(each.facts, day, country)
    if days is None or due_on is None or due_on > day:
        return None
    return Due(each.account_id, due_on, days, each.facts.tier)


def _tell(database: Database, workspace_id: str, told: list[TellMember], now: datetime) -> dict[str, int]:
    """One message per person; a page of people at a time, together at most a hundred offers and reminders. What was
    offered again since it was read, because somebody took a word back, is left out.
    """
    counts = {"offered": 0, "reminded": 0, "messages": 0}
    for planned in _split(told):
        with database.writing(workspace_id) as tx:
            open_ids = {row.account_id for row in list_offered_rows(tx)}
            page = [each for each in (_without(one, open_ids) for one in planned) if each.offered or each.reminded]
            apply_checkins(tx, page, ACTOR, now)
        counts["offered"] += sum(len(each.offered) for each in page)
        counts["reminded"] += sum(len(each.reminded) for each in page)
        counts["messages"] += len(page)
    return counts


def _without(told: TellMember, account_ids: Collection[str]) -> TellMember:
    return replace(told, offered=tuple(each for each in told.offered if each[0] not in account_ids))


def _split(told: Iterable[TellMember]) -> Iterator[list[TellMember]]:
    page: list[TellMember] = []
    size = 0
    for each in told:
        length = len(each.offered) + len(each.reminded)
        if page and size + length > _WRITE_PAGE:
            yield page
            page, size = [], 0
        page.append(each)
        size += length
    if page:
        yield page


def _list_remarks(nobodys: int) -> Iterator[str]:
    if nobodys:
        yield f"Nobody checks in with accounts that have no owner while there is no lead: {nobodys}. See /cs setup."
