"""Loading support tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipeline.imports.loading import Checked, Context, is_first, place
from pipeline.imports.records import TicketIn
from pipeline.imports.shape import Item
from rules.accounts.imports import Outcome
from storage.db import Tx
from storage.health.tickets import import_tickets

_RENAMED = frozenset({"account", "escalated"})


def check_tickets(tx: Tx, items: Sequence[Item[TicketIn]], context: Context) -> Checked[dict[str, Any]]:
    """Find the accounts."""
    checked: Checked[dict[str, Any]] = Checked()
    for item, account_id in place(tx, items, context, checked):
        if is_first(item, item.row.external_id, item.row, "ticket", context, checked):
            values = {**context.values(item.row, without=_RENAMED), "account_id": account_id}
            if "escalated" in context.given:
                values["is_escalated"] = item.row.escalated
            checked.ready.append(values)
    return checked


def store_tickets(tx: Tx, ready: Sequence[dict[str, Any]], context: Context) -> Counter[Outcome]:
    """Merge a page of tickets."""
    return Counter(import_tickets(tx, ready, context.actor, context.now))
