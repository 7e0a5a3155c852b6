"""Accounts in storage: lists, filters, names, adding and taking back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import select

from rules.accounts.accounts import AccountDraft, AddAccount, RemoveAccount, decide_add
from rules.errors import StaleError, UserError
from rules.records import AccountState, Actor, Band, Tier
from storage.accounts.account_writes import apply_accounts, is_account_needed
from storage.accounts.accounts import (
    AccountRow,
    find_account,
    find_same,
    get_account,
    get_accounts,
    list_aliases,
    list_in_channel,
    list_named,
    page_account_ids,
)
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.errors import NotFoundError
from storage.health.health import HealthScoreRow
from storage.health.portfolio import AccountFilter, count_accounts, list_accounts
from storage.people.members import MemberRow
from storage.upsert import upsert
from tests.conftest import NOW, add_workspace
from words.names import find_name

ACTOR = Actor("member", "m1", "Ada")


def add(tx: Tx, name: str, **more: object) -> AccountRow:
    return apply_accounts(tx, decide_add(replace(AccountDraft(name), **more)), ACTOR, NOW)[0]


def test_an_added_account_is_found_by_all_its_names(tx: Tx):
    acme = add(tx, "Acme Corp", external_id="A-100", aliases=("Wile & Co", "acme corp"))
    add(tx, "宁德时代", aliases=("CATL",))
    named = list_named(tx)
    assert {find_name(text, named).match.id for text in ("acme", "a-100", "WILE co")} == {acme.id}  # type: ignore[union-attr]
    assert find_name("宁德", named).match == find_name("catl", named).match
    assert list_aliases(tx, acme.id) == ["Wile & Co"]
    audit = tx.session.exec(select(AuditRow).where(AuditRow.object_id == acme.id)).one()
    assert (audit.verb, audit.actor_id, audit.after["name"]) == ("account.added", "m1", "Acme Corp")


def test_names_of_archived_accounts_and_other_workspaces_are_not_offered(database: Database):
    here, there = add_workspace(database), add_workspace(database, "T0000002")
    for workspace, name in ((here, "Acme"), (there, "Other")):
        with database.writing(workspace) as tx:
            add(tx, name)
            add(tx, "Old " + name).archived_at = NOW
    with database.reading(here) as tx:
        assert [named.names[0] for named in list_named(tx)] == ["Acme"]
        assert count_accounts(tx) == 1
        assert [row.name for row in list_accounts(tx)] == ["Acme"]


def test_a_name_alias_or_external_id_can_be_taken_once(tx: Tx):
    add(tx, "Acme", external_id="1", aliases=("Roadrunner",))
    for draft in (
        AccountDraft("ACME"),
        AccountDraft("roadrunner"),
        AccountDraft("New", external_id="1"),
        AccountDraft("New", aliases=("acme",)),
    ):
        with pytest.raises(UserError):
            apply_accounts(tx, [AddAccount(draft)], ACTOR, NOW)
    assert find_same(tx, "Nobody") is None


def test_getting_a_gone_or_archived_account_says_so(tx: Tx):
    row = add(tx, "Acme")
    assert get_account(tx, row.id) is row
    row.archived_at = NOW
    for account_id in (row.id, "0" * 32):
        with pytest.raises(NotFoundError):
            get_account(tx, account_id)
    assert get_accounts(tx, [row.id, "0" * 32]).keys() == {row.id}


def test_jobs_page_through_living_accounts_in_order(tx: Tx):
    ids = sorted(add(tx, f"Account {number}").id for number in range(5))
    add(tx, "Gone", state=AccountState.LOST)
    add(tx, "Archived").archived_at = NOW
    assert page_account_ids(tx, limit=3) == ids[:3]
    assert page_account_ids(tx, after=ids[2], limit=3) == ids[3:]


def test_lists_narrow_by_owner_tier_state_and_latest_band(tx: Tx):
    upsert(tx, MemberRow, [{"id": "m1", "slack_id": "U1"}], keys=["id"])
    first = add(tx, "b first", owner_id="m1", tier=Tier.A)
    second = add(tx, "A second", state=AccountState.TRIAL)
    left_out = add(tx, "c left out of the last scores")
    for row, day, band in ((first, 1, Band.RED), (left_out, 3, Band.RED), (first, 5, Band.GREEN)):
        tx.session.add(
            HealthScoreRow(workspace_id=tx.workspace_id, account_id=row.id, day=date(2026, 3, day), band=band)
        )
    tx.session.flush()
    assert list_accounts(tx) == [second, first, left_out]
    assert list_accounts(tx, owner_id="m1") == [first]
    assert list_accounts(tx, limit=1, offset=1) == [first]
    expected = {
        AccountFilter(tier=Tier.A): [first],
        AccountFilter(state=AccountState.TRIAL): [second],
        AccountFilter(band=Band.GREEN): [first],
        AccountFilter(band=Band.RED): [left_out],
        AccountFilter(band=Band.RED, on=date(2026, 3, 4)): [first, left_out],
        AccountFilter(band=Band.UNKNOWN): [second],
    }
    for chosen, rows in expected.items():
        assert list_accounts(tx, chosen=chosen) == rows
        assert count_accounts(tx, chosen=chosen) == len(rows)


def test_a_channel_tells_one_account_from_several(tx: Tx):
    add(tx, "One", channel_id="C1")
    for number in range(3):
        add(tx, f"Many {number}", channel_id="C2")
    assert [len(list_in_channel(tx, channel)) for channel in ("C1", "C2", "C3", "")] == [1, 2, 0, 0]


def test_taking_an_account_back_removes_it_with_its_names(tx: Tx):
    row = add(tx, "Acme", aliases=("Roadrunner",))
    account_id = row.id
    assert not is_account_needed(tx, account_id)
    apply_accounts(tx, [RemoveAccount(account_id)], ACTOR, NOW)
    assert find_account(tx, account_id) is None
    assert list_named(tx) == []
    with pytest.raises(StaleError):
        apply_accounts(tx, [RemoveAccount(account_id)], ACTOR, NOW)
    assert add(tx, "Acme", aliases=("Roadrunner",)).id != account_id


def test_a_score_needs_its_account(tx: Tx):
    row = add(tx, "Acme")
    tx.session.add(HealthScoreRow(workspace_id=tx.workspace_id, account_id=row.id, day=date(2026, 3, 1)))
    tx.session.flush()
    assert is_account_needed(tx, row.id)
