"""Tests of whose an alert is: it goes along with its account, unless somebody chose otherwise."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from rules.accounts.accounts import ChangeAccount
from rules.alerts.alerts import Assign, Take, decide
from rules.delivery.digests import Matter
from rules.records import Actor, Enqueue
from storage.account_imports import import_accounts
from storage.accounts.account_writes import apply_accounts
from storage.accounts.accounts import get_account
from storage.agenda import list_open_items
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, count_open, get_episode, list_open, to_episode
from storage.alerts.announcements import list_unannounced
from storage.alerts.watching import list_open_of_gone
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.errors import BusyError
from storage.owners import Orphans, give_accounts, save_from_slack
from storage.people.members import SlackProfile
from tests.alert_rows import TODAY, add_account, add_episode, add_member
from tests.conftest import NOW

HAND = Actor("member", "m-U9", "Lee")


def whose(tx: Tx, *slack_ids: str) -> list[str]:
    """In whose list the one open alert stands; the digests and the announcement must agree."""
    listed = [each for each in slack_ids if list_open(tx, owner_id=f"m-{each}")]
    assert [each for each in slack_ids if count_open(tx, owner_id=f"m-{each}")] == listed
    told = [item.owner_id for item in list_open_items(tx, TODAY) if item.matter is Matter.ALERT]
    assert told == [f"m-{each}" for each in listed]
    waits = [row for slack_id in listed for row in list_open(tx, owner_id=f"m-{slack_id}") if row.taken_by is None]
    assert [each.owner_id for each in list_unannounced(tx, NOW)] == ([f"m-{each}" for each in listed] if waits else [])
    return listed


def owned(tx: Tx, **more: Any) -> EpisodeRow:
    for slack_id in ("U1", "U2", "U3"):
        add_member(tx, slack_id, email=f"{slack_id.lower()}@example.com")
    add_account(tx, "acme", external_id="A1", **({"owner_id": "m-U1"} | more))
    return add_episode(tx, "acme", announced_at=None)


def test_an_alert_goes_along_when_its_account_is_given_away_by_hand_or_by_a_file(tx: Tx):
    owned(tx)
    assert whose(tx, "U1", "U2", "U3") == ["U1"]
    apply_accounts(tx, [ChangeAccount("acme", {"owner_id": "m-U2"})], HAND, NOW)
    assert whose(tx, "U1", "U2", "U3") == ["U2"]
    row = {"external_id": "A1", "name": "acme", "owner_email": "u3@example.com"}
    import_accounts(tx, [row], Actor("import", "accounts.csv"), NOW)
    assert get_account(tx, "acme").owner_id == "m-U3"
    assert whose(tx, "U1", "U2", "U3") == ["U3"]


@pytest.mark.parametrize("is_locked", [True, False])
def test_nobody_acts_on_an_alert_of_a_gone_account_while_it_is_closed(
    database: Database, workspace_id: str, *, is_locked: bool
):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme", archived_at=NOW if is_locked else None)
        id_ = add_episode(tx, "acme").id
    if database.is_sqlite:
        return  # one writer at a time, whatever they lock
    with database.writing(workspace_id) as tx:
        assert [row.id for row in list_open_of_gone(tx)] == ([id_] if is_locked else [])
        refused = pytest.raises(BusyError) if is_locked else nullcontext()
        with refused, database.writing(workspace_id, wait_seconds=0.1) as other:
            get_episode(other, id_, is_locking=True)


def test_a_hold_is_of_the_owner_and_ends_with_the_next_one(tx: Tx):
    held, assigned = owned(tx, owner_id=None), add_episode(tx, "acme", announced_at=None, subject="x", owner_id="m-U1")

    def hold() -> None:
        held.held_until = assigned.held_until = NOW + timedelta(hours=9)
        tx.session.flush()

    def list_held() -> list[str]:
        tx.session.expire_all()
        return [each.subject for each in (held, assigned) if each.held_until]

    hold()
    import_accounts(tx, [{"external_id": "A1", "name": "acme", "owner_email": "u3@example.com"}], HAND, NOW)
    assert list_held() == ["x"], "whose it was assigned to, nothing changed for"
    hold()
    import_accounts(tx, [{"external_id": "A1", "name": "acme", "owner_email": "u3@example.com"}], HAND, NOW)
    assert list_held() == ["", "x"], "the same owner as before"
    get_account(tx, "acme").owner_id = None
    get_account(tx, "acme").owner_email = "new@example.com"
    tx.session.flush()
    give_accounts(tx, Orphans(1, email="new@example.com"), "m-U2", HAND, NOW)
    assert list_held() == ["x"]


def test_an_alert_goes_along_with_accounts_nobody_looked_after(tx: Tx):
    owned(tx, owner_id=None, owner_email="left@example.com")
    give_accounts(tx, Orphans(1, email="left@example.com"), "m-U2", HAND, NOW)
    assert whose(tx, "U1", "U2") == ["U2"]


def list_updates(tx: Tx) -> list[tuple[str, str]]:
    rows = tx.session.exec(select(OutboxRow).where(col(OutboxRow.is_update)))
    return [(row.kind, row.reference) for row in rows]


def posted(tx: Tx, episode: EpisodeRow) -> None:
    """The alert's message stands in a channel."""
    enqueue(tx, [Enqueue("alert", episode.id, channel="C1")], NOW)
    row = tx.session.exec(select(OutboxRow)).one()
    row.state, row.slack_ts, row.posted_channel = "sent", "1.0", "C1"
    tx.session.flush()


@pytest.mark.parametrize("way", ["given", "matched", "imported"])
def test_a_posted_alert_is_shown_anew_when_its_account_changes_hands_with_others(tx: Tx, way: str):
    episode = owned(tx, owner_id=None, owner_email="left@example.com")
    posted(tx, episode)
    if way == "given":
        give_accounts(tx, Orphans(1, email="left@example.com"), "m-U2", HAND, NOW)
    elif way == "matched":
        save_from_slack(tx, SlackProfile("U9", "Left", email="left@example.com"), NOW)
    else:
        row = {"external_id": "A1", "name": "acme", "owner_email": "u3@example.com"}
        import_accounts(tx, [row], Actor("import", "accounts.csv"), NOW)
    assert list_updates(tx) == [("alert", episode.id)]


def test_what_was_assigned_or_taken_stays_where_it_is(tx: Tx):
    episode = to_episode(owned(tx))
    apply_alerts(tx, decide(episode, Assign("m-U2"), NOW), HAND, NOW)
    apply_accounts(tx, [ChangeAccount("acme", {"owner_id": "m-U3"})], HAND, NOW)
    assert whose(tx, "U1", "U2", "U3") == ["U2"]


def test_who_took_it_keeps_it(tx: Tx):
    apply_alerts(tx, decide(to_episode(owned(tx)), Take("m-U1"), NOW), HAND, NOW)
    apply_accounts(tx, [ChangeAccount("acme", {"owner_id": "m-U3"})], HAND, NOW)
    assert whose(tx, "U1", "U3") == ["U1"]
