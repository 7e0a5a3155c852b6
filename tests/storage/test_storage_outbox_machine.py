"""The outbox as a machine (`tests.storage.outbox_walk`) on both databases, and senders that do it wrong, each of which
it must catch.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event
from sqlmodel import select

from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.delivery.outbox_claims import mark_swept, recover
from tests.storage.outbox_delivery import PACE
from tests.storage.outbox_walk import Outbox

pytestmark = pytest.mark.long

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
