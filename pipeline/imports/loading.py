"""What all loaders share: the context of one import and the way an account is named in a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.imports.mapping import FileMapping
from pipeline.imports.records import RowIn
from pipeline.imports.shape import Item, Reject, Shaper
from rules.imports import Outcome
from rules.records import Actor
from storage.contracts import find_accounts_of_contracts
from storage.db import Tx
from words.names import Named, find_name, fold

# Looking for near names is slow; after this many different unknown names it helps nobody.
_NEAREST_LOOKUPS = 50


@dataclass(frozen=True)
class Loaded:
    """What became of one page of rows."""

    counts: Counter[Outcome]
    rejects: Sequence[Reject] = ()


@dataclass
class Context:
    """One import: who, when, the mapping, the accounts by folded name, and the metrics made so far (name → key)."""

    shaper: Shaper
    mapping: FileMapping
    actor: Actor
    now: datetime
    named: Sequence[Named] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    nearest: dict[str, str] = field(default_factory=dict)

    def reject(self, item: Item, name: str, reason: str) -> Reject:
        """A reject that names the file's column for our field `name`."""
        return Reject(item.line, self.shaper.column(name), reason)


Load = Callable[[Tx, Sequence[Item], Context], Loaded]


@dataclass(frozen=True)
class Loader:
    """How one kind of file is loaded. `key` tells rows of one file apart: the same key with other content is a
    conflict. `page`: rows in one transaction.
    """

    model: type[RowIn]
    key: Callable[[Any], str]
    load: Load
    has_account: bool = True
    page: int = 500


def read_names(named: Sequence[Named]) -> dict[str, str]:
    """Account id by each of its names, folded."""
    return {name: each.id for each in named for name in each.folded}


def find_accounts(tx: Tx, items: Sequence[Item], context: Context) -> tuple[list[tuple[Item, str]], list[Reject]]:
    """Pair each item with its account id; those that name no account are rejected, with the nearest name."""
    cells = [str(item.row.model_dump(include={"account"})["account"]) for item in items]
    if _is_through_contracts(context):
        known = find_accounts_of_contracts(tx, cells)
        ids = [known.get(cell) for cell in cells]
    else:
        ids = [context.names.get(fold(cell)) for cell in cells]
    found = [(item, id_) for item, id_ in zip(items, ids, strict=True) if id_ is not None]
    rejects = [
        context.reject(item, "account", _unknown(cell, context))
        for item, cell, id_ in zip(items, cells, ids, strict=True)
        if id_ is None
    ]
    return found, rejects


def _is_through_contracts(context: Context) -> bool:
    join = context.mapping.joins.get("account")
    return join is not None and join.through == "contracts"


def _unknown(cell: str, context: Context) -> str:
    if _is_through_contracts(context):
        return f"there is no contract {cell!r}; import the contracts first"
    if cell not in context.nearest and len(context.nearest) < _NEAREST_LOOKUPS:
        near = find_name(cell, context.named, nearest=1).nearest
        context.nearest[cell] = f"; the nearest is {near[0].names[0]!r}" if near else ""
    return f"there is no account {cell!r}" + context.nearest.get(cell, "")
