"""What all loaders share: the context of one import, how a page of rows is checked and stored, and the claims by which
rows of one file are told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pipeline.imports.mapping import FileMapping
from pipeline.imports.names import AccountNames
from pipeline.imports.records import OwnedRowIn, RowIn
from pipeline.imports.shape import Item, Reject, RowT, Shaper
from pipeline.imports.source import Line
from rules.accounts.imports import Outcome
from rules.records import Actor
from storage.db import Tx
from storage.renewals.contracts import find_accounts_of_contracts
from words.errors import excerpt

OwnedT = TypeVar("OwnedT", bound=OwnedRowIn)
ReadyT = TypeVar("ReadyT")


class Claims:
    """What the rows of one file have said so far: about what, on which line, with which content."""

    def __init__(self) -> None:
        self._said: dict[Hashable, tuple[int, int]] = {}

    def contradicts(self, about: Hashable, content: Hashable) -> int | None:
        """The line that said something else about this."""
        said = self._said.get(about)
        return said[0] if said and said[1] != hash(content) else None

    def add(self, about: Hashable, content: Hashable, line: Line) -> bool:
        """Note what a line says; whether it is the first about this."""
        mine = (line.number, hash(content))
        return self._said.setdefault(about, mine) is mine


@dataclass
class Context:
    """One import: who, when, the mapping, the accounts by name, and what it has seen so far.

    `today` is the workspace's day at `now`, `currency` its own. `metrics`: names known to be in the catalogue;
    `contracts`: account id by contract, as far as looked up.
    """

    shaper: Shaper[Any]
    mapping: FileMapping
    actor: Actor
    now: datetime
    today: date
    currency: str
    names: AccountNames
    claims: Claims = field(default_factory=Claims)
    metrics: set[str] = field(default_factory=set)
    contracts: dict[str, str] = field(default_factory=dict)
    given: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.given = self.shaper.fields

    def reject(self, item: Item[Any], name: str, reason: str) -> Reject:
        """A reject that names the file's column for our field `name`."""
        return Reject(item.line, self.shaper.column(name), reason)

    def values(self, row: RowIn, *, without: Collection[str]) -> dict[str, Any]:
        """The row's values for those fields the file speaks of."""
        return {name: value for name, value in row if name in self.given and name not in without}


@dataclass
class Checked(Generic[ReadyT]):
    """A page of rows that can be stored, the rejects among it, and how many say nothing new."""

    ready: list[ReadyT] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    same: int = 0


@dataclass(frozen=True)
class Loader(Generic[RowT, ReadyT]):
    """How one kind of file is loaded. `check` reads and decides; `store` writes, in one transaction of `page` rows."""

    model: type[RowT]
    check: Callable[[Tx, Sequence[Item[RowT]], Context], Checked[ReadyT]]
    store: Callable[[Tx, Sequence[ReadyT], Context], Counter[Outcome]]
    page: int = 200


def place(
    tx: Tx, items: Sequence[Item[OwnedT]], context: Context, checked: Checked[Any]
) -> Iterator[tuple[Item[OwnedT], str]]:
    """Each item with its account's id; those that name no account are rejected, with the nearest name."""
    if context.mapping.is_through_contracts:
        unknown = {item.row.account for item in items} - context.contracts.keys()
        context.contracts |= find_accounts_of_contracts(tx, sorted(unknown))
    find = context.contracts.get if context.mapping.is_through_contracts else context.names.find
    for item in items:
        if (account_id := find(item.row.account)) is not None:
            yield item, account_id
        else:
            checked.rejects.append(context.reject(item, "account", _explain(item.row.account, context)))


def _explain(cell: str, context: Context) -> str:
    if context.mapping.is_through_contracts:
        return f"there is no contract {excerpt(cell)!r}; import the contracts first"
    return context.names.explain(cell)


def is_first(
    item: Item[Any], about: Hashable, content: Hashable, what: str, context: Context, checked: Checked[Any]
) -> bool:
    """Whether the item is the first of the file about this. Another that says the same counts as same; one that says
    something else is rejected. `what` it is about, in a word.
    """
    if (line := context.claims.contradicts(about, content)) is not None:
        checked.rejects.append(context.reject(item, "", contradiction(line, what)))
        return False
    if not context.claims.add(about, content, item.line):
        checked.same += 1
        return False
    return True


def contradiction(line: int, what: str) -> str:
    """Why a row is rejected that does not agree with an earlier one."""
    return f"line {line} says something else about the same {what}"
