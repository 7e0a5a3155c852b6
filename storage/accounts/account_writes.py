"""Writes of accounts one by one: each intent with its audit, in the caller's transaction. Imports have their own way
in (`storage.account_imports`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists
from sqlmodel import SQLModel, col, delete, select

from rules.accounts.accounts import AccountIntent, AddAccount, ArchiveAccount, ChangeAccount, RestoreAccount
from rules.errors import StaleError, UserError
from rules.records import Actor, Change
from storage.accounts.accounts import AccountRow, AliasRow, find_account, find_same, get_account, list_aliases
from storage.audit import record
from storage.db import Tx
from storage.merge import as_json
from words.names import fold, slug

_COPIED = ("name", "state", "tier", "industry", "seats", "owner_id", "channel_id", "country", "started_on")


def apply_accounts(tx: Tx, intents: Sequence[AccountIntent], actor: Actor, now: datetime) -> list[AccountRow]:
    """Carry the intents out, with audit. Returns the accounts added, changed, archived or brought back.

    Raises `UserError` for a name that is taken, `StaleError` or `NotFoundError` for an account that is gone, or
    archived or brought back by somebody else already.
    """
    kept = []
    for intent in intents:
        if isinstance(intent, AddAccount):
            kept.append(_add(tx, intent, actor, now))
        elif isinstance(intent, ChangeAccount):
            kept.append(_change(tx, intent, actor, now))
        elif isinstance(intent, ArchiveAccount):
            kept.append(_archive(tx, intent, actor, now))
        elif isinstance(intent, RestoreAccount):
            kept.append(_restore(tx, intent.account_id, actor, now))
        else:
            _remove(tx, intent.account_id, actor, now)
    return kept


def is_account_needed(tx: Tx, account_id: str) -> bool:
    """Whether any row of any table but its own aliases refers to the account; rows taken back do not count."""
    for table in SQLModel.metadata.sorted_tables:
        column = table.columns.get("account_id")
        if table.name == AliasRow.__tablename__ or column is None or not column.foreign_keys:
            continue
        found = exists().where(table.c.workspace_id == tx.workspace_id, column == account_id)
        if "removed_at" in table.columns:
            found = found.where(table.c.removed_at.is_(None))
        if tx.session.execute(select(found)).scalar_one():
            return True
    return False


def _add(tx: Tx, intent: AddAccount, actor: Actor, now: datetime) -> AccountRow:
    draft = intent.draft
    if (same := find_same(tx, draft.name, draft.external_id)) is not None:
        raise UserError("This account exists already: {name}.", name=same.name)
    row = AccountRow(
        workspace_id=tx.workspace_id,
        slug=slug(draft.name),
        created_at=now,
        external_id=draft.external_id or None,
        **{name: getattr(draft, name) for name in _COPIED},
    )
    tx.session.add(row)
    tx.session.flush()
    _add_aliases(tx, row, draft.aliases)
    after: dict[str, object] = {"name": row.name, "external_id": row.external_id, "aliases": list(draft.aliases)}
    after |= {name: getattr(draft, name) for name in _COPIED}
    record(tx, Change("account.added", "account", row.id, row.id, after=as_json(after)), actor, now)
    return row


def _change(tx: Tx, intent: ChangeAccount, actor: Actor, now: datetime) -> AccountRow:
    row = get_account(tx, intent.account_id)
    before: dict[str, object] = {name: getattr(row, name) for name in intent.changes}
    after: dict[str, object] = dict(intent.changes)
    for name in ("name", "external_id"):
        _require_free(tx, row, name, str(after.get(name) or ""))
    for name, value in after.items():
        setattr(row, name, value)
    row.slug, row.external_id = slug(row.name), row.external_id or None
    if intent.aliases is not None:
        before["aliases"], after["aliases"] = list_aliases(tx, row.id), list(intent.aliases)
        _remove_aliases(tx, row.id)
        _add_aliases(tx, row, intent.aliases)
    tx.session.flush()
    if intent.undoes:
        after["undoes"] = intent.undoes
    verb = "account.reverted" if intent.undoes else "account.changed"
    record(tx, Change(verb, "account", row.id, row.id, before=as_json(before), after=as_json(after)), actor, now)
    return row


def _archive(tx: Tx, intent: ArchiveAccount, actor: Actor, now: datetime) -> AccountRow:
    row = get_account(tx, intent.account_id)
    row.archived_at = now
    tx.session.flush()
    after: dict[str, object] = {"reason": intent.reason}
    record(tx, Change("account.archived", "account", row.id, row.id, after=after), actor, now)
    return row


def _restore(tx: Tx, account_id: str, actor: Actor, now: datetime) -> AccountRow:
    row = find_account(tx, account_id)
    if row is None:
        raise StaleError("This account no longer exists.")
    if row.archived_at is None:
        raise StaleError("This account is in use already. Nothing was changed.")
    row.archived_at = None
    tx.session.flush()
    record(tx, Change("account.restored", "account", row.id, row.id), actor, now)
    return row


def _require_free(tx: Tx, row: AccountRow, field: str, text: str) -> None:
    same = find_same(tx, text if field == "name" else "", text if field == "external_id" else "") if text else None
    if same is not None and same.id != row.id:
        raise UserError("“{text}” is taken by {name} already.", field=field, text=text, name=same.name)


def _add_aliases(tx: Tx, row: AccountRow, aliases: Sequence[str]) -> None:
    for folded, alias in {fold(each): each for each in aliases}.items():
        if folded == fold(row.name):
            continue
        same = find_same(tx, alias)
        if same is not None and same.id != row.id:
            raise UserError("“{alias}” is a name of {name} already.", field="aliases", alias=alias, name=same.name)
        tx.session.add(AliasRow(workspace_id=tx.workspace_id, account_id=row.id, alias=alias, folded=folded))
    tx.session.flush()


def _remove(tx: Tx, account_id: str, actor: Actor, now: datetime) -> None:
    row = find_account(tx, account_id)
    if row is None:
        raise StaleError("This account no longer exists.")
    before: dict[str, object] = {"name": row.name, "external_id": row.external_id, "slug": row.slug}
    _remove_aliases(tx, account_id)
    tx.session.delete(row)
    tx.session.flush()
    record(tx, Change("account.undone", "account", account_id, account_id, before=before), actor, now)


def _remove_aliases(tx: Tx, account_id: str) -> None:
    tx.session.execute(
        delete(AliasRow).where(col(AliasRow.workspace_id) == tx.workspace_id, col(AliasRow.account_id) == account_id)
    )
