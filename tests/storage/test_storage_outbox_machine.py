"""The outbox as a machine: whatever people, workers, faults, deaths, pauses and clocks do, in whatever order: none is
lost, none stands twice in the end, each channel keeps its order and its pace, and what stands shows the truth.

The model is a Slack that notes what was posted when. It knows nothing of rows, leases or slots. What delivery does
around them is done here as `bot.slack.delivery` does it: a message is drawn when it is claimed, no request begins
without time left on the lease, an update is not looked up but made again, a paused workspace is left alone.

Left out, because nothing is promised there: a sender that lives through a turned clock (it counts as dead), a request
that lands later than the sweep looks, and a clock that jumps over the sweep's wait while such a request is on its way.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event
from sqlmodel import col, func, select

from rules.delivery.outbox import UNSEEN, Pace
from rules.records import Actor, Enqueue
from storage.db import Database, Tx
from storage.delivery import stuck
from storage.delivery.outbox import OutboxRow, enqueue, find_posted
from storage.delivery.outbox_claims import (
    cancel,
    claim,
    claim_uncertain,
    defer_lookup,
    list_doubtful,
    mark_dead,
    mark_sent,
    mark_swept,
    mark_uncertain,
    recover,
    release,
    requeue,
)
from storage.delivery.outbox_due import find_due
from storage.delivery.stuck import Wanted
from storage.people.connections import BY_HAND, pause_workspace, resume_workspace
from storage.people.workspaces import get_workspace
from tests.conftest import NOW, add_workspace

pytestmark = pytest.mark.long

PACE = Pace()
ADMIN = Actor("member", "m1")
CHANNELS = ("C1", "C2", "C3")
HOWS = ("sent",) * 8 + (
    *("lost", "dropped", "late", "too_late", "refused", "released", "died", "died_after", "dead", "stalled"),
)
LATEST = PACE.settle + 120
"""How long the latest request takes to land: too long for the look-up, not for the sweep."""
_teams = count(1)


@dataclass
class Copy:
    """A message that stands in Slack, as of a version of what it tells of."""

    name: str
    ts: str
    version: int


@dataclass
class Wish:
    """Something that had to be said."""

    name: str
    channel: str
    priority: int
    parent: str = ""
    version: int = 1
    is_over: bool = False
    # Its place in the order is not promised: others passed it while it was dead.
    is_loose: bool = False
    # A request for it lands after the look-up: until the sweep it may stand twice.
    may_double: bool = False


@dataclass(frozen=True)
class Drawn:
    """A claim, and what its message says: as of the claim."""

    at: timedelta
    version: int
    is_over: bool
    place: tuple[str, str] | None = None


@dataclass
class World:
    """What Slack shows, and what is on its way there."""

    copies: dict[str, list[Copy]] = field(default_factory=lambda: defaultdict(list))
    landing: list[tuple[timedelta, str, Copy]] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    last_post: dict[str, timedelta] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def post(self, wish: Wish, version: int, at: timedelta, delay: float) -> str:
        copy = Copy(wish.name, f"{next(self.numbers)}.000100", version)
        self.landing.append((at + timedelta(seconds=delay), wish.channel, copy))
        self.land(at)
        return copy.ts

    def land(self, at: timedelta) -> None:
        for each in [each for each in self.landing if each[0] <= at]:
            self.landing.remove(each)
            _, channel, copy = each
            self.copies[channel].append(copy)
            if copy.name not in self.said[channel]:
                self.said[channel].append(copy.name)

    def find(self, channel: str, name: str) -> list[Copy]:
        return [copy for copy in self.copies[channel] if copy.name == name]


class Outbox(RuleBasedStateMachine):
    """`elapsed` is time as it passes; `now` is what the clock says, which may be turned."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    claimed = Bundle("claimed")
    unclear = Bundle("unclear")

    @initialize()
    def begin(self) -> None:
        self.now, self.elapsed, self.turned_at = NOW, timedelta(), timedelta(-1)
        self.wishes: dict[str, Wish] = {}
        self.slack = World()
        self.drawn: dict[tuple[str, int], Drawn] = {}
        self.is_paused = False
        self.workspace_id = add_workspace(self.database, f"T{next(_teams)}")
        for channel in CHANNELS:
            self.say(channel, 3, 5)

    # -------------------------------------------------------- people

    @rule(channel=st.sampled_from(CHANNELS), many=st.integers(2, 4), priority=st.sampled_from([1, 5]))
    def say(self, channel: str, many: int, priority: int) -> None:
        new = [Wish(f"n{len(self.wishes) + at}", channel, priority) for at in range(many)]
        self.wishes |= {wish.name: wish for wish in new}
        self.write(lambda tx: enqueue(tx, [Enqueue("note", w.name, channel, priority=priority) for w in new], self.now))

    @rule(what=st.sampled_from(["change", "change", "change", "reply", "over", "again"]), at=st.integers(0, 1000))
    def say_more(self, what: str, at: int) -> None:
        """About something said before: it changed, an answer to it, it is over, or the same once more."""
        wish = self.wishes[sorted(self.wishes)[at % len(self.wishes)]]
        if what == "over":
            wish.is_over = True
        elif what == "change":
            wish.version += 1
            self.write(lambda tx: self.tell_change(tx, wish))
        elif what == "reply":
            name = f"r{len(self.wishes)}"
            self.wishes[name] = Wish(name, wish.channel, 5, wish.name)
            answer = Enqueue("note", name, wish.channel, thread_kind="note", thread_reference=wish.name)
            self.write(lambda tx: enqueue(tx, [answer], self.now))
        else:
            self.write(lambda tx: enqueue(tx, [Enqueue("note", wish.name, wish.channel)], self.now))

    def tell_change(self, tx: Tx, wish: Wish) -> None:
        """An update that waits already is enough."""
        before = self.count_waiting_updates(tx, wish)
        enqueue(tx, [Enqueue("note", wish.name, is_update=True, priority=len(self.wishes) % 2)], self.now)
        assert before == 0 or self.count_waiting_updates(tx, wish) == before

    @rule(what=st.sampled_from(["resume", "mend", "resume", "pause"]))
    def operate(self, what: str) -> None:
        if what == "mend":
            self.write(lambda tx: stuck.requeue(tx, Wanted(), ADMIN, self.now))
        elif what == "pause":
            self.write(lambda tx: pause_workspace(tx, BY_HAND, self.now, ADMIN))
        else:
            self.write(lambda tx: resume_workspace(tx, ADMIN, self.now))
        self.is_paused = what == "pause" or (what == "mend" and self.is_paused)
        assert self.write(lambda tx: get_workspace(tx).is_paused) == self.is_paused

    # -------------------------------------------------------- workers

    @rule(hows=st.lists(st.sampled_from(HOWS), min_size=1, max_size=3), seconds=st.sampled_from([0, 16, 80]))
    def work(self, hows: list[str], seconds: int) -> None:
        """A worker for a while: look up what is unclear, then claim and send."""
        self.pass_time(seconds)
        for how in hows:
            self.pass_time(PACE.spacing if how == "sent" else PACE.spacing / 2)  # now and then too soon for a channel
            unclear, heads = self.write(lambda tx: self.take_due(tx, 5, 2))
            for row in unclear:
                self.look_up_now(row)
            for row in heads:
                self.send_row(row, how)

    @rule(hows=st.lists(st.sampled_from(HOWS), min_size=1, max_size=3), seconds=st.sampled_from([0, 16, 80]))
    def work_on(self, hows: list[str], seconds: int) -> None:
        """Once more, so that it is chosen as often as it matters."""
        self.work(hows, seconds)

    @rule(target=claimed, limit=st.integers(1, 3))
    def take(self, limit: int):
        return multiple(*self.write(lambda tx: self.take_due(tx, 0, limit))[1])

    @rule(target=unclear)
    def take_unclear(self):
        return multiple(*self.write(lambda tx: self.take_due(tx, 3, 0))[0])

    @rule(row=consumes(claimed), how=st.sampled_from(HOWS))
    def send(self, row: OutboxRow, how: str) -> None:
        """The other worker, who takes its time between the claim and the request."""
        self.send_row(row, how)

    def send_row(self, row: OutboxRow, how: str) -> None:
        """A sender asks Slack only while its lease is good, as delivery does; one that lived through a turned clock
        counts as dead.
        """
        assert row.lease_until is not None
        is_good = (
            self.now < row.lease_until - timedelta(seconds=PACE.timeout)
            and self.drawn[row.id, row.epoch].at > self.turned_at
        )
        if not is_good or how == "died":
            return
        if self.drawn[row.id, row.epoch].is_over and not row.is_update:
            self.write(lambda tx: cancel(tx, row, "over"))
        elif row.is_update:
            self.send_update(row, how)
        else:
            self.send_post(row, how)

    @rule(row=consumes(unclear), how=st.sampled_from(["looked", "looked", "failed", "died", "unseen"]))
    def look_up(self, row: OutboxRow, how: str) -> None:
        if how == "unseen" and not row.is_update:
            if self.write(lambda tx: mark_dead(tx, row, f"{UNSEEN}: missing_scope")):
                self.wishes[row.reference].is_loose = True
        elif how == "failed":
            self.write(lambda tx: defer_lookup(tx, row, self.now + timedelta(seconds=5), how))
        elif how != "died":
            self.look_up_now(row)

    @rule()
    def sweep(self) -> None:
        for row in self.write(lambda tx: list_doubtful(tx, self.now, PACE)):
            self.sweep_row(row)

    # -------------------------------------------------------- time

    @rule(seconds=st.sampled_from([1, 1, 1, 1, 3, 16, 61]))
    def wait(self, seconds: int) -> None:
        self.pass_time(seconds)

    @rule(hours=st.sampled_from([-24, -1, 1, 24]))
    def turn_clock(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.turned_at = self.elapsed
        self.slack.last_post.clear()
        # What is under way lands before the rows are looked at next: waits are told by the clock, landings are not.
        self.pass_time(LATEST + 1)

    # -------------------------------------------------------- what must hold

    @invariant()
    def order_is_kept(self) -> None:
        for channel, said in getattr(self, "slack", World()).said.items():
            firm = [self.wishes[name] for name in said if not self.wishes[name].is_loose]
            for priority in (1, 5):
                names = [wish.name for wish in firm if wish.priority == priority and not wish.parent]
                assert names == sorted(names, key=lambda name: int(name[1:])), (channel, said)
            for wish in firm:
                parent = self.wishes.get(wish.parent)
                if parent is not None and not parent.is_loose and parent.name in said:
                    assert said.index(parent.name) < said.index(wish.name)

    @invariant()
    def none_stands_twice(self) -> None:
        for copies in getattr(self, "slack", World()).copies.values():
            names = [copy.name for copy in copies if not self.wishes[copy.name].may_double]
            assert len(names) == len(set(names)), copies

    def teardown(self) -> None:
        if hasattr(self, "slack"):
            self.settle()
            self.check_end()

    def check_end(self) -> None:
        for wish in self.wishes.values():
            standing = self.slack.find(wish.channel, wish.name)
            assert len(standing) == 1 or (wish.is_over and not standing), (wish, standing)
            # What is over may have been told of before; then no change of it was posted after.
            assert all(copy.version == wish.version for copy in standing), (wish, standing)
        assert self.states() <= {"sent", "cancelled"}

    def settle(self) -> None:
        """Once faults stop, everything goes out within a bound."""
        self.operate("resume")
        self.operate("mend")
        for _ in range(3 * len(self.wishes) + 40):
            self.pass_time(int(PACE.lease) + 1)
            unclear, heads = self.write(lambda tx: self.take_due(tx, 50, 50))
            for row in unclear:
                self.look_up_now(row)
            for row in heads:
                self.send_row(row, "sent")
            if not heads and self.states() <= {"sent", "cancelled"}:
                break
        self.none_stands_twice()
        self.pass_time(2 * PACE.sweep + 1)  # twice: the clock may have been put back by less than the sweep's wait
        while rows := self.write(lambda tx: list_doubtful(tx, self.now, PACE)):
            for row in rows:
                self.sweep_row(row)

    # -------------------------------------------------------- steps

    def write(self, act: Callable[[Tx], object]):
        with self.database.writing(self.workspace_id) as tx:
            return act(tx)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.elapsed += timedelta(seconds=seconds)
        self.slack.land(self.elapsed)

    def take_due(self, tx: Tx, looks: int, heads: int) -> tuple[list[OutboxRow], list[OutboxRow]]:
        """Rows to look up and rows to send, claimed as delivery claims them."""
        if self.is_paused:
            return [], []
        due = find_due(tx, self.now, PACE, max(looks, heads))
        if due.has_lost:
            recover(tx, self.now, PACE)
        unclear = claim_uncertain(tx, self.now, PACE, looks, due.unclear)
        rows = claim(tx, self.now, PACE, heads, due.heads)
        for row in rows:
            wish = self.wishes[row.reference]
            place = find_posted(tx, row.kind, row.reference) if row.is_update else None
            self.drawn[row.id, row.epoch] = Drawn(self.elapsed, wish.version, wish.is_over, place)
        return unclear, rows

    def send_update(self, row: OutboxRow, how: str) -> None:
        drawn = self.drawn[row.id, row.epoch]
        if drawn.place is None:
            self.write(lambda tx: cancel(tx, row, "never posted"))
            return
        wish = self.wishes[row.reference]
        if how not in {"dropped", "refused", "released", "dead"}:
            for copy in self.slack.find(wish.channel, wish.name):
                if copy.ts == drawn.place[1]:
                    copy.version = drawn.version
        self.mark(row, how, drawn.place[1])

    def send_post(self, row: OutboxRow, how: str) -> None:
        wish, ts = self.wishes[row.reference], ""
        if how in {"sent", "lost", "late", "too_late", "died_after", "stalled"}:
            self.check_pace(row.channel)
            delay = {"late": PACE.settle - 1, "too_late": LATEST}.get(how, 0.0)
            ts = self.slack.post(wish, self.drawn[row.id, row.epoch].version, self.elapsed, delay)
        wish.is_loose = wish.is_loose or how == "dead"
        wish.may_double = wish.may_double or how == "too_late"
        self.mark(row, how, ts)

    def check_pace(self, channel: str) -> None:
        last = self.slack.last_post.get(channel)
        assert last is None or self.elapsed - last >= timedelta(seconds=PACE.spacing), channel
        self.slack.last_post[channel] = self.elapsed

    def mark(self, row: OutboxRow, how: str, ts: str) -> None:
        """What a sender writes down."""
        if how == "stalled":  # stopped for longer than its lease, and then it writes down what it did
            self.pass_time(PACE.lease + 1)
            self.write(lambda tx: recover(tx, self.now, PACE))
            assert not self.write(lambda tx: mark_sent(tx, row, row.channel, ts, self.now, PACE))
            assert not self.write(lambda tx: requeue(tx, row, self.now))
        elif how == "sent":
            assert self.write(lambda tx: mark_sent(tx, row, row.channel, ts, self.now, PACE))
        elif how in {"lost", "dropped", "late", "too_late"}:
            self.write(lambda tx: mark_uncertain(tx, row, how, self.now))
        elif how == "refused":
            self.write(lambda tx: requeue(tx, row, self.now + timedelta(seconds=5), how))
        elif how == "released":
            self.write(lambda tx: release(tx, row))
        elif how == "dead":
            self.write(lambda tx: mark_dead(tx, row, "is_archived"))

    def look_up_now(self, row: OutboxRow) -> None:
        found = [] if row.is_update else self.slack.find(row.channel, row.reference)
        if found:
            self.write(lambda tx: mark_sent(tx, row, row.channel, found[0].ts, self.now, PACE))
        else:
            self.write(lambda tx: requeue(tx, row, self.now))

    def sweep_row(self, row: OutboxRow) -> None:
        copies = self.slack.copies[row.channel]
        copies[:] = [copy for copy in copies if copy.name != row.reference or copy.ts == row.slack_ts]
        self.write(lambda tx: mark_swept(tx, row))

    def count_waiting_updates(self, tx: Tx, wish: Wish) -> int:
        query = select(func.count()).where(
            OutboxRow.workspace_id == tx.workspace_id,
            OutboxRow.reference == wish.name,
            col(OutboxRow.is_update),
            OutboxRow.state == "queued",
        )
        return tx.session.exec(query).one()

    def states(self) -> set[str]:
        with self.database.reading(self.workspace_id) as tx:
            query = select(OutboxRow.state).where(OutboxRow.workspace_id == tx.workspace_id).distinct()
            return set(tx.session.exec(query))


WALKS = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module")
def quick_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples, which need not outlive a power cut."""
    path = tmp_path_factory.mktemp("machine") / "outbox.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    yield database
    database.close()


def test_on_sqlite(quick_sqlite: Database):
    run_state_machine_as_test(lambda: Outbox(quick_sqlite), settings=WALKS)


def test_on_postgres(postgres_url: str):
    database = Database(f"{postgres_url}&options=-csynchronous_commit%3Doff")
    run_state_machine_as_test(lambda: Outbox(database), settings=WALKS)
    database.close()


# ---------------------------------------------------------------- senders that do it wrong


class BlindResend(Outbox):
    """Sends again whatever got no answer, without a look at what Slack shows."""

    def mark(self, row: OutboxRow, how: str, ts: str) -> None:
        super().mark(row, "refused" if how == "lost" else how, ts)


class MarkThenPost(Outbox):
    """Writes "sent" down before the request that may never arrive."""

    def mark(self, row: OutboxRow, how: str, ts: str) -> None:
        super().mark(row, "sent" if how == "dropped" else how, ts)


class NoEpochCheck(Outbox):
    """Writes under whatever epoch the row has by now: the claim was lost, and taken by another."""

    def mark(self, row: OutboxRow, how: str, ts: str) -> None:
        def current(tx: Tx) -> int:
            query = select(OutboxRow.epoch).where(OutboxRow.workspace_id == tx.workspace_id, OutboxRow.id == row.id)
            return tx.session.exec(query).one()

        if how == "stalled":
            self.pass_time(PACE.lease + 1)
            self.write(lambda tx: recover(tx, self.now, PACE))
            row.epoch = self.write(current)
        super().mark(row, how, ts)


class NoSweep(Outbox):
    """Leaves what Slack applied after the look-up."""

    def sweep_row(self, row: OutboxRow) -> None:
        self.write(lambda tx: mark_swept(tx, row))


@pytest.mark.parametrize("wrong", [BlindResend, MarkThenPost, NoEpochCheck, NoSweep])
def test_the_machine_catches_a_wrong_sender(wrong: type[Outbox], quick_sqlite: Database):
    found = settings(WALKS, max_examples=200, derandomize=True, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: wrong(quick_sqlite), settings=found)
