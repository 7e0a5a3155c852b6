"""A walk over the outbox: whatever people, workers, faults, deaths, pauses and clocks do, in whatever order: none is
lost, none stands twice in the end, each channel keeps its order and its pace, and what stands shows the truth.

Left out, because nothing is promised there: a sender that lives through a turned clock (it counts as dead), a request
that lands later than the sweep looks, and a clock that jumps over the sweep's wait while such a request is on its way.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, initialize, invariant, multiple, rule

from rules.delivery.outbox import UNSEEN
from rules.records import Actor, Enqueue
from storage.db import Tx
from storage.delivery import stuck
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.outbox_claims import defer_lookup, is_held, list_doubtful, mark_dead
from storage.delivery.stuck import Wanted
from storage.people.connections import BY_HAND, pause_workspace, resume_workspace
from storage.people.workspaces import get_workspace
from tests.storage.outbox_delivery import LATEST, PACE, Delivery
from tests.storage.outbox_model import Wish, World

ADMIN = Actor("member", "m1")
CHANNELS = ("C1", "C2", "C3")
UNCLEAR = ("lost", "dropped", "late", "too_late")
HOWS = ("sent",) * 8 + (*UNCLEAR, "refused", "released", "died", "died_after", "dead", "stalled")


class Outbox(Delivery):
    """Channels with a few messages each, to which anything happens."""

    claimed = Bundle("claimed")
    unclear = Bundle("unclear")

    @initialize()
    def begin(self) -> None:
        self.open_shop()
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
            self.change(wish)
        elif what == "reply":
            name = f"r{len(self.wishes)}"
            self.wishes[name] = Wish(name, wish.channel, 5, wish.name)
            answer = Enqueue("note", name, wish.channel, thread_kind="note", thread_reference=wish.name)
            self.write(lambda tx: enqueue(tx, [answer], self.now))
        else:
            self.write(lambda tx: enqueue(tx, [Enqueue("note", wish.name, wish.channel)], self.now))

    def change(self, wish: Wish) -> None:
        wish.version += 1
        self.write(lambda tx: self.tell_change(tx, wish))

    def change_meanwhile(self, row: OutboxRow) -> None:
        """A message that is being sent was drawn before: its change is told after it."""
        wish = self.wishes[row.reference]
        self.change(wish)
        is_told = self.write(lambda tx: not is_held(tx, row) or self.count_waiting_updates(tx, wish) > 0)
        assert is_told or row.is_update, row

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

    @rule(
        hows=st.lists(st.sampled_from(HOWS), min_size=1, max_size=3),
        seconds=st.sampled_from([0, 16, 80]),
        has_changed=st.sampled_from([False, False, True]),
    )
    def work(self, hows: list[str], seconds: int, *, has_changed: bool = False) -> None:
        """A worker for a while: look up what is unclear, then claim and send; what is told may change in between."""
        self.pass_time(seconds)
        for how in hows:
            self.pass_time(PACE.spacing if how == "sent" else PACE.spacing / 2)  # now and then too soon for a channel
            unclear, heads = self.write(lambda tx: self.take_due(tx, 5, 2))
            for row in unclear:
                self.look_up_now(row)
            for row in heads:
                if has_changed:
                    self.change_meanwhile(row)
                self.send_row(row, how)

    @rule(hows=st.lists(st.sampled_from(HOWS), min_size=1, max_size=3), seconds=st.sampled_from([0, 16, 80]))
    def work_on(self, hows: list[str], seconds: int) -> None:
        """Once more, so that it is chosen as often as it matters."""
        self.work(hows, seconds)

    @rule(how=st.sampled_from(UNCLEAR), has_operator=st.booleans())
    def doubt_and_die(self, how: str, *, has_operator: bool) -> None:
        """No answer, not found, refused for good at the next attempt, and sent again by an operator: one by one these
        meet too rarely.
        """
        self.work([how], 0)
        self.work(["released", "dead"], 16)
        if has_operator:
            self.operate("mend")

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
