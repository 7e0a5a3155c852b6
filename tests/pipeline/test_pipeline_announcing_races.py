"""Two processes announce the alerts of one workspace at the same moment, or somebody gives away what one has just
decided on: real transactions in two threads, on both databases. No budget is overrun, nothing is told twice or to who
had it before, and what was decided on an old picture is decided afresh.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from pipeline.announcing import announce
from rules.alerts.alerts import Assign, Take, decide
from rules.alerts.noise_settings import decide_noise_settings
from rules.records import Actor, Severity
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import AlertEventRow, EpisodeRow, to_episode
from storage.alerts.noise_settings import apply_noise_settings
from storage.db import JOB_WAIT_SECONDS, Database, Tx
from storage.owners import Orphans, give_accounts
from storage.people.members import MemberRow
from tests.alert_rows import add_account, add_episode, add_member, list_outbox

TUESDAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
BUDGET = 3
"""Messages for an owner and day, by default."""


@dataclass
class Gated(Database):
    """A process of its own that stands still before it writes for the first time: it has decided, and not begun."""

    has_decided: threading.Event = field(default_factory=threading.Event)
    may_write: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def writing(self, workspace_id: str, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Tx]:
        self.has_decided.set()
        assert self.may_write.wait(20)
        with super().writing(workspace_id, wait_seconds=wait_seconds) as tx:
            yield tx


@pytest.fixture
def processes(database: Database, workspace_id: str) -> Iterator[list[Gated]]:
    """Two more on the database, whose workspace has one owner."""
    with database.writing(workspace_id) as tx:
        add_member(tx, "ADA", zone="UTC")
    opened = [Gated(database.url) for _ in range(2)]
    yield opened
    for each in opened:
        each.close()


def add(database: Database, workspace_id: str, names: str, **more: Any) -> None:
    """An alert of Ada's for each letter, of an account of its own."""
    with database.writing(workspace_id) as tx:
        for name in names:
            add_account(tx, name, owner_id="m-ADA")
            add_episode(tx, name, **{"announced_at": None, "channel_id": "", "opened_at": TUESDAY} | more)


def list_alerts(database: Database, workspace_id: str) -> dict[str, EpisodeRow]:
    with database.reading(workspace_id) as tx:
        return {row.account_id: row for row in tx.session.exec(select(EpisodeRow))}


def see_each_decided_once(database: Database, workspace_id: str, told: int) -> None:
    """So many were told, in as many messages, and of the others it was said once that they wait for the digest."""
    rows = list_alerts(database, workspace_id)
    assert sum(row.announced_at is not None for row in rows.values()) == told, rows
    assert len([row for row in list_outbox(database, workspace_id) if not row.is_update]) == told
    assert [row.quiet_reason for row in rows.values() if row.announced_at is None] == ["budget"] * (len(rows) - told)
    with database.reading(workspace_id) as tx:
        hushed = Counter(tx.session.exec(select(AlertEventRow.episode_id)))
    assert set(hushed.values()) <= {1}, hushed


@pytest.mark.parametrize("is_older_first", [True, False])
def test_who_decided_on_an_older_picture_decides_afresh(
    database: Database, workspace_id: str, processes: list[Gated], *, is_older_first: bool
):
    older, newer = processes
    add(database, workspace_id, "abc", severity=Severity.NOTICE)
    with ThreadPoolExecutor(2) as pool:
        runs = {id(older): start(pool, older, workspace_id)}
        add(database, workspace_id, "def", severity=Severity.HIGH)
        runs[id(newer)] = start(pool, newer, workspace_id)
        for each in (older, newer) if is_older_first else (newer, older):
            each.may_write.set()
            runs[id(each)].result(20)
    see_each_decided_once(database, workspace_id, BUDGET)


def start(pool: ThreadPoolExecutor, process: Gated, workspace_id: str) -> Future[Any]:
    """Let it decide."""
    run = pool.submit(announce, process, workspace_id, TUESDAY)
    assert process.has_decided.wait(20)
    return run


def test_two_that_write_at_once_share_one_budget(database: Database, workspace_id: str, processes: list[Gated]):
    for each in processes:
        each.may_write.set()
    gate = threading.Barrier(3)
    names = iter("abcdefghijkl")

    def open_more() -> None:
        add(database, workspace_id, next(names) + next(names))

    def repeat(act: Callable[[], object]) -> None:
        for _ in range(6):
            gate.wait(20)
            act()

    acts: list[Callable[[], object]] = [open_more]
    acts += [lambda each=each: announce(each, workspace_id, TUESDAY) for each in processes]
    with ThreadPoolExecutor(3) as pool:
        for run in [pool.submit(repeat, each) for each in acts]:
            run.result(60)
    announce(database, workspace_id, TUESDAY)
    see_each_decided_once(database, workspace_id, BUDGET)


# ---------------------------------------------------------------- given away in between

HAND = Actor("member", "m-LEAD", "Lena")
ASLEEP = "America/New_York"
"""Where it is five in the morning."""


def assign(tx: Tx) -> None:
    for row in tx.session.exec(select(EpisodeRow).order_by(EpisodeRow.id)).all():
        apply_alerts(tx, decide(to_episode(row), Assign("m-BOB"), TUESDAY), HAND, TUESDAY)


def give_away(tx: Tx) -> None:
    give_accounts(tx, Orphans(1, owner_id="m-ADA"), "m-BOB", HAND, TUESDAY)


@dataclass
class Scene:
    """Ada's alerts "a" and "b", and somebody who announces on a connection of their own, up to the first write."""

    database: Database
    workspace_id: str
    announcer: Gated

    def give(self, act: Callable[[Tx], None]) -> None:
        with self.database.writing(self.workspace_id) as tx:
            act(tx)

    def set_zones(self, **zones: str) -> None:
        with self.database.writing(self.workspace_id) as tx:
            for row in tx.session.exec(select(MemberRow)):
                row.zone = zones[row.slack_id]

    def list_told(self) -> list[str | None]:
        return [row.told_id for row in list_alerts(self.database, self.workspace_id).values() if row.announced_at]

    def list_verbs(self) -> list[str]:
        with self.database.reading(self.workspace_id) as tx:
            lines = select(AlertEventRow.verb).where(AlertEventRow.workspace_id == tx.workspace_id)
            return sorted(set(tx.session.exec(lines)) - {"assigned"})


@pytest.fixture
def scene(database: Database, workspace_id: str, processes: list[Gated]) -> Scene:
    with database.writing(workspace_id) as tx:
        add_member(tx, "BOB", zone="UTC")
    add(database, workspace_id, "ab", severity=Severity.HIGH)
    return Scene(database, workspace_id, processes[0])


@pytest.mark.parametrize("act", [assign, give_away])
@pytest.mark.parametrize(
    ("ada", "bob", "told", "verbs"),
    [
        (ASLEEP, "UTC", ["m-BOB", "m-BOB"], []),
        ("UTC", "UTC", ["m-BOB", "m-BOB"], []),
        ("UTC", ASLEEP, [], ["held"]),
    ],
    ids=["held", "told", "told, and Bob sleeps"],
)
def test_what_was_decided_for_who_had_it_is_decided_afresh(
    scene: Scene, act: Callable[[Tx], None], ada: str, bob: str, told: list[str], verbs: list[str]
):
    scene.set_zones(ADA=ada, BOB=bob)
    with ThreadPoolExecutor(1) as pool:
        run = start(pool, scene.announcer, scene.workspace_id)
        scene.give(act)
        scene.announcer.may_write.set()
        counts = run.result(20)
    assert (scene.list_told(), scene.list_verbs()) == (told, verbs)
    assert (counts["announced"], counts.get("held", 0)) == (len(told), 0 if told else 2)
    assert len([row for row in list_outbox(scene.database, scene.workspace_id) if not row.is_update]) == len(told)


@pytest.mark.parametrize("act", [assign, give_away])
def test_what_its_former_owner_wanted_in_digests_is_told_to_the_next_one(scene: Scene, act: Callable[[Tx], None]):
    with scene.database.writing(scene.workspace_id) as tx:
        [intent] = decide_noise_settings("m-ADA", {}, {"at_once_from": Severity.CRITICAL})
        apply_noise_settings(tx, intent, HAND, TUESDAY)
    with ThreadPoolExecutor(1) as pool:
        run = start(pool, scene.announcer, scene.workspace_id)
        scene.give(act)
        scene.announcer.may_write.set()
        run.result(20)
    assert (scene.list_told(), scene.list_verbs()) == (["m-BOB", "m-BOB"], [])


@pytest.mark.parametrize("zone", [ASLEEP, "UTC"], ids=["held", "told"])
@pytest.mark.parametrize("act", [assign, give_away])
def test_who_gives_an_alert_away_is_waited_for(scene: Scene, act: Callable[[Tx], None], zone: str):
    scene.set_zones(ADA=zone, BOB="UTC")
    with ThreadPoolExecutor(1) as pool:
        run = start(pool, scene.announcer, scene.workspace_id)
        with scene.database.writing(scene.workspace_id) as tx:
            act(tx)
            tx.session.flush()
            scene.announcer.may_write.set()
            with pytest.raises(TimeoutError):
                run.result(0.3)
        run.result(20)
    assert (scene.list_told(), scene.list_verbs()) == (["m-BOB", "m-BOB"], [])


def test_one_that_somebody_took_meanwhile_is_left_out_and_the_others_are_told(scene: Scene):
    with ThreadPoolExecutor(1) as pool:
        run = start(pool, scene.announcer, scene.workspace_id)
        with scene.database.writing(scene.workspace_id) as tx:
            row = tx.session.exec(select(EpisodeRow).where(EpisodeRow.account_id == "a")).one()
            apply_alerts(tx, decide(to_episode(row), Take("m-BOB"), TUESDAY), HAND, TUESDAY)
        scene.announcer.may_write.set()
        assert run.result(20)["announced"] == 1
    assert scene.list_told() == ["m-ADA"]
