"""Finding an account by all that it is called, where that was typed in full. Owns these two look-ups, with which
nearly every command begins; refuses to guess (that is `words.names`, over `list_named`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, literal, select, union_all
from sqlmodel import col

from storage.accounts.accounts import AccountRow, AliasRow
from storage.db import Tx
from words.names import fold, slug

_LAST_SIGN = "\U0010ffff"


def find_exact(tx: Tx, names: Sequence[str]) -> tuple[int, AccountRow] | None:
    """The first of `names` that is the name, alias or external id of just one account in use: its place among them,
    and the account. None where there is none.
    """
    slugs, folds = [slug(each) for each in names], [fold(each) for each in names]
    external_ids = [*names, *(each.upper() for each in names)]
    asked = {"workspace_id": tx.workspace_id, "slugs": slugs, "folds": folds, "external_ids": external_ids}
    known: dict[tuple[str, str], dict[str, AccountRow]] = {}
    for row, way, called in tx.session.execute(_CALLED, asked):
        known.setdefault((way, called), {})[row.id] = row
    for at, name in enumerate(names):
        ways = (("slugs", slugs[at]), ("folds", folds[at]), ("external_ids", name), ("external_ids", name.upper()))
        found = {id_: row for way in ways for id_, row in known.get(way, {}).items()}
        if len(found) == 1:
            return at, next(iter(found.values()))
    return None


def is_beginning(tx: Tx, text: str) -> bool:
    """Whether a name or alias of any account begins with `text`."""
    start, words = slug(text), fold(text)
    ends = {"start_end": start + _LAST_SIGN, "words_end": words + _LAST_SIGN}
    asked = {"workspace_id": tx.workspace_id, "start": start, "words": words, **ends}
    return tx.session.execute(_BEGINS, asked).first() is not None


# ---------------------------------------------------------------- the statements, put together once


def _called(way: str, row: type[AccountRow | AliasRow], id_: Any, name: Any) -> Select[Any, Any, Any]:
    """A look into one index for each way to be called: as one condition they would look through all accounts."""
    is_it = and_(_is_here(row), col(name).in_(bindparam(way, expanding=True)))
    return select(col(id_).label("id"), literal(way).label("way"), col(name).label("called")).where(is_it)


def _is_here(row: type[AccountRow | AliasRow]) -> ColumnElement[bool]:
    return col(row.workspace_id) == bindparam("workspace_id")


_IN_USE = and_(_is_here(AccountRow), col(AccountRow.archived_at).is_(None))
_WAYS = union_all(
    _called("slugs", AccountRow, AccountRow.id, AccountRow.slug),
    _called("folds", AliasRow, AliasRow.account_id, AliasRow.folded),
    _called("external_ids", AccountRow, AccountRow.id, AccountRow.external_id),
).subquery()
_CALLED = select(AccountRow, _WAYS.c.way, _WAYS.c.called).join(_WAYS, _WAYS.c.id == col(AccountRow.id)).where(_IN_USE)
_BEGINS = union_all(
    select(col(AccountRow.id)).where(
        _IN_USE, col(AccountRow.slug) >= bindparam("start"), col(AccountRow.slug) < bindparam("start_end")
    ),
    select(col(AliasRow.id)).where(
        _is_here(AliasRow), col(AliasRow.folded) >= bindparam("words"), col(AliasRow.folded) < bindparam("words_end")
    ),
).limit(1)
