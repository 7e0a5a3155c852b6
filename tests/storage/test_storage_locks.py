"""Tests of rows kept from others while a form that was opened earlier is compared with what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage.accounts.accounts import lock_account
from storage.accounts.contacts import ContactRow, lock_contact
from storage.db import Database, Tx
from storage.renewals.contracts import ContractRow, lock_contract
from tests.alert_rows import add_account
from tests.conftest import NOW, add_workspace


@pytest.mark.parametrize(
    ("lock", "id_", "table", "key"),
    [
        (lock_account, "acme", "accounts", "id"),
        (lock_contact, "jo", "contacts", "id"),
        (lock_contract, "K1", "contracts", "external_id"),
    ],
)
def test_nobody_else_gets_at_a_row_that_is_compared(
    postgres_url: str, lock: Callable[[Tx, str], None], id_: str, table: str, key: str
):
    database = Database(postgres_url)
    workspace_id = fill(database)
    with database.writing(workspace_id) as tx:
        lock(tx, id_)
        with database.engine.connect() as other, pytest.raises(OperationalError, match="could not obtain lock"):
            query = f"SELECT 1 FROM {table} WHERE workspace_id = :ws AND {key} = :id FOR UPDATE NOWAIT"  # noqa: S608  # names of ours
            other.execute(text(query), {"ws": workspace_id, "id": id_})
    database.close()


def fill(database: Database) -> str:
    """An account with a contact and a contract; the workspace's id."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        about: dict[str, Any] = {"workspace_id": tx.workspace_id, "account_id": "acme"}
        tx.session.add(ContactRow(id="jo", name="Jo", created_at=NOW, **about))
        tx.session.add(ContractRow(external_id="K1", start_on=date(2026, 1, 1), **about))
    return workspace_id
