"""What gets into the outbox: once, in order, and never an update too many."""

from __future__ import annotations

from sqlmodel import select

from rules.records import Enqueue
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, count_states, enqueue, find_posted
from tests.conftest import NOW

ALERT = Enqueue("alert", "e1", channel="C1", dedupe_key="alert:e1")
UPDATE = Enqueue("alert", "e1", is_update=True, priority=0)
REPLY = Enqueue("alert_note", "n1", thread_kind="alert", thread_reference="e1")


def rows(tx: Tx) -> list[OutboxRow]:
    found = tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id))
    return sorted(found, key=lambda row: row.seq)


def set_state(tx: Tx, state: str) -> None:
    for row in rows(tx):
        row.state = state
        row.posted_channel, row.slack_ts = "C1", "1.000001"
        tx.session.add(row)
    tx.session.flush()


def test_a_key_is_taken_once(tx: Tx):
    enqueue(tx, [ALERT, ALERT], NOW)
    enqueue(tx, [ALERT], NOW)
    assert [row.dedupe_key for row in rows(tx)] == ["alert:e1"]


def test_a_post_without_a_key_happens_once_per_message(tx: Tx):
    enqueue(tx, [Enqueue("digest", "d1", channel="C1"), Enqueue("digest", "d1", channel="C1")], NOW)
    assert [row.dedupe_key for row in rows(tx)] == ["digest:d1"]


def test_an_update_of_a_queued_post_changes_nothing(tx: Tx):
    enqueue(tx, [ALERT, UPDATE], NOW)
    enqueue(tx, [UPDATE], NOW)
    assert len(rows(tx)) == 1


def test_one_queued_update_is_enough_for_many(tx: Tx):
    enqueue(tx, [ALERT], NOW)
    set_state(tx, "sent")
    enqueue(tx, [UPDATE, UPDATE], NOW)
    enqueue(tx, [ALERT, UPDATE], NOW)
    assert [(row.is_update, row.channel, row.priority) for row in rows(tx)] == [(False, "C1", 5), (True, "C1", 0)]


def test_an_update_waits_behind_its_post_while_that_is_being_sent(tx: Tx):
    enqueue(tx, [ALERT], NOW)
    set_state(tx, "sending")
    enqueue(tx, [UPDATE], NOW)
    assert [(row.seq, row.priority) for row in rows(tx)] == [(1, 5), (2, 5)]


def test_an_update_of_what_was_never_posted_is_left_out(tx: Tx):
    enqueue(tx, [UPDATE], NOW)
    enqueue(tx, [ALERT], NOW)
    set_state(tx, "dead")
    enqueue(tx, [UPDATE], NOW)
    assert len(rows(tx)) == 1


def test_a_reply_goes_to_the_channel_of_its_message_and_behind_it(tx: Tx):
    urgent = Enqueue("alert_note", "n1", thread_kind="alert", thread_reference="e1", priority=1)
    enqueue(tx, [ALERT, urgent], NOW)
    assert [(row.channel, row.priority) for row in rows(tx)] == [("C1", 5), ("C1", 5)]


def test_a_reply_to_nothing_needs_a_channel_of_its_own(tx: Tx):
    own = Enqueue("alert_note", "n2", channel="C7", thread_kind="alert", thread_reference="e1")
    enqueue(tx, [REPLY, own], NOW)
    assert [(row.reference, row.channel) for row in rows(tx)] == [("n2", "C7")]


def test_find_posted_tells_where_the_latest_post_stands(tx: Tx):
    assert find_posted(tx, "alert", "e1") is None
    enqueue(tx, [ALERT], NOW)
    assert find_posted(tx, "alert", "e1") is None
    set_state(tx, "sent")
    assert find_posted(tx, "alert", "e1") == ("C1", "1.000001")


def test_states_are_counted_per_workspace(tx: Tx):
    enqueue(tx, [ALERT, Enqueue("digest", "d1", channel="C2")], NOW)
    assert count_states(tx) == {"queued": 2}


def test_hundreds_of_messages_go_in_at_once_in_their_order(tx: Tx):
    enqueue(tx, [Enqueue("note", f"n{at}", channel="C1") for at in range(450)], NOW)
    assert [row.reference for row in rows(tx)] == [f"n{at}" for at in range(450)]
