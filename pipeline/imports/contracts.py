"""Loading contracts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipeline.imports.loading import Checked, Context, is_first, place
from pipeline.imports.records import ContractIn
from pipeline.imports.shape import Item
from rules.accounts.imports import Outcome
from storage.db import Tx
from storage.renewals.contracts import import_contracts
from words.errors import WordsError
from words.money import parse_money

_RENAMED = frozenset({"account", "yearly_amount", "currency", "auto_renew"})


def check_contracts(tx: Tx, items: Sequence[Item[ContractIn]], context: Context) -> Checked[dict[str, Any]]:
    """Find the accounts and read the money."""
    checked: Checked[dict[str, Any]] = Checked()
    for item, account_id in place(tx, items, context, checked):
        try:
            money = _money(item.row, context)
        except WordsError as error:
            checked.rejects.append(context.reject(item, "yearly_amount", str(error)))
            continue
        if is_first(item, item.row.external_id, item.row, "contract", context, checked):
            values = context.values(item.row, without=_RENAMED)
            checked.ready.append({**values, **money, **_flags(item.row, context), "account_id": account_id})
    return checked


def _money(row: ContractIn, context: Context) -> dict[str, Any]:
    """Amount and currency, as far as the file speaks of them. Raises `WordsError`."""
    currency = row.currency or context.currency
    if "yearly_amount" in context.given:
        amount = parse_money(row.yearly_amount, currency)
        return {"yearly_minor": amount.minor, "currency": amount.currency}
    return {"currency": currency} if "currency" in context.given else {}


def _flags(row: ContractIn, context: Context) -> dict[str, Any]:
    """A file that has a column for overdue invoices knows about payment, also where the cell is empty."""
    flags = {"is_auto_renew": row.auto_renew} if "auto_renew" in context.given else {}
    return {**flags, "is_payment_known": True} if "overdue_since" in context.given else flags


def store_contracts(tx: Tx, ready: Sequence[dict[str, Any]], context: Context) -> Counter[Outcome]:
    """Merge a page of contracts."""
    return Counter(import_contracts(tx, ready, context.actor, context.now))
