"""How long delivery waits before it looks again for a message: not longer for a message whose senders died often."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import update

from bot.slack.delivery_records import Answer, Moment, record_all
from rules.delivery.outbox import Outcome, Pace
from rules.records import Enqueue
from storage.db import Tx
from storage.delivery import outbox_claims as claims
from storage.delivery.outbox import OutboxRow, enqueue, find_row
from tests.conftest import NOW

PACE = Pace()
SOON = timedelta(seconds=16)


def test_a_failed_look_up_is_made_again_soon_however_often_the_sender_died(tx: Tx):
    enqueue(tx, [Enqueue("note", "a", channel="C1")], NOW)
    (row,) = claims.claim(tx, NOW, PACE, 1)
    claims.mark_uncertain(tx, row, "timeout", NOW)
    tx.session.connection().execute(
        update(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id, OutboxRow.id == row.id).values(attempts=10)
    )
    later = NOW + timedelta(seconds=PACE.settle)
    (row,) = claims.claim_uncertain(tx, later, PACE, 1)
    at = Moment(later, later, PACE, lambda: 1.0)
    record_all(tx, [Answer(row, Outcome("internal_error"), ())], at, resends_unseen=False)
    tx.session.expire_all()
    left = find_row(tx, row.id)
    assert left is not None
    assert left.not_before is not None
    assert later < left.not_before <= later + SOON
