"""Worlds for the crash points: a prepared database and a Slack each, a process that dies in it at one point, another
that finishes the work, and what is there in the end, compared with a world where nobody died.
"""

from __future__ import annotations

import asyncio
import copy
import json
import signal
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from aiohttp import web
from sqlmodel import col, select, update

from pipeline import scan
from rules.records import Actor, Enqueue, Role
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.noise_settings import ChangeNoise, apply_noise_settings
from storage.audit import AuditRow
from storage.db import Database
from storage.delivery.deliveries import DeliveryRow
from storage.delivery.digests import DigestRow
from storage.delivery.leases import LeaseRow
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow, ensure_schedules
from storage.people.workspaces import get_workspace
from tests.alert_rows import TODAY, add_account, add_member, add_scores, steady
from tests.bot.fake_slack import FakeSlack, Posted
from tests.channel_rows import know_channels
from tests.conftest import NOW, add_workspace
from tests.crash.damage import find_damage
from tests.crash.forked import Child, Forker
from tests.crash.points_seam import DIED, Point
from tests.crash.points_story import CHAPTERS

DAY = timedelta(days=1)
TELL = "tests.crash.points_story:tell"
ALONE, TOGETHER, CALM = 6, 7, 6
"""Accounts that fall: with a channel of their own, and of the team's channel; and accounts that do not."""
FAULTS = {"lost": "lost", "oops": "500"}
"""What happens to the first request for a message, by the beginning of its text."""
_TRIES = 4
UNORDERED = {"DADMIN"}
"""Where what is said of several channels at once meets."""


def prepare(database: Database) -> None:
    """A team, messages of every fate in the outbox, and accounts whose health fell."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        get_workspace(tx).installer_id = "UADMIN"
        for slack_id, role in (("U1", Role.LEAD), ("U2", Role.CSM), ("U3", Role.CSM)):
            add_member(tx, slack_id, role=role, zone="UTC", locale="en-US", refreshed_at=NOW)
        loud = ChangeNoise("", {"owner_daily": 50, "channel_daily": 100, "digest_tiers": frozenset()})
        apply_noise_settings(tx, loud, Actor.job("test"), NOW)
        for each in range(ALONE + TOGETHER + CALM):
            name = f"{'ats'[(each >= ALONE) + (each >= ALONE + TOGETHER)]}{each % 7 if each < ALONE else each}"
            add_account(
                tx, name, tier="A", owner_id=f"m-U{each % 3 + 1}", channel_id=f"C{each % 3 + 1}" if each < ALONE else ""
            )
            falls = each < ALONE + TOGETHER
            days = {TODAY: 60.0 - each, TODAY + DAY: 60.0 - each} if falls else {TODAY: 90, TODAY + DAY: 90}
            add_scores(tx, name, steady(TODAY - DAY, 90, 16) | days)
        enqueue(tx, _list_notes(), NOW)
        know_channels(tx, "C1", "C2", "C3")
    for back in (1, 0):
        scan.run(database, workspace_id, NOW - back * DAY)
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, NOW + timedelta(hours=3))


def _list_notes() -> list[Enqueue]:
    """Three of each: posted at once, answered into nothing, failed, in a channel to join, in one to stay out of,
    with nothing left to say, to a person; and replies and updates of them, some lost too.
    """
    notes = []
    for each in "123":
        places = {"good": "CG", "lost": "CL", "oops": "CE", "join": "CJ", "dead": "CP"}
        notes += [Enqueue("note", f"{kind}{each}", channel=f"{place}{each}") for kind, place in places.items()]
        notes.append(Enqueue("note", f"lost-direct{each}", channel=f"U7{each}"))
        of = {"thread_kind": "note", "thread_reference": f"good{each}"}
        notes += [Enqueue("note", f"{kind}-reply{each}", **of) for kind in ("good", "lost")]
        notes.append(Enqueue("note", f"good{each}", is_update=True))
    return notes


@dataclass
class Ledger:
    """What Slack remembers between two processes."""

    messages: list[Posted] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)
    failed: set[tuple[str, str]] = field(default_factory=set)


class StorySlack(FakeSlack):
    """Goes on from a ledger, fails by what is posted, and ends the process that asks: when the method `death` is asked
    for the `hit`-th time, Slack has it, and nobody is there any more to read the answer.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.private = {"CP1", "CP2", "CP3"}
        self.ledger = copy.deepcopy(ledger)
        self.messages, self.joined = self.ledger.messages, self.ledger.joined
        self.death, self.hit = "", 0
        self.victim: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self.asked: Counter[str] = Counter()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.asked[method] += 1
        is_last = (method, self.asked[method]) == (self.death, self.hit)
        form = dict(await request.post())
        body = await request.json() if request.content_type == "application/json" else form
        fault = self._choose_fault(method, str(body.get("text", "")))
        if fault:
            self.faults[method].append(fault)
        if is_last and fault in {"lost", "drop"}:  # it dies in the same moment in which its answer is lost
            (await self.victim).send(signal.SIGKILL)
        answer = await super()._answer(request)
        if is_last:
            (await self.victim).send(signal.SIGKILL)
            await (await self.victim).wait()
        return answer

    def _choose_fault(self, method: str, text: str) -> str:
        kind = "drop" if method == "chat.update" else FAULTS.get(text[:4], "")
        if not text or not kind or (method, text) in self.ledger.failed:
            return ""
        self.ledger.failed.add((method, text))
        return kind


# ---------------------------------------------------------------- what is there in the end


def describe(database: Database, slack: StorySlack) -> dict[str, object]:
    """Slack's ledger by channel and key, and the tables, without the ids and moments made up on the way."""
    with database.read() as session:
        episodes = {row.id: row for row in session.exec(select(EpisodeRow))}
        outbox = {row.dedupe_key: row for row in session.exec(select(OutboxRow))}
        history, audit = session.exec(select(AlertEventRow)).all(), session.exec(select(AuditRow)).all()
        digests, pressed = session.exec(select(DigestRow)).all(), session.exec(select(DeliveryRow)).all()
        jobs = {row.id: row.job for row in session.exec(select(ScheduleRow))}
        runs = session.exec(select(ScheduleRunRow)).all()
    about = {row.id: row.account_id for row in episodes.values()} | {row.id: row.recipient for row in digests}

    def name(row: OutboxRow) -> str:
        known = about.get(row.reference)
        return f"{row.kind} {known or (row.reference if row.kind == 'note' else '')}"

    return {
        "slack": _read_ledger(slack, {key: name(row) for key, row in outbox.items()}),
        "outbox": Counter((name(row), row.is_update, row.channel, row.state) for row in outbox.values()),
        "episodes": Counter(
            (row.account_id, row.kind, row.state, row.version, row.channel_id, row.announced_at, bool(row.summary_id))
            for row in episodes.values()
        ),
        "history": Counter((about[row.episode_id], row.verb) for row in history),
        "audit": Counter((row.object_kind, about.get(row.object_id, ""), row.verb) for row in audit),
        "digests": Counter((row.kind, row.recipient, row.day, row.is_empty) for row in digests),
        "pressed": len(pressed),
        "runs": Counter((jobs.get(row.schedule_id), row.occurrence, row.error) for row in runs),
        "damage": find_damage(database),
    }


def _read_ledger(slack: StorySlack, names: Mapping[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    """Per channel, in order: which message, its last text, and of which message it is a reply. Raises `AssertionError`
    where a key stands twice.
    """
    keys = Counter(each.key for each in slack.standing)
    assert max(keys.values()) == 1, f"doubled: {[names.get(key, key) for key, count in keys.items() if count > 1]}"
    at = {each.ts: names[each.key] for each in slack.standing}
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for each in slack.standing:
        found[each.channel].append((names[each.key], each.text, at.get(each.thread_ts, "")))
    for channel in set(found) & UNORDERED:
        found[channel].sort()
    return dict(found)


def find_differences(calm: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """What differs from the world where nobody died, part by part."""
    lines = []
    for part, wanted in calm.items():
        if found[part] == wanted:
            continue
        lines.append(f"{part}: {_compare(wanted, found[part])}")
    return lines


def _compare(wanted: Any, found: Any) -> str:
    if isinstance(wanted, Counter):
        return f"missing {dict(wanted - found)}, too much {dict(found - wanted)}"
    if isinstance(wanted, dict):
        differing = [key for key in {*wanted, *found} if wanted.get(key) != found.get(key)]
        return "; ".join(f"{key}: {found.get(key)} instead of {wanted.get(key)}" for key in differing)
    return f"{found} instead of {wanted}"


# ---------------------------------------------------------------- worlds


class Worlds(Protocol):
    """Makes copies of databases that nobody is connected to."""

    def copy(self, of: Database) -> AbstractAsyncContextManager[Database]: ...


@dataclass(frozen=True)
class Result:
    """What became of one death; `fault` is "" when all is well."""

    point: Point
    hit: int
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.point.what:<58} {self.point.side:<6} hit {self.hit}  {self.fault or 'ok'}"


@dataclass(frozen=True)
class Calm:
    """A chapter where nobody died: what was there before, how often it came to each point, and what was there after."""

    number: int
    database: Database
    ledger: Ledger
    counts: Mapping[Point, int]
    end: Mapping[str, object]


async def warm_up(worlds: Worlds, forker: Forker, prepared: Database) -> None:
    """Let the program itself live through the story once, so that its children need not work everything out anew."""
    async with worlds.copy(prepared) as database, StorySlack(Ledger()) as slack:
        order = {"url": database.url, "slack": slack.url, "chapters": list(range(CHAPTERS))}
        assert await (await forker.start(TELL, is_warming=True, **order)).wait(300) == 0


async def live_calmly(worlds: Worlds, forker: Forker, prepared: Database, stack: AsyncExitStack) -> list[Calm]:
    """The story with no death in it, chapter by chapter; `stack` keeps the databases."""
    chapters: list[Calm] = []
    before, ledger = prepared, Ledger()
    for number in range(CHAPTERS):
        database = await stack.enter_async_context(worlds.copy(before))
        async with StorySlack(ledger) as slack:
            child = await forker.start(TELL, url=database.url, slack=slack.url, chapters=[number])
            assert await child.wait(300) == 0, "the calm story failed by itself"
            points = {Point(what, side): count for what, side, count in json.loads(await child.hear())}
            asked = {Point(f"request {method}", "after"): count for method, count in slack.asked.items()}
            chapters.append(Calm(number, before, ledger, points | asked, describe(database, slack)))
            database.close()
            before, ledger = database, slack.ledger
    return chapters


async def die_at(worlds: Worlds, forker: Forker, calm: Calm, point: Point, hit: int) -> Result:
    """One death in a chapter, and what the next process makes of it. What happens at once differs from run to run, so
    that a point may be passed by now and then: then once more.
    """
    for _ in range(_TRIES):
        async with worlds.copy(calm.database) as database, StorySlack(calm.ledger) as slack:
            if not await _die(forker, database, slack, calm, point, hit):
                continue
            let_leases_end(database)
            child = await forker.start(TELL, url=database.url, slack=slack.url, chapters=[calm.number])
            if await child.wait(300) != 0:
                return Result(point, hit, "the next process did not finish")
            try:
                differences = find_differences(calm.end, describe(database, slack))
            except AssertionError as error:
                differences = [str(error)]
            return Result(point, hit, " | ".join(differences))
    return Result(point, hit, f"not reached in {_TRIES} tries")


async def _die(forker: Forker, database: Database, slack: StorySlack, calm: Calm, point: Point, hit: int) -> bool:
    """Whether the process died at its point; else it never came there."""
    kind, _, method = point.what.partition(" ")
    is_slacks = (kind, point.side) == ("request", "after")
    if is_slacks:
        slack.death, slack.hit = method, hit
    child = await forker.start(
        TELL,
        url=database.url,
        slack=slack.url,
        chapters=[calm.number],
        death=None if is_slacks else list(point),
        hit=hit,
    )
    slack.victim.set_result(child)
    code = await child.wait(300)
    slack.death = ""
    assert code in {0, DIED, -signal.SIGKILL}, f"{point} {hit}: it failed by itself ({code})"
    return code != 0


def let_leases_end(database: Database) -> None:
    """As if as much time had passed since the process died as its leases had left."""
    with database.write() as session:
        session.execute(update(LeaseRow).values(expires_at=NOW))
        session.execute(update(OutboxRow).where(col(OutboxRow.lease_until).is_not(None)).values(lease_until=NOW))
    database.close()
