"""Accounts and the other names people use for them: tables, look-ups, lists.

Who changes them goes through `storage.accounts.account_writes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, false, union
from sqlalchemy import select as select_columns
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, col, func, select

from rules.accounts.accounts import AccountDraft
from rules.records import AccountState, Tier
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, key, moment, workspace
from words.names import Named, fold, slug


class AccountRow(SQLModel, table=True):
    """A customer company. `external_id` is the id of the system it was imported from; `slug` is made of the name."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("workspace_id", "external_id"),
        UniqueConstraint("workspace_id", "slug"),
        Index("ix_accounts_channel", "workspace_id", "channel_id"),
        Index("ix_accounts_page", "workspace_id", "id"),
    )

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    external_id: str | None = None
    slug: str
    name: str
    state: AccountState = choice(AccountState, default=AccountState.CUSTOMER)
    tier: Tier | None = choice(Tier, default=None, nullable=True)
    industry: str = ""
    country: str = ""
    seats: int | None = None
    owner_email: str = Field(default="", index=True)
    owner_id: str | None = Field(default=None, foreign_key="members.id", index=True)
    channel_id: str = ""
    started_on: date | None = None
    created_at: datetime = moment()
    archived_at: datetime | None = moment(default=None, nullable=True)


class AliasRow(SQLModel, table=True):
    """Another name of an account; `folded` is the name as `words.names.fold` writes it."""

    __tablename__ = "account_aliases"
    __table_args__ = (UniqueConstraint("workspace_id", "folded"),)

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    alias: str
    folded: str


class Watched(NamedTuple):
    """As much of an account as the daily jobs need of each; `country` is its own, "" where unknown."""

    id: str
    country: str
    tier: Tier | None


# ---------------------------------------------------------------- one account

# Put together once, because most commands ask them.
_IS_HERE = col(AccountRow.workspace_id) == bindparam("workspace_id")
_BY_ID = select(AccountRow).where(_IS_HERE, col(AccountRow.id).in_(bindparam("ids", expanding=True)))
_IN_CHANNEL = (
    select(AccountRow)
    .where(_IS_HERE, col(AccountRow.archived_at).is_(None), AccountRow.channel_id == bindparam("channel_id"))
    .limit(2)
)


def find_account(tx: Tx, account_id: str) -> AccountRow | None:
    """The account, also an archived one."""
    return tx.session.exec(
        select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id, AccountRow.id == account_id)
    ).first()


def get_account(tx: Tx, account_id: str) -> AccountRow:
    """The account in use. Raises `NotFoundError` where it is gone or archived."""
    found = find_account(tx, account_id)
    if found is None:
        raise NotFoundError("This account no longer exists. See `/cs list` for those that do.")
    if found.archived_at is not None:
        raise NotFoundError("This account was archived. `/cs restore` brings it back.")
    return found


def lock_account(tx: Tx, account_id: str) -> None:
    """Keep others from changing the account until the transaction ends, and read it afresh."""
    query = select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id, AccountRow.id == account_id)
    tx.session.exec(query.with_for_update().execution_options(populate_existing=True)).first()


def get_accounts(tx: Tx, ids: Iterable[str]) -> dict[str, AccountRow]:
    """Those of the accounts that exist, by id, also archived ones."""
    rows = tx.session.exec(_BY_ID, params={"workspace_id": tx.workspace_id, "ids": list(ids)})
    return {row.id: row for row in rows}


def list_aliases(tx: Tx, account_id: str) -> list[str]:
    """Other names of an account, sorted."""
    rows = tx.session.exec(
        select(AliasRow.alias).where(AliasRow.workspace_id == tx.workspace_id, AliasRow.account_id == account_id)
    )
    return sorted(rows)


def list_in_channel(tx: Tx, channel_id: str) -> list[AccountRow]:
    """At most two of the accounts that live in a channel: enough to tell "one" from "several"."""
    if not channel_id:
        return []
    return list(tx.session.exec(_IN_CHANNEL, params={"workspace_id": tx.workspace_id, "channel_id": channel_id}))


def find_same(tx: Tx, name: str, external_id: str = "") -> AccountRow | None:
    """An account (also an archived one) that has this name as name or alias, or this external id."""
    same = _is_called(tx, name, [external_id] if external_id else [])
    return tx.session.exec(select(AccountRow).where(AccountRow.workspace_id == tx.workspace_id, same).limit(1)).first()


def _is_called(tx: Tx, name: str, external_ids: list[str]) -> ColumnElement[bool]:
    """One look into an index for each way to be called; as one condition they would look through all accounts."""
    of_name = select(AccountRow.id).where(AccountRow.workspace_id == tx.workspace_id, AccountRow.slug == slug(name))
    of_alias = select(AliasRow.account_id).where(
        AliasRow.workspace_id == tx.workspace_id, AliasRow.folded == fold(name)
    )
    of_id = select(AccountRow.id).where(
        AccountRow.workspace_id == tx.workspace_id, col(AccountRow.external_id).in_(external_ids)
    )
    ways = [*([of_name, of_alias] if name else []), *([of_id] if external_ids else [])]
    return col(AccountRow.id).in_(union(*ways)) if ways else false()


def to_draft(tx: Tx, row: AccountRow) -> AccountDraft:
    """The account as its form shows it."""
    return AccountDraft(
        name=row.name,
        external_id=row.external_id or "",
        state=row.state,
        tier=row.tier,
        industry=row.industry,
        seats=row.seats,
        owner_id=row.owner_id,
        channel_id=row.channel_id,
        country=row.country,
        started_on=row.started_on,
        aliases=tuple(list_aliases(tx, row.id)),
    )


# ---------------------------------------------------------------- many accounts


def list_named(tx: Tx) -> list[Named]:
    """Every account in use with all its names (shown name, external id, slug, aliases), in two queries.

    Not in one with a join: SQLite then looks through all aliases of the workspace for each account.
    """
    columns = (AccountRow.id, AccountRow.name, AccountRow.external_id, AccountRow.slug)
    rows = tx.session.execute(select_columns(*map(col, columns)).where(is_in_use(tx)))
    names = {
        id_: [name, external_id, slug_] if external_id else [name, slug_] for id_, name, external_id, slug_ in rows
    }
    aliases = tx.session.exec(
        select(AliasRow.account_id, AliasRow.alias).where(AliasRow.workspace_id == tx.workspace_id)
    )
    for account_id, alias in aliases:
        if account_id in names:
            names[account_id].append(alias)
    return [_to_named(id_, tuple(known)) for id_, known in names.items()]


@lru_cache(maxsize=65_536)
def _to_named(id_: str, names: tuple[str, ...]) -> Named:
    """The same object for the same names, because it keeps their folded form, which is what takes time."""
    return Named(id_, names)


def count_archived(tx: Tx) -> int:
    """How many accounts are put away."""
    return tx.session.exec(select(func.count()).select_from(AccountRow).where(_is_archived(tx))).one()


def list_archived(tx: Tx, limit: int, offset: int = 0) -> list[AccountRow]:
    """Accounts put away, the latest first."""
    ordered = (
        select(AccountRow).where(_is_archived(tx)).order_by(col(AccountRow.archived_at).desc(), col(AccountRow.id))
    )
    return list(tx.session.exec(ordered.limit(limit).offset(offset)))


def list_archived_named(tx: Tx) -> list[Named]:
    """Every archived account with the names it can be asked for by: shown name, external id, slug."""
    columns = (AccountRow.id, AccountRow.name, AccountRow.external_id, AccountRow.slug)
    rows = tx.session.execute(select_columns(*map(col, columns)).where(_is_archived(tx)))
    return [Named(id_, tuple(filter(None, names))) for id_, *names in rows]


def page_account_ids(tx: Tx, after: str = "", limit: int = 200) -> list[str]:
    """The next ids, in order, of accounts that jobs look at: in use and not lost."""
    query = select(AccountRow.id).where(is_watched(tx), AccountRow.id > after)
    return list(tx.session.exec(query.order_by(col(AccountRow.id)).limit(limit)))


def page_watched(tx: Tx, after: str = "", limit: int = 200) -> list[Watched]:
    """As `page_account_ids`, with what a scan needs of each."""
    query = select_columns(*(getattr(AccountRow, name) for name in Watched._fields))
    wanted = query.where(is_watched(tx), col(AccountRow.id) > after)
    return [Watched(*row) for row in tx.session.execute(wanted.order_by(col(AccountRow.id)).limit(limit))]


def is_watched(tx: Tx) -> ColumnElement[bool]:
    """Whether jobs look at an account, as a condition of a query: in use and not lost."""
    return and_(is_in_use(tx), col(AccountRow.state) != AccountState.LOST)


def is_in_use(tx: Tx) -> ColumnElement[bool]:
    """Whether an account is neither archived nor of another workspace, as a condition of a query."""
    return and_(col(AccountRow.workspace_id) == tx.workspace_id, col(AccountRow.archived_at).is_(None))


def _is_archived(tx: Tx) -> ColumnElement[bool]:
    return and_(col(AccountRow.workspace_id) == tx.workspace_id, col(AccountRow.archived_at).is_not(None))
