"""Who may send what when: one at a time per channel, spaced, under a lease, and never twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

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
    hold_method,
    is_held,
    list_doubtful,
    mark_dead,
    mark_sent,
    mark_swept,
    mark_uncertain,
    recover,
    release,
    requeue,
)
from storage.delivery.outbox_due import POST, find_due
from storage.delivery.stuck import Wanted, list_rows
from tests.conftest import NOW, add_workspace

PACE = Pace()
ACTOR = Actor("member", "m1")


def after(seconds: float):
    return NOW + timedelta(seconds=seconds)


def note(reference: str, channel: str = "C1", priority: int = 5) -> Enqueue:
    return Enqueue("note", reference, channel=channel, priority=priority)


def take(tx: Tx, seconds: float = 0, limit: int = 10) -> list[OutboxRow]:
    return claim(tx, after(seconds), PACE, limit)


def names(rows: list[OutboxRow]) -> list[str]:
    return [row.reference for row in rows]


def sent(tx: Tx, row: OutboxRow, seconds: float = 0) -> bool:
    return mark_sent(tx, row, row.channel, f"1.{row.seq:06}", after(seconds), PACE)


def test_only_the_head_of_each_channel_is_taken(tx: Tx):
    enqueue(tx, [note("a"), note("b"), note("c", "C2"), note("urgent", "C2", 1)], NOW)
    rows = take(tx)
    assert names(rows) == ["urgent", "a"]
    assert take(tx, 30) == []
    assert all(row.attempts == 1 and row.epoch == 1 and row.first_tried_at == NOW for row in rows)


def test_a_channel_is_posted_to_once_a_second(tx: Tx):
    enqueue(tx, [note("a"), note("b")], NOW)
    assert sent(tx, take(tx)[0], 0.5)
    assert take(tx, 1.4) == []
    assert names(take(tx, 1.5)) == ["b"]


def test_the_answer_to_a_click_does_not_wait_for_the_slot(tx: Tx):
    enqueue(tx, [note("a"), note("b")], NOW)
    assert sent(tx, take(tx)[0])
    enqueue(tx, [Enqueue("note", "a", is_update=True, priority=0)], NOW)
    rows = take(tx)
    assert [(row.reference, row.is_update) for row in rows] == [("a", True)]


def test_a_limited_method_is_held_for_the_workspace_only(tx: Tx):
    enqueue(tx, [note("a"), note("b", "C2")], NOW)
    assert sent(tx, take(tx, limit=1)[0])
    enqueue(tx, [Enqueue("note", "a", is_update=True)], NOW)
    hold_method(tx, POST, after(30))
    assert [row.is_update for row in take(tx, 2)] == [True]
    assert names(take(tx, 31)) == ["b"]


def test_a_retry_keeps_the_order_of_its_channel(tx: Tx):
    enqueue(tx, [note("a"), note("b")], NOW)
    assert requeue(tx, take(tx)[0], after(60), "connection refused")
    assert take(tx, 30) == []
    assert names(take(tx, 60)) == ["a"]


def test_a_lost_lease_makes_the_row_uncertain_and_shuts_the_loser_out(tx: Tx):
    enqueue(tx, [note("a")], NOW)
    lost = take(tx)[0]
    assert recover(tx, after(59), PACE) == 0
    assert is_held(tx, lost)
    assert recover(tx, after(60), PACE) == 1
    assert not is_held(tx, lost)
    assert not sent(tx, lost, 61)
    assert take(tx, 61) == []
    assert claim_uncertain(tx, after(74), PACE, 10) == []
    assert names(claim_uncertain(tx, after(75), PACE, 10)) == ["a"]


def test_an_uncertain_row_is_looked_up_by_one_at_a_time(tx: Tx):
    enqueue(tx, [note("a")], NOW)
    assert mark_uncertain(tx, take(tx)[0], "timeout", NOW)
    assert names(claim_uncertain(tx, after(15), PACE, 10)) == ["a"]
    assert claim_uncertain(tx, after(16), PACE, 10) == []
    again = claim_uncertain(tx, after(75), PACE, 10)[0]
    assert defer_lookup(tx, again, after(90), "ratelimited")
    assert claim_uncertain(tx, after(89), PACE, 10) == []
    assert requeue(tx, claim_uncertain(tx, after(90), PACE, 10)[0], after(90))
    assert names(take(tx, 90)) == ["a"]


def test_a_message_sent_again_is_swept_for_a_second_copy_once(tx: Tx):
    enqueue(tx, [note("a"), note("b", "C2")], NOW)
    for row in take(tx):
        assert mark_uncertain(tx, row, "timeout", NOW)
    first, second = claim_uncertain(tx, after(15), PACE, 10)
    assert sent(tx, first, 15)
    assert requeue(tx, second, after(15))
    assert sent(tx, take(tx, 15)[0], 15)
    assert list_doubtful(tx, after(300), PACE) == []
    (doubtful,) = list_doubtful(tx, after(315), PACE)
    assert doubtful.reference == "b"
    mark_swept(tx, doubtful)
    assert list_doubtful(tx, after(400), PACE) == []


def test_a_released_claim_does_not_count(tx: Tx):
    enqueue(tx, [note("a")], NOW)
    assert release(tx, take(tx)[0])
    assert take(tx, 1)[0].attempts == 1


def test_the_dead_are_listed_and_tried_again_on_demand(tx: Tx):
    enqueue(tx, [note("a"), note("b", "C2"), note("c", "C3")], NOW)
    a, b, c = take(tx)
    assert mark_dead(tx, a, "is_archived")
    assert mark_dead(tx, b, "channel_not_found")
    assert cancel(tx, c, "nothing left to say")
    found = [(row.reference, row.error) for row in list_rows(tx, states=["dead"])]
    assert found == [("a", "is_archived"), ("b", "channel_not_found")]
    assert stuck.requeue(tx, Wanted(channel="C2"), ACTOR, NOW) == 1
    assert names(take(tx, 2)) == ["b"]
    assert stuck.requeue(tx, Wanted(), ACTOR, NOW) == 1


def test_where_a_sent_message_stands(tx: Tx):
    enqueue(tx, [Enqueue("note", "a", channel="U1")], NOW)
    assert mark_sent(tx, take(tx)[0], "D1", "5.000001", NOW, PACE)
    assert find_posted(tx, "note", "a") == ("D1", "5.000001")


@pytest.mark.parametrize("hours", [1, 24])
def test_a_clock_put_back_holds_nothing_up(tx: Tx, hours: int):
    enqueue(tx, [note("a"), note("b", "C2"), note("c", "C3"), note("d", "C4"), note("e", "C4")], NOW)
    ahead = hours * 3600
    a, b, c, d = take(tx, ahead)
    assert requeue(tx, a, after(ahead + 60))
    assert mark_uncertain(tx, b, "timeout", after(ahead))
    assert sent(tx, d, ahead)
    hold_method(tx, POST, after(ahead + 60))
    assert recover(tx, NOW, PACE) == 1
    assert not sent(tx, c)
    assert names(take(tx, 1)) == ["a", "e"]
    assert sorted(names(claim_uncertain(tx, after(16), PACE, 10))) == ["b", "c"]


def test_idle_looks_find_no_work(tx: Tx):
    assert find_due(tx, NOW, PACE, 10).is_empty
    enqueue(tx, [note("a")], NOW)
    assert not find_due(tx, NOW, PACE, 10).is_empty
    row = take(tx)[0]
    assert find_due(tx, after(59), PACE, 10).is_empty
    assert not find_due(tx, after(60), PACE, 10).is_empty
    assert mark_uncertain(tx, row, "timeout", after(5))
    assert find_due(tx, after(19), PACE, 10).is_empty
    assert not find_due(tx, after(20), PACE, 10).is_empty


def test_two_claimers_on_postgres_do_not_wait_and_do_not_share(postgres_url: str):
    database = Database(postgres_url)
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        enqueue(tx, [note("a"), note("b"), note("c", "C2")], NOW)
    with database.writing(workspace_id) as first, database.writing(workspace_id) as second:
        assert names(take(first, limit=1)) == ["a"]
        assert names(take(second)) == ["c"]
    with database.reading(workspace_id) as tx:
        states = tx.session.exec(select(OutboxRow.reference, OutboxRow.state, OutboxRow.epoch))
        assert sorted(states) == [("a", "sending", 1), ("b", "queued", 0), ("c", "sending", 1)]
    database.close()


def test_an_update_on_postgres_waits_until_a_claim_of_its_post_is_decided(postgres_url: str):
    database = Database(postgres_url)
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        enqueue(tx, [note("a")], NOW)
    with database.writing(workspace_id) as change:
        enqueue(change, [Enqueue("note", "a", is_update=True)], NOW)
        with database.writing(workspace_id) as delivery:
            assert take(delivery) == []
    with database.writing(workspace_id) as delivery:
        assert names(take(delivery)) == ["a"]
    database.close()


def test_a_change_shows_though_the_copy_found_is_of_an_earlier_attempt(tx: Tx):
    """The first request lands late, after the look-up; the change comes before the second, which is lost."""
    enqueue(tx, [note("a")], NOW)
    assert mark_uncertain(tx, take(tx)[0], "timeout", NOW)
    assert requeue(tx, claim_uncertain(tx, after(15), PACE, 10)[0], after(15))
    enqueue(tx, [Enqueue("note", "a", is_update=True)], NOW)
    assert mark_uncertain(tx, take(tx, 16)[0], "timeout", after(16))
    assert sent(tx, claim_uncertain(tx, after(31), PACE, 10)[0], 31)
    assert [(row.reference, row.is_update) for row in take(tx, 33)] == [("a", True)]


@pytest.mark.parametrize("error", ["is_archived", UNSEEN])
def test_a_change_shows_though_a_copy_of_before_a_message_died_is_found(tx: Tx, error: str):
    enqueue(tx, [note("a")], NOW)
    assert mark_uncertain(tx, take(tx)[0], "timeout", NOW)
    assert mark_dead(tx, claim_uncertain(tx, after(15), PACE, 10)[0], error)
    enqueue(tx, [Enqueue("note", "a", is_update=True)], NOW)
    assert stuck.requeue(tx, Wanted(), ACTOR, NOW) == 1
    for row in take(tx, 20):
        assert mark_uncertain(tx, row, "timeout", after(20))
    assert sent(tx, claim_uncertain(tx, after(35), PACE, 10)[0], 35)
    assert [(row.reference, row.is_update) for row in take(tx, 37)] == [("a", True)]


def test_the_dead_that_were_uncertain_once_keep_their_count_and_are_swept(tx: Tx):
    enqueue(tx, [note("a"), note("b", "C2")], NOW)
    a, b = take(tx)
    assert mark_uncertain(tx, a, "timeout", NOW)
    assert mark_dead(tx, b, "is_archived")
    assert requeue(tx, claim_uncertain(tx, after(15), PACE, 10)[0], after(15))
    assert mark_dead(tx, take(tx, 15)[0], "is_archived")
    assert stuck.requeue(tx, Wanted(), ACTOR, NOW) == 2
    again = {row.reference: row for row in take(tx, 20)}
    assert {name: row.attempts for name, row in again.items()} == {"a": 3, "b": 1}
    assert [sent(tx, row, 20) for row in again.values()] == [True, True]
    assert names(list_doubtful(tx, after(320), PACE)) == ["a"]
