"""Members as Slack tells of them, payloads seen, and the connection to Slack, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from pipeline import cleanup
from rules.records import Role
from storage.accounts.accounts import AccountRow
from storage.audit import AuditRow, find_change
from storage.db import Database, Tx
from storage.delivery.deliveries import DeliveryRow, claim_delivery
from storage.errors import NotFoundError
from storage.owners import is_expected, list_unlinked_emails, save_from_slack
from storage.people.connections import connect_team, pause_workspace
from storage.people.members import (
    SlackProfile,
    add_by_slack_id,
    find_by_slack_id,
    get_member,
    get_members,
)
from storage.people.team import list_people
from storage.people.workspaces import WorkspaceRow, get_workspace
from tests.conftest import NOW

MIA = SlackProfile("U1", "Mia", email="Mia@Example.com", zone="Europe/Berlin", locale="de-DE")


def add_account(tx: Tx, name: str, owner_email: str) -> AccountRow:
    row = AccountRow(
        workspace_id=tx.workspace_id, slug=name.lower(), name=name, owner_email=owner_email, created_at=NOW
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def audited(tx: Tx) -> list[str]:
    return [row.verb for row in tx.session.exec(select(AuditRow).where(AuditRow.workspace_id == tx.workspace_id))]


def test_a_person_seen_first_gets_the_defaults_and_keeps_what_is_known(tx: Tx):
    row = add_by_slack_id(tx, "U1", role=Role.VIEWER, zone="Asia/Shanghai", locale="zh-CN")
    again = add_by_slack_id(tx, "U1", role=Role.ADMIN, zone="UTC", locale="en-US")
    assert again.id == row.id
    assert (again.role, again.zone, again.locale, again.refreshed_at) == (Role.VIEWER, "Asia/Shanghai", "zh-CN", None)


def test_a_profile_is_saved_and_the_imported_accounts_of_its_address_are_linked(tx: Tx):
    mine, other = add_account(tx, "Acme", "mia@example.com"), add_account(tx, "Globex", "li@example.com")
    assert list_unlinked_emails(tx) == ["li@example.com", "mia@example.com"]
    row = save_from_slack(tx, MIA, NOW)
    tx.session.refresh(mine)
    tx.session.refresh(other)
    assert (row.name, row.email, row.zone, row.refreshed_at) == ("Mia", "mia@example.com", "Europe/Berlin", NOW)
    assert (mine.owner_id, other.owner_id) == (row.id, None)
    assert list_unlinked_emails(tx) == ["li@example.com"]
    assert audited(tx) == ["account.changed"]
    told = find_change(tx, "account.changed", mine.id)
    assert told is not None
    assert told.after == {"owner_id": row.id}


def test_an_account_gets_its_owner_in_business_time_also_where_the_clock_was_moved(tx: Tx):
    account, yesterday = add_account(tx, "Acme", "mia@example.com"), NOW - timedelta(days=1)
    row = save_from_slack(tx, MIA, yesterday, seen_at=NOW)
    told = find_change(tx, "account.changed", account.id)
    assert told is not None
    assert (told.at, row.refreshed_at) == (yesterday, NOW)


def test_an_account_given_to_somebody_else_is_not_taken_back(tx: Tx):
    li = save_from_slack(tx, SlackProfile("U2", "Li"), NOW)
    account = add_account(tx, "Acme", "mia@example.com")
    account.owner_id = li.id
    save_from_slack(tx, MIA, NOW)
    tx.session.refresh(account)
    assert account.owner_id == li.id


def test_slack_admins_are_admins_and_a_given_role_survives_a_refresh(tx: Tx):
    row = save_from_slack(tx, MIA, NOW, default_role=Role.CSM)
    row.role = Role.LEAD
    assert save_from_slack(tx, MIA, NOW).role is Role.LEAD
    assert save_from_slack(tx, replace(MIA, is_admin=True), NOW).role is Role.ADMIN
    assert audited(tx) == ["role"]


def test_a_guest_met_first_is_a_viewer_until_somebody_gives_a_role(tx: Tx):
    row = save_from_slack(tx, replace(MIA, is_guest=True), NOW)
    assert row.role is Role.VIEWER
    row.role = Role.CSM
    assert save_from_slack(tx, replace(MIA, is_guest=True), NOW).role is Role.CSM


def test_what_slack_leaves_out_stays(tx: Tx):
    save_from_slack(tx, MIA, NOW)
    row = save_from_slack(tx, replace(MIA, zone="", locale=""), NOW)
    assert (row.zone, row.locale) == ("Europe/Berlin", "de-DE")


def test_members_are_found_by_either_id_and_only_in_their_workspace(tx: Tx):
    row = save_from_slack(tx, MIA, NOW)
    other = WorkspaceRow(team_id="T9", created_at=NOW)
    tx.session.add(other)
    tx.session.flush()
    elsewhere = Tx(tx.session, other.id)
    assert find_by_slack_id(tx, "U1") is row
    assert find_by_slack_id(elsewhere, "U1") is None
    assert get_members(tx, [row.id, "nobody"]) == {row.id: row}
    assert get_members(tx, []) == {}
    assert get_member(tx, row.id) is row
    with pytest.raises(NotFoundError):
        get_member(elsewhere, row.id)


def test_the_list_has_people_who_are_there_by_name(tx: Tx):
    save_from_slack(tx, SlackProfile("U3", "Zoe"), NOW)
    save_from_slack(tx, SlackProfile("U4", "Robot", is_bot=True), NOW)
    save_from_slack(tx, SlackProfile("U5", "Gone", is_active=False), NOW)
    save_from_slack(tx, MIA, NOW)
    assert [row.name for row in list_people(tx)] == ["Mia", "Zoe"]


def test_only_members_and_owners_are_expected(tx: Tx):
    assert not is_expected(tx, MIA)
    assert not is_expected(tx, SlackProfile("U9", "No address"))
    add_account(tx, "Acme", "MIA@example.com")
    assert is_expected(tx, MIA)
    save_from_slack(tx, SlackProfile("U9", "No address"), NOW)
    assert is_expected(tx, SlackProfile("U9", "No address"))


def test_a_payload_is_claimed_once_and_forgotten_a_day_later(database: Database, workspace_id: str):
    later = NOW + timedelta(hours=2)
    with database.writing(workspace_id) as tx:
        assert claim_delivery(tx, "k1", NOW)
        assert claim_delivery(tx, "k2", later)
    assert cleanup.run(database, workspace_id, later).counts["payloads_forgotten"] == 0
    with database.writing(workspace_id) as tx:
        assert not claim_delivery(tx, "k1", later)
    assert cleanup.run(database, workspace_id, NOW + timedelta(hours=25)).counts["payloads_forgotten"] == 1
    with database.reading(workspace_id) as tx:
        assert [row.payload_key for row in tx.session.exec(select(DeliveryRow))] == ["k2"]


def test_a_claim_is_undone_with_its_transaction(database: Database, workspace_id: str):
    with pytest.raises(RuntimeError), database.writing(workspace_id) as tx:
        claim_delivery(tx, "k1", NOW)
        raise RuntimeError
    with database.writing(workspace_id) as tx:
        assert claim_delivery(tx, "k1", NOW)


def test_a_paused_workspace_goes_on_when_it_connects_again(tx: Tx):
    assert pause_workspace(tx, "app_uninstalled", NOW)
    assert not pause_workspace(tx, "tokens_revoked", NOW)
    row = get_workspace(tx)
    assert (row.is_paused, row.paused_reason) == (True, "app_uninstalled")
    connect_team(tx.session, "T0000001", "Test", "UBOT", NOW)
    assert (row.is_paused, row.paused_reason, row.bot_user_id) == (False, "", "UBOT")
    assert audited(tx) == ["pause", "resume"]
