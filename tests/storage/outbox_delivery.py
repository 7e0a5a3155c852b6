"""What delivery does around the outbox's rows, done as `bot.slack.delivery` does it: a message is drawn when it is
claimed, no request begins without time left on the lease, an update is not looked up but made again, a paused workspace
is left alone. The walk (`tests.storage.outbox_walk`) chooses what is done when.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count

from hypothesis.stateful import RuleBasedStateMachine
from sqlmodel import col, func, select

from rules.delivery.outbox import Pace
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, find_posted
from storage.delivery.outbox_claims import (
    cancel,
    claim,
    claim_uncertain,
    mark_dead,
    mark_sent,
    mark_swept,
    mark_uncertain,
    recover,
    release,
    requeue,
)
from storage.delivery.outbox_due import find_due
from tests.conftest import NOW, add_workspace
from tests.storage.outbox_model import Drawn, Wish, World

PACE = Pace()
LATEST = PACE.settle + 120
"""How long the latest request takes to land: too long for the look-up, not for the sweep."""
_teams = count(1)


class Delivery(RuleBasedStateMachine):
    """`elapsed` is time as it passes; `now` is what the clock says, which may be turned."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    def open_shop(self) -> None:
        """A workspace of its own, and a Slack in which nothing was said."""
        self.now, self.elapsed, self.turned_at = NOW, timedelta(), timedelta(-1)
        self.wishes: dict[str, Wish] = {}
        self.slack = World()
        self.drawn: dict[tuple[str, int], Drawn] = {}
        self.is_paused = False
        self.workspace_id = add_workspace(self.database, f"T{next(_teams)}")

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
