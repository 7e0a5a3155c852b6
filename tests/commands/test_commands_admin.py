"""`/cs admin`: what is stuck is seen and mended by admins, and by nobody else."""

from __future__ import annotations

import pytest
from sqlmodel import select

from commands.delivery import admin_views as views
from commands.delivery.admin import SLICE, admin, drop_group, pause, resume, retry, retry_all, turn
from commands.slice import Person, Ref
from rules.delivery.outbox import UNSEEN
from rules.errors import NotAllowedError
from rules.records import Enqueue, Role
from storage.audit import AuditRow
from storage.delivery.outbox import OutboxRow, enqueue
from storage.errors import NotFoundError
from storage.people.connections import BY_HAND, pause_workspace
from storage.people.workspaces import get_workspace
from tests.commands.conftest import Desk, find_ref, get_message
from tests.conftest import NOW


@pytest.fixture
def boss(desk: Desk) -> Person:
    return desk.person(Role.ADMIN)


def add(desk: Desk, channel: str, state: str, error: str = "", count: int = 1) -> list[OutboxRow]:
    """Messages of a channel in a state."""
    names = [f"{channel}-{state}-{at}" for at in range(count)]
    enqueue(desk.tx, [Enqueue("note", name, channel=channel) for name in names], NOW)
    rows = list(desk.tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == desk.tx.workspace_id)))
    found = [row for row in rows if row.reference in names]
    for row in found:
        row.state, row.error = state, error
        if state == "uncertain" or error.startswith(UNSEEN):
            row.uncertain_since = NOW
    desk.tx.session.flush()
    return found


def states(desk: Desk) -> list[str]:
    rows = desk.tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == desk.tx.workspace_id))
    return [row.state for row in sorted(rows, key=lambda row: row.seq)]


def audited(desk: Desk) -> list[tuple[str, object]]:
    rows = desk.tx.session.exec(select(AuditRow).where(AuditRow.workspace_id == desk.tx.workspace_id))
    return [(row.verb, (row.after or {}).get("count")) for row in rows]


def test_only_admins_see_and_press(desk: Desk):
    lead = desk.person(Role.LEAD)
    for handle in (admin, turn, retry, retry_all, drop_group, pause, resume):
        with pytest.raises(NotAllowedError):
            handle(desk.call(person=lead), desk.tx)
    assert {each.handle for each in SLICE.buttons} <= {turn, retry, retry_all, drop_group, pause, resume}


def test_nothing_is_stuck(desk: Desk, boss: Person):
    said = desk.say(admin, person=boss)
    assert "Nothing is stuck" in said
    assert "Sending, and jobs run" in said
    assert "No job has run yet" in said
    assert "Send all again" not in said


def test_what_is_stuck_stands_by_channel_and_reason_the_worst_first(desk: Desk, boss: Person):
    add(desk, "C1", "queued", "ratelimited", 2)
    add(desk, "C2", "uncertain", "timeout")
    add(desk, "C3", "dead", "is_archived", 3)
    said = desk.say(admin, person=boss)
    assert "3 messages wait · 3 could not be sent" in said
    places = [said.index(each) for each in ("<#C3>: 3 messages could not", "<#C2>: 1 message got", "<#C1>: 2 messages")]
    assert places == sorted(places)
    assert "restore it" in said


def test_one_group_is_sent_again_and_the_other_dropped(desk: Desk, boss: Person):
    add(desk, "C3", "dead", "is_archived", 2)
    add(desk, "C4", "dead", "channel_not_found")
    shown = desk.do(admin, person=boss)
    assert (
        "Sending 2 messages"
        in get_message(desk.press(retry, find_ref(shown, views.RETRY), person=boss)).blocks[0]["text"]["text"]
    )
    again = desk.do(admin, person=boss)
    desk.press(drop_group, find_ref(again, views.DROP), person=boss)
    assert states(desk) == ["queued", "queued", "cancelled"]
    assert audited(desk) == [("outbox.requeued", 2), ("outbox.dropped", 1)]


def test_all_are_sent_again_what_may_stand_is_looked_for_first(desk: Desk, boss: Person):
    add(desk, "C3", "dead", "is_archived")
    add(desk, "C4", "dead", f"{UNSEEN}: missing_scope")
    desk.press(retry_all, Ref("outbox", ""), person=boss)
    assert states(desk) == ["queued", "uncertain", "queued"], "the third shows the second anew"


def test_a_group_that_is_gone_says_so(desk: Desk, boss: Person):
    with pytest.raises(NotFoundError):
        desk.press(retry, Ref("message", "elsewhere"), person=boss)


def test_a_pause_by_hand_is_resumed_by_hand(desk: Desk, boss: Person):
    assert "Paused." in desk.say(pause, person=boss, ref=Ref("outbox", ""))
    assert get_workspace(desk.tx).paused_reason == BY_HAND
    assert "paused already" in desk.say(pause, person=boss, ref=Ref("outbox", ""))
    said = desk.say(admin, person=boss)
    assert "no jobs run until somebody resumes" in said
    assert "Resumed" in desk.say(resume, person=boss, ref=Ref("outbox", ""))
    assert "not paused" in desk.say(resume, person=boss, ref=Ref("outbox", ""))
    assert [verb for verb, _ in audited(desk)] == ["pause", "resume"]


def test_a_pause_by_slack_says_what_to_do(desk: Desk, boss: Person):
    pause_workspace(desk.tx, "token_revoked", NOW)
    desk.tx.session.flush()
    said = desk.say(admin, person=boss)
    assert "Install the app again" in said
    assert "token_revoked" in said


def test_many_groups_come_in_pages(desk: Desk, boss: Person):
    for number in range(views.PAGE_LENGTH + 1):
        add(desk, f"C{number}", "dead", "is_archived")
    first = desk.do(admin, person=boss)
    second = desk.press(turn, find_ref(first, views.NEXT), person=boss)
    assert "page 2 of 2" in str(get_message(second).blocks)
    assert str(get_message(first).blocks).count("could not be sent") == views.PAGE_LENGTH + 1
