"""Loading accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from pipeline.imports.loading import Checked, Context, is_first
from pipeline.imports.records import AccountIn
from pipeline.imports.shape import Item
from rules.accounts.imports import Outcome
from storage.account_imports import find_alias_owners, import_accounts, match_accounts
from storage.db import Tx
from words.errors import excerpt
from words.names import fold, slug

_RENAMED = frozenset({"channel", "external_id"})


def check_accounts(tx: Tx, items: Sequence[Item[AccountIn]], context: Context) -> Checked[dict[str, Any]]:
    """An alias that belongs to another account rejects its row."""
    checked: Checked[dict[str, Any]] = Checked()
    stored = match_accounts(tx, [(item.row.external_id, item.row.name) for item in items])
    owners = find_alias_owners(tx, [alias for item in items for alias in item.row.aliases])
    for item in items:
        row = item.row
        known = stored.get((row.external_id, row.name))
        own = known.id if known else None
        taken = [each for each in row.aliases if owners.get(fold(each), own) != own or _is_claimed(row, each, context)]
        if taken:
            reason = f"{excerpt(taken[0])!r} is a name of another account already"
            checked.rejects.append(context.reject(item, "aliases", reason))
        elif is_first(item, _key(row), row, "account", context, checked):
            for alias in row.aliases:
                context.claims.add(("alias", fold(alias)), _key(row), item.line)
            checked.ready.append(_columns(row, context))
    return checked


def _key(row: AccountIn) -> Hashable:
    return ("id", row.external_id) if row.external_id else ("name", slug(row.name))


def _is_claimed(row: AccountIn, alias: str, context: Context) -> bool:
    return context.claims.contradicts(("alias", fold(alias)), _key(row)) is not None


def _columns(row: AccountIn, context: Context) -> dict[str, Any]:
    values = context.values(row, without=_RENAMED)
    if "channel" in context.given:
        values["channel_id"] = row.channel
    return {"external_id": row.external_id, **values}


def store_accounts(tx: Tx, ready: Sequence[dict[str, Any]], context: Context) -> Counter[Outcome]:
    """Merge a page of accounts."""
    return Counter(import_accounts(tx, ready, context.actor, context.now))
