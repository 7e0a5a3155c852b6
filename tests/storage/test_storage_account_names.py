"""An account is found by all that it is called; of several names the first that means just one."""

from __future__ import annotations

import pytest

from storage.accounts.accounts import AccountRow, AliasRow
from storage.accounts.names import find_exact, is_beginning
from storage.db import Tx
from storage.people.workspaces import WorkspaceRow
from tests.conftest import NOW
from words.names import fold, slug


def add(tx: Tx, name: str, *aliases: str, external_id: str | None = None, is_archived: bool = False) -> AccountRow:
    row = AccountRow(
        workspace_id=tx.workspace_id,
        external_id=external_id,
        slug=slug(name),
        name=name,
        created_at=NOW,
        archived_at=NOW if is_archived else None,
    )
    tx.session.add(row)
    tx.session.flush()
    for alias in aliases:
        tx.session.add(AliasRow(workspace_id=tx.workspace_id, account_id=row.id, alias=alias, folded=fold(alias)))
    tx.session.flush()
    return row


@pytest.mark.parametrize("typed", ["Acme Ltd", "acme-ltd", "ACME LTD", "the anvils", "A-77", "a-77"])
def test_an_account_is_found_by_all_it_is_called(tx: Tx, typed: str):
    row = add(tx, "Acme Ltd", "The Anvils", external_id="A-77")
    add(tx, "Beta")
    assert find_exact(tx, [typed]) == (0, row)


def test_the_first_name_that_means_just_one_counts(tx: Tx):
    short, long = add(tx, "Acme"), add(tx, "Acme Labs")
    assert find_exact(tx, ["acme labs pilot", "acme labs", "acme"]) == (1, long)
    assert find_exact(tx, ["acme conversion", "acme"]) == (1, short)
    assert find_exact(tx, ["nobody"]) is None
    assert find_exact(tx, [""]) is None


def test_a_name_of_several_means_none_of_them(tx: Tx):
    add(tx, "Acme", external_id="BETA")
    beta = add(tx, "Beta", "Second")
    assert find_exact(tx, ["beta"]) is None
    assert find_exact(tx, ["beta", "second"]) == (1, beta)


def test_what_is_archived_or_elsewhere_is_not_found(tx: Tx):
    add(tx, "Gone", is_archived=True)
    other = WorkspaceRow(team_id="T9", name="Other", created_at=NOW)
    tx.session.add(other)
    tx.session.flush()
    add(Tx(tx.session, other.id), "Elsewhere", "Over there")
    assert find_exact(tx, ["gone", "elsewhere", "over there"]) is None
    assert not any(is_beginning(tx, text) for text in ("gon", "elsew", "over"))


def test_a_beginning_is_of_a_name_or_an_alias(tx: Tx):
    add(tx, "Acme Labs", "The Anvils")
    assert is_beginning(tx, "acme l")
    assert is_beginning(tx, "the an")
    assert not is_beginning(tx, "acme x")
