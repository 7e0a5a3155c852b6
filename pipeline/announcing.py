"""Announcing: of every open alert that nobody was told of it is decided whether it is told now, later or in digests
alone, and mutes begin and end. Owns the order, and the choice of the channel; refuses to decide (`rules.alerts.noise`),
to post (the outbox does) and to word (`commands.alerts.alerts`).

A step of its own, over all alerts and not those of one run, after each scan and every few minutes: what a killed run
left waits for the next one, and each step finds what is left to do by itself. Of two that run at once, who finds that
the other one wrote meanwhile decides afresh, so that no budget is overrun; and so it is with an alert that a person
changed or gave away between the decision and its writing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from rules.alerts.announcements import Announcement, Waiting, find_season
from rules.alerts.noise import Decision, Desk, Hold, House, Quieten, Silence, decide_noise
from rules.delivery.channels import Place, choose_channel
from rules.delivery.digests import choose_readers
from rules.records import Actor
from storage.alerts.announcements import (
    Seen,
    Unannounced,
    apply_announcement,
    apply_hush,
    list_told,
    list_unannounced,
)
from storage.alerts.announcing_turns import read_turn, take_turn
from storage.alerts.mutes import has_work, list_active
from storage.alerts.noise_settings import get_noise_settings
from storage.alerts.silencing import end_mutes, release_page, silence_page
from storage.alerts.unfinished_scans import list_found
from storage.db import Database, Tx
from storage.delivery.channels import read_team_place
from storage.delivery.schedules import DAILY, list_under_way
from storage.people.members import MemberRow
from storage.people.team import (
    find_stand_ins,
    get_team_time,
    list_away,
    list_leads,
    list_people,
    read_working_time,
)
from storage.people.workspaces import WorkspaceRow, get_workspace

ACTOR = Actor.job("noise")
_DAY = timedelta(days=2)
"""Whatever the zones, what was told longer ago was not told today."""
_PATIENCE = timedelta(hours=1)
"""How long a run that has not ended since it began keeps others from telling of what it found."""
_PAGE = 50
_NAMES = {Hold: "held", Quieten: "digest_only", Silence: "muted"}


def announce(
    database: Database, workspace_id: str, now: datetime, *, unfinished: Actor | None = None
) -> Mapping[str, int]:
    """Announce what waits and may be told now. Safe to repeat, and nearly free where nothing waits.

    What the job `unfinished` has found so far in a daily run that is under way is left to the end of that run, so that
    many alerts still become one summary; but for an hour at most. A run that died is not under way.

    Returns how many alerts went out ("announced") in how many messages, how many have nowhere to go
    ("without_channel"), and where there are any how many were held, left to digests and muted.
    """
    _carry_mutes_out(database, workspace_id, now)
    counts = Counter(announced=0, messages=0)
    is_done = False
    while not is_done:
        with database.reading(workspace_id) as tx:
            plan = _make_plan(tx, now, unfinished)
        told, is_done = _carry_out(database, workspace_id, plan)
        counts.update(told)
    return {**counts, "without_channel": plan.homeless}


# ---------------------------------------------------------------- deciding


@dataclass(frozen=True)
class _Plan:
    """What was decided in which turn, at `now`, about alerts as they were `seen`; `homeless`: how many have nowhere to
    go.
    """

    turn: int
    now: datetime
    decisions: Sequence[Decision] = ()
    seen: Seen = field(default_factory=dict)
    homeless: int = 0


@dataclass(frozen=True)
class _Team:
    """Who is there on a day, who stands in for whom, who leads, and the team's channel."""

    workspace: WorkspaceRow
    place: Place
    people: Mapping[str, MemberRow]
    there: frozenset[str]
    stand_ins: Mapping[str, str]
    leads: Sequence[str]

    def find_reader(self, owner_id: str | None) -> str:
        """Who is told of what is a member's, or nobody's; "" where there is nobody."""
        readers = choose_readers(owner_id, self.there, self.stand_ins, self.leads)
        return readers[0] if readers else ""


def _make_plan(tx: Tx, now: datetime, unfinished: Actor | None) -> _Plan:
    """What becomes of the alerts that wait. The number of queries is fixed."""
    turn = read_turn(tx)
    found = _list_to_announce(tx, now, unfinished)
    if not found:
        return _Plan(turn, now)
    team = _read_team(tx, now)
    waiting = [_to_waiting(each, team) for each in found]
    placed = [each for each in waiting if each.channel]
    decisions = decide_noise(placed, _read_house(tx, team, now), now)
    standing = {each.episode_id: each.standing for each in found}
    seen = {each.episode_id: standing[each.episode_id] for each in placed}
    return _Plan(turn, now, decisions, seen, len(waiting) - len(placed))


def _list_to_announce(tx: Tx, now: datetime, unfinished: Actor | None) -> list[Unannounced]:
    """The alerts first, the runs after them: what a run found that ends in between waits no longer, and it is another
    turn; of one that begins in between, nothing is among them.
    """
    found = list_unannounced(tx, now)
    if not found or unfinished is None:
        return found
    moments = list_under_way(tx, DAILY, now - _PATIENCE)
    left = list_found(tx, unfinished, moments) if moments else ()
    return [each for each in found if each.episode_id not in left]


def _read_team(tx: Tx, now: datetime) -> _Team:
    workspace, people = get_workspace(tx), list_people(tx)
    day = now.astimezone(ZoneInfo(workspace.zone)).date()
    there = frozenset(row.id for row in people) - list_away(tx, day)
    by_id, stand_ins = {row.id: row for row in people}, find_stand_ins(tx, day)
    return _Team(workspace, read_team_place(tx), by_id, there, stand_ins, list_leads(tx, people))


def _read_house(tx: Tx, team: _Team, now: datetime) -> House:
    home, own = get_noise_settings(tx)
    people = {id_: Desk(read_working_time(row, team.workspace), own.get(id_, home)) for id_, row in team.people.items()}
    return House(Desk(get_team_time(tx), home), people, list_active(tx, now), list_told(tx, now - _DAY))


def _to_waiting(each: Unannounced, team: _Team) -> Waiting:
    reader_id = team.find_reader(each.owner_id)
    return Waiting(
        each.episode_id,
        each.account_id,
        each.kind,
        each.severity,
        each.level,
        _choose_channel(each, team, reader_id),
        reader_id,
        each.owner_id or "",
        each.tier,
        each.batch,
    )


def _choose_channel(each: Unannounced, team: _Team, reader_id: str) -> str:
    """The account's own channel where nobody else reads it, else the team's, else a direct message to the reader, else
    to who installed Milepost. A season is the whole team's: it is not spread over the accounts' channels.
    """
    own = Place() if find_season(each.batch) else each.own
    reader = team.people.get(reader_id)
    return choose_channel(own, team.place, (reader.slack_id if reader else "", team.workspace.installer_id))


# ---------------------------------------------------------------- writing


def _carry_mutes_out(database: Database, workspace_id: str, now: datetime) -> None:
    with database.reading(workspace_id) as tx:
        if not has_work(tx, now):
            return
    for step in (end_mutes, release_page, silence_page):
        _repeat(database, workspace_id, step, now)


def _repeat(database: Database, workspace_id: str, step: Callable[[Tx, Actor, datetime], int], now: datetime) -> None:
    """In short transactions, until nothing is left."""
    count = 1
    while count:
        with database.writing(workspace_id) as tx:
            count = step(tx, ACTOR, now)


def _carry_out(database: Database, workspace_id: str, plan: _Plan) -> tuple[Counter[str], bool]:
    """In short transactions; what was done, and whether that is all of it: not so if somebody else announced, or
    changed an alert.
    """
    counts: Counter[str] = Counter()
    for done, write in enumerate(_list_writes(database, workspace_id, plan)):
        written = write(plan.turn + done)
        if written is None:
            return counts, False
        counts += written
    return counts, counts.total() - counts["messages"] == len(plan.seen)


def _list_writes(database: Database, workspace_id: str, plan: _Plan) -> Iterator[Callable[[int], Counter[str] | None]]:
    """One for each transaction: with its turn it returns what it did, or None if it is another turn by now."""
    quiet = [each for each in plan.decisions if not isinstance(each, Announcement)]
    for at in range(0, len(quiet), _PAGE):
        yield partial(_hush, database, workspace_id, plan, quiet[at : at + _PAGE])
    for each in plan.decisions:
        if isinstance(each, Announcement):
            yield partial(_tell, database, workspace_id, plan, each)


def _hush(
    database: Database, workspace_id: str, plan: _Plan, quiet: Sequence[Hold | Quieten | Silence], turn: int
) -> Counter[str] | None:
    with database.writing(workspace_id) as tx:
        if not take_turn(tx, turn):
            return None
        done = apply_hush(tx, quiet, plan.seen, ACTOR, plan.now)
    return Counter(_NAMES[type(each)] for each in done)


def _tell(
    database: Database, workspace_id: str, plan: _Plan, announcement: Announcement, turn: int
) -> Counter[str] | None:
    with database.writing(workspace_id) as tx:
        if not take_turn(tx, turn):
            return None
        told = apply_announcement(tx, announcement, plan.seen, plan.now)
    return Counter(announced=told, messages=min(told, 1))
