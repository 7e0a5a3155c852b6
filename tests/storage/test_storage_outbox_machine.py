"""The outbox as a machine: whatever workers, faults, deaths and look-ups do in whatever order, no message is lost,
none is doubled, and each channel keeps its order.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
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
from sqlmodel import delete, select

from rules.delivery.outbox import Pace
from rules.records import Enqueue
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.outbox_claims import (
    claim,
    claim_uncertain,
    defer_lookup,
    mark_sent,
    mark_uncertain,
    recover,
    release,
    requeue,
)
from storage.people.workspaces import WorkspaceRow
from storage.schema import METADATA
from tests.conftest import NOW, add_workspace

PACE = Pace()
CHANNELS = ("C1", "C2")
HOWS = ("sent",) * 6 + ("lost", "dropped", "refused", "released", "died", "late")
WALKS = settings(stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
_folder = tempfile.TemporaryDirectory()


def fresh_copy() -> Path:
    """A SQLite file with all tables; the one of the example before is gone."""
    path = Path(_folder.name) / "outbox.db"
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return Path(shutil.copyfile(template(), path))


def template() -> Path:
    path = Path(_folder.name) / "template.db"
    if not path.exists():
        database = Database(f"sqlite:///{path}")
        METADATA.create_all(database.engine)
        database.close()
    return path


class Outbox(RuleBasedStateMachine):
    """`posted` is what Slack shows. A request may be applied until the settle time is over, not later.

    Lives in a SQLite file of its own, or in the PostgreSQL database at `url`, which is emptied first.
    """

    def __init__(self, url: str = "") -> None:
        super().__init__()
        self.url = url

    claimed = Bundle("claimed")
    unclear = Bundle("unclear")

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.wanted: dict[str, list[str]] = defaultdict(list)
        self.posted: dict[str, list[str]] = defaultdict(list)
        self.database = Database(self.url or f"sqlite:///{fresh_copy()}")
        with self.database.write() as session:
            session.connection().execute(delete(WorkspaceRow))
        self.workspace_id = add_workspace(self.database)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.settle()
            assert self.posted == self.wanted
            assert self.states() <= {"sent"}
            self.database.close()

    @rule(channel=st.sampled_from(CHANNELS), count=st.integers(2, 4))
    def say(self, channel: str, count: int) -> None:
        names = [f"{channel}-{len(self.wanted[channel]) + at}" for at in range(count)]
        with self.database.writing(self.workspace_id) as tx:
            enqueue(tx, [Enqueue("note", name, channel=channel) for name in names], self.now)
        self.wanted[channel] += names

    @rule(target=claimed)
    def take(self):
        """A second later than before, so that a channel's slot alone holds nothing back."""
        self.now += timedelta(seconds=PACE.spacing)
        with self.database.writing(self.workspace_id) as tx:
            recover(tx, self.now, PACE)
            rows = claim(tx, self.now, PACE, 5)
        return multiple(*rows)

    @rule(target=unclear)
    def take_uncertain(self):
        with self.database.writing(self.workspace_id) as tx:
            recover(tx, self.now, PACE)
            return multiple(*claim_uncertain(tx, self.now, PACE, 5))

    @rule(
        row=consumes(claimed),
        how=st.sampled_from(HOWS),
    )
    def send(self, row: OutboxRow, how: str) -> None:
        """The sender asks Slack only while its lease is good, as delivery does."""
        assert row.lease_until is not None
        has_lease = self.now < row.lease_until - timedelta(seconds=PACE.timeout)
        if has_lease and how in {"sent", "lost", "late"}:
            self.posted[row.channel].append(row.reference)
        if how == "late":  # posted, then stopped for longer than its lease, then it writes down what it did
            self.now += timedelta(seconds=PACE.lease + 1)
            self.write(row, "sent", recovers=True)
        elif has_lease or how == "died":
            self.write(row, how)

    def write(self, row: OutboxRow, how: str, *, recovers: bool = False) -> None:
        with self.database.writing(self.workspace_id) as tx:
            if recovers:
                recover(tx, self.now, PACE)
            if how == "sent":
                is_ours = mark_sent(tx, row, row.channel, f"1.{row.seq}", self.now, PACE)
                assert is_ours != recovers
            elif how in {"lost", "dropped"}:
                mark_uncertain(tx, row, how, self.now)
            elif how == "refused":
                requeue(tx, row, self.now + timedelta(seconds=5), how)
            elif how == "released":
                release(tx, row)

    @rule(row=consumes(unclear), how=st.sampled_from(["looked", "looked", "failed", "died"]))
    def look_up(self, row: OutboxRow, how: str) -> None:
        with self.database.writing(self.workspace_id) as tx:
            if how == "looked" and row.reference in self.posted[row.channel]:
                mark_sent(tx, row, row.channel, f"1.{row.seq}", self.now, PACE)
            elif how == "looked":
                requeue(tx, row, self.now)
            elif how == "failed":
                defer_lookup(tx, row, self.now + timedelta(seconds=5), how)

    @rule(seconds=st.sampled_from([1, 1, 1, 1, 16, 61]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def nothing_is_doubled_and_order_is_kept(self) -> None:
        if hasattr(self, "posted"):
            for channel, names in self.posted.items():
                assert names == self.wanted[channel][: len(names)]

    def settle(self) -> None:
        """Once faults stop, everything goes out within a bound."""
        for _ in range(4 * sum(len(names) for names in self.wanted.values()) + 4):
            if self.posted == self.wanted and self.states() <= {"sent"}:
                return
            self.now += timedelta(seconds=PACE.lease + 1)
            for row in self.take_all(claim_uncertain):
                self.look_up_now(row)
            for row in self.take_all(claim):
                self.posted[row.channel].append(row.reference)
                self.write(row, "sent")

    def states(self) -> set[str]:
        with self.database.reading(self.workspace_id) as tx:
            query = select(OutboxRow.state).where(OutboxRow.workspace_id == tx.workspace_id).distinct()
            return set(tx.session.exec(query))

    def take_all(self, take: Callable[[Tx, datetime, Pace, int], list[OutboxRow]]) -> list[OutboxRow]:
        with self.database.writing(self.workspace_id) as tx:
            recover(tx, self.now, PACE)
            return take(tx, self.now, PACE, 50)

    def look_up_now(self, row: OutboxRow) -> None:
        with self.database.writing(self.workspace_id) as tx:
            if row.reference in self.posted[row.channel]:
                mark_sent(tx, row, row.channel, f"1.{row.seq}", self.now, PACE)
            else:
                requeue(tx, row, self.now)


def test_on_sqlite():
    run_state_machine_as_test(Outbox, settings=settings(WALKS, max_examples=25))


def test_on_postgres(postgres_url: str):
    run_state_machine_as_test(lambda: Outbox(postgres_url), settings=settings(WALKS, max_examples=25))


# ---------------------------------------------------------------- senders that do it wrong


class BlindResend(Outbox):
    """Sends again whatever got no answer, without a look at what Slack shows."""

    def write(self, row: OutboxRow, how: str, *, recovers: bool = False) -> None:
        super().write(row, "refused" if how == "lost" else how, recovers=recovers)


class MarkThenPost(Outbox):
    """Writes "sent" down before the request that may never arrive."""

    def write(self, row: OutboxRow, how: str, *, recovers: bool = False) -> None:
        super().write(row, "sent" if how == "dropped" else how, recovers=recovers)


class NoEpochCheck(Outbox):
    """Writes under whatever epoch the row has by now: the claim was lost, and taken by another."""

    def write(self, row: OutboxRow, how: str, *, recovers: bool = False) -> None:
        with self.database.writing(self.workspace_id) as tx:
            if recovers:
                recover(tx, self.now, PACE)
            current = tx.session.exec(select(OutboxRow.epoch).where(OutboxRow.id == row.id)).one()
        row.epoch = current
        super().write(row, how, recovers=recovers)


@pytest.mark.parametrize("wrong", [BlindResend, MarkThenPost, NoEpochCheck])
def test_the_machine_catches_a_wrong_sender(wrong: type[Outbox]):
    found = settings(WALKS, max_examples=300, derandomize=True, database=None, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(wrong, settings=found)
