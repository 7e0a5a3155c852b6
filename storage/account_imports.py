"""Accounts from files: matched by external id, else by name, and merged. Owns the bulk way in; the one-by-one way
is in `storage.accounts.account_writes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from rules.accounts.imports import Outcome, strongest
from rules.records import Actor, Change
from storage.accounts.accounts import AccountRow, AliasRow
from storage.alerts.alerts import enqueue_refreshes
from storage.alerts.announcements import decide_holds_afresh
from storage.audit import record
from storage.db import Tx
from storage.lookup import is_among
from storage.merge import merge_rows
from storage.people.members import list_member_ids
from storage.types import new_id
from storage.upsert import upsert
from words.names import fold, slug


def find_alias_owners(tx: Tx, aliases: Sequence[str]) -> dict[str, str]:
    """Account id by folded alias, for those that are taken."""
    statement = select(AliasRow.folded, AliasRow.account_id).where(
        AliasRow.workspace_id == tx.workspace_id, col(AliasRow.folded).in_([fold(each) for each in aliases])
    )
    return dict(tx.session.exec(statement).all())


def match_accounts(tx: Tx, rows: Sequence[tuple[str, str]]) -> dict[tuple[str, str], AccountRow]:
    """The stored account of each (external id, name): by external id; by the name's slug where that account has
    no other external id. No account is matched twice.
    """
    external = {id_ for id_, _ in rows if id_}
    slugs = {slug(name) for _, name in rows}
    stored = tx.session.exec(
        select(AccountRow).where(
            AccountRow.workspace_id == tx.workspace_id,
            is_among(tx, col(AccountRow.external_id), external) | is_among(tx, col(AccountRow.slug), slugs),
        )
    ).all()
    by_external = {row.external_id: row for row in stored if row.external_id}
    by_slug = {row.slug: row for row in stored}
    found = {(id_, name): by_external[id_] for id_, name in rows if id_ in by_external}
    taken = {row.id for row in found.values()}
    for external_id, name in rows:
        same = by_slug.get(slug(name))
        if (external_id, name) in found or same is None or same.id in taken or (external_id and same.external_id):
            continue
        found[external_id, name] = same
        taken.add(same.id)
    return found


def import_accounts(tx: Tx, rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    """Merge accounts. Each row has `name`, `external_id` ("" for none), optionally `aliases` and other columns.

    Owners are linked where a member with `owner_email` is known; open alerts of accounts that change hands are shown
    anew. Returns the outcome of each row.
    """
    stored = match_accounts(tx, [(row["external_id"], row["name"]) for row in rows])
    members = list_member_ids(tx, [row.get("owner_email", "") for row in rows])
    taken = {row.slug for row in stored.values()} | _taken_slugs(tx, rows)
    merged: list[dict[str, Any]] = []
    handed_over: list[str] = []
    for row in rows:
        known = stored.get((row["external_id"], row["name"]))
        values = {name: value for name, value in row.items() if name != "aliases"} | _identity(row, known, taken, now)
        if "owner_email" in row:
            values["owner_id"] = _owner_id(row["owner_email"], known, members)
            if known is not None and values["owner_id"] != known.owner_id:
                handed_over.append(known.id)
        merged.append(values)
    outcomes = merge_rows(tx, AccountRow, merged, key="id", actor=actor, now=now)
    decide_holds_afresh(tx, handed_over)
    enqueue_refreshes(tx, handed_over, now)
    aliases = {values["id"]: row.get("aliases", ()) for values, row in zip(merged, rows, strict=True)}
    renamed = _add_aliases(tx, aliases, actor, now)
    return [
        strongest(outcome, Outcome.CHANGED if values["id"] in renamed else Outcome.SAME)
        for outcome, values in zip(outcomes, merged, strict=True)
    ]


def _identity(row: Mapping[str, Any], known: AccountRow | None, taken: set[str], now: datetime) -> dict[str, Any]:
    if known is not None:
        return {
            "id": known.id,
            "external_id": row["external_id"] or known.external_id,
            "slug": known.slug,
            "created_at": known.created_at,
        }
    return {
        "id": new_id(),
        "external_id": row["external_id"] or None,
        "slug": _free_slug(row, taken),
        "created_at": now,
    }


def _owner_id(email: str, known: AccountRow | None, members: Mapping[str, str]) -> str | None:
    """The member of the address. An owner given in Slack stays until the file names somebody else than before."""
    if known and known.owner_id and email in ("", known.owner_email):
        return known.owner_id
    return members.get(email)


def _taken_slugs(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    statement = select(AccountRow.slug).where(
        AccountRow.workspace_id == tx.workspace_id, col(AccountRow.slug).in_([slug(row["name"]) for row in rows])
    )
    return set(tx.session.exec(statement).all())


def _free_slug(row: Mapping[str, Any], taken: set[str]) -> str:
    """The name's slug; two customers of one name are told apart by their external id."""
    wanted = slug(row["name"])
    if wanted in taken:
        wanted = f"{wanted}-{slug(row['external_id'])}"
    taken.add(wanted)
    return wanted


def _add_aliases(tx: Tx, aliases: Mapping[str, Sequence[str]], actor: Actor, now: datetime) -> set[str]:
    """Add names that are not taken, by account id; returns the accounts that got one. None is ever removed: people
    add names in Slack, too.
    """
    taken = find_alias_owners(tx, [alias for names in aliases.values() for alias in names])
    rows = []
    for account_id, names in aliases.items():
        fresh = {fold(alias): alias for alias in names if fold(alias) not in taken}
        rows += [
            {"id": new_id(), "account_id": account_id, "alias": alias, "folded": folded}
            for folded, alias in fresh.items()
        ]
        if fresh:
            after: dict[str, object] = {"aliases": list(fresh.values())}
            record(tx, Change("import", AliasRow.__tablename__, account_id, account_id, after=after), actor, now)
    upsert(tx, AliasRow, rows, keys=["workspace_id", "folded"])
    return {row["account_id"] for row in rows}
