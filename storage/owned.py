"""Whose rows are asked for: some members' own, found by index and not among the workspace's. Owns this narrowing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, null, or_, select, union_all
from sqlmodel import col

from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.lookup import is_among

Owners = Collection[str | None]
"""Members by id; None among them stands for what is nobody's."""


@dataclass(frozen=True)
class Scope:
    """Some members and the accounts in use that they own, by id; with those of nobody where that was asked for."""

    tx: Tx
    members: tuple[str, ...]
    accounts: tuple[str, ...]

    @classmethod
    def of(cls, tx: Tx, owners: Owners) -> Scope:
        """Look the accounts up: one query."""
        members = tuple(sorted(each for each in owners if each))
        owner = col(AccountRow.owner_id)
        is_theirs = is_among(tx, owner, members)
        if None in owners:
            is_theirs = or_(is_theirs, owner.is_(None))
        ids = tx.session.execute(select(col(AccountRow.id)).where(is_in_use(tx), is_theirs)).scalars()
        return cls(tx, members, tuple(ids))

    def has_member(self, column: Any) -> ColumnElement[bool]:
        """Whether the column names one of the members."""
        return is_among(self.tx, column, self.members)

    def has_account(self, column: Any) -> ColumnElement[bool]:
        """Whether the column names one of the accounts."""
        return is_among(self.tx, column, self.accounts)


def narrow(query: Any, table: Any, scope: Scope | None, *names: Any) -> Any:
    """Only the rows of `table` that one of the members owns, or nobody in an account of theirs; all without a scope.
    The first of the columns `names` that is filled says who owns a row.

    Each is asked apart and all are put together, as each has an index of its own.
    """
    if scope is None:
        return query
    parts = [query.where(*map(_is_empty, names[:place]), scope.has_member(name)) for place, name in enumerate(names)]
    return union_all(*parts, query.where(*map(_is_empty, names), scope.has_account(table.account_id)))


def _is_empty(column: Any) -> ColumnElement[bool]:
    """IS NULL, in a form that is no reason to use the column's index: it is NULL in most rows."""
    found: ColumnElement[bool] = func.coalesce(column, null()).is_(None)
    return found
