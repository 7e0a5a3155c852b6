"""The Home tab: my day, my accounts in two orders, what is posted where, and what a newcomer sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from commands.home import show_home, turn
from commands.slice import Home, Ref, Reply, Surface
from playground.blockkit.check import check_blocks
from rules.records import Role
from storage.people.workspaces import get_workspace
from tests.agenda_rows import add_renewal, add_task
from tests.alert_rows import TODAY, add_episode, add_scores
from tests.commands.conftest import Desk

FACTS = {"before": 72, "after": 49, "days": 9}


def blocks_of(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """The page, refused where Slack would refuse it."""
    (reply,) = replies
    assert isinstance(reply, Home)
    blocks = list(reply.blocks)
    check_blocks(blocks, "home")
    return blocks


def page(desk: Desk, **more: Any) -> str:
    return str(blocks_of(show_home(desk.call("", surface=Surface.HOME, **more), desk.tx)))


def names(blocks: list[dict[str, Any]], known: Sequence[str]) -> list[str]:
    """Which of the known accounts the list of accounts names, in order."""
    lines = [
        block["text"]["text"] for block in blocks if block.get("accessory", {}).get("action_id") == "accounts.show"
    ]
    return [name for line in lines for name in known if f"*{name}*" in line]


def press(desk: Desk, **extra: str) -> list[dict[str, Any]]:
    return blocks_of(turn(desk.call("", ref=Ref("home", "", extra), surface=Surface.HOME), desk.tx))


def test_a_newcomer_sees_the_first_steps(desk: Desk):
    get_workspace(desk.tx).team_channel_id = ""
    text = page(desk)
    assert "Three steps to the first alert" in text
    assert "nothing needs you" in text
    assert "There are no accounts yet" in text


def test_my_day_has_the_lines_of_the_digest(desk: Desk):
    person = desk.person()
    account = desk.add_account("Acme", owner_id=person.id)
    add_episode(desk.tx, account.id, owner_id=person.id, facts=FACTS)
    add_task(desk.tx, account.id)
    text = page(desk)
    assert "Tuesday · 2 things need you" in text
    assert "digests.take" in text
    assert "digests.done" in text


def test_it_says_where_things_are_posted_and_when_my_digest_comes(desk: Desk):
    text = page(desk)
    assert "What Milepost posts where" in text
    assert "<#C0000001>" in text
    assert "each working day at 09:10" in text
    assert "digests.wish_off" in text


def test_ones_own_accounts_are_there_and_others_are_not(desk: Desk):
    person = desk.person()
    desk.add_account("Acme", owner_id=person.id)
    desk.add_account("Strangers", owner_id=None)
    text = page(desk)
    assert "Your accounts" in text
    assert "Acme" in text
    assert "Strangers" not in text


def test_who_has_no_account_sees_the_teams(desk: Desk):
    desk.add_account("Acme", owner_id=desk.add_member("U0000002", name="Ben").id)
    viewer = desk.person(Role.VIEWER, "U0000009", "Vera")
    text = page(desk, person=viewer)
    assert "Accounts of the team" in text
    assert "Acme" in text
    assert "<@U0000002>" in text


def test_accounts_by_risk_and_by_renewal(desk: Desk):
    person, known = desk.person(), ("Red", "Green", "Unknown")
    for name, score, days in (("Green", 90.0, 10), ("Red", 20.0, 60), ("Unknown", None, None)):
        account = desk.add_account(name, owner_id=person.id)
        if score is not None:
            add_scores(desk.tx, account.id, {TODAY: score})
            add_renewal(desk.tx, account.id, days)
    first = blocks_of(show_home(desk.call(""), desk.tx))
    assert names(first, known) == ["Red", "Green", "Unknown"]
    assert "🔴 1 · 🟢 1 · ⚪ 1" in str(first)
    assert "Sort by renewal" in str(first)
    second = press(desk, by="renewal", page="1")
    assert names(second, known) == ["Green", "Red", "Unknown"]
    assert "Sort by risk" in str(second)


def test_the_list_of_accounts_is_turned(desk: Desk):
    person = desk.person()
    known = [f"Account {number:02}" for number in range(23)]
    for name in known:
        desk.add_account(name, owner_id=person.id)
    assert names(press(desk, by="risk", page="1"), known) == known[:10]
    last = press(desk, by="risk", page="3")
    assert names(last, known) == known[20:]
    assert "page 3 of 3" in str(last)
    assert names(press(desk, by="risk", page="99"), known) == known[20:]
    assert names(press(desk, by="luck", page="x"), known) == known[:10]


def test_the_fullest_page_fits(desk: Desk):
    person = desk.person()
    get_workspace(desk.tx).team_channel_id = ""
    for number in range(30):
        account = desk.add_account(f"{number} " + "<&>客" * 28, owner_id=person.id)
        add_episode(desk.tx, account.id, owner_id=person.id, facts=FACTS)
        for days in (-1, 3):
            add_task(desk.tx, account.id, "<&>" * 300, days)
        add_renewal(desk.tx, account.id, 20)
    assert len(blocks_of(show_home(desk.call("", now=desk.now + timedelta(hours=1)), desk.tx))) <= 100
