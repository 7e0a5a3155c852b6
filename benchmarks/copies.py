"""Copies of accounts with all that belongs to them, made by SQLite. Owns that copying; refuses to invent rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.schema import METADATA
from words.names import slug

_CACHE_KIB = 400_000


@dataclass(frozen=True)
class Copy:
    """An account to be: a copy has another id, name and owner (a member's id) than its original."""

    id: str
    name: str
    owner_id: str


def _copied(id_: str) -> str:
    """The id that what has the id `id_` in the original has in the copy; NULL and "" stay what they are."""
    return f"iif({id_} = '', '', printf('%08x', c.copy) || substr({id_}, 9))"


def _named(name: str) -> str:
    return f"printf('%06d-', c.copy) || {name}"


# A subject is empty, or the id of a target, milestone or journey, or a contract's own name; then come ":" and a date.
_SUBJECT = f"iif(t.subject LIKE 'contract-%', {_named('t.subject')}, {_copied('t.subject')})"
_NAME = "substr({0}, 1, instr({0} || ':', ':') - 1)"
_FACTS = f"replace(t.facts, {_NAME.format('t.subject')}, {_NAME.format(f'({_SUBJECT})')})"
_ID = {"id": _copied("t.id")}
# What differs in a copy, by table and column: c is the copy's line, t the original's row.
_TABLES: dict[str, dict[str, str]] = {
    "accounts": {"name": "c.name", "slug": "c.slug", "external_id": _named("t.external_id"), "owner_id": "c.owner_id"},
    "contracts": {"external_id": _named("t.external_id")},
    "tickets": {"external_id": _named("t.external_id")},
    "targets": {**_ID, "external_id": _named("t.external_id")},
    "measurements": _ID,
    "usage_events": {"message_id": _named("t.message_id")},
    "usage_days": {},
    "health_scores": {},
    "conditions": {"subject": _SUBJECT},
    "alert_episodes": {**_ID, "subject": _SUBJECT, "facts": _FACTS},
    "contacts": _ID,
    "notes": {**_ID, "author_id": "c.owner_id"},
    "journeys": _ID,
    "milestones": {**_ID, "journey_id": _copied("t.journey_id")},
    "checkins": {**_ID, "author_id": "c.owner_id"},
    "checkin_offers": {
        **_ID,
        "member_id": "c.owner_id",
        "batch_id": "c.owner_id || ':' || t.offered_on",
        "checkin_id": _copied("t.checkin_id"),
    },
    "tasks": {**_ID, "owner_id": "c.owner_id", "source_id": _copied("t.source_id")},
    "risks": {**_ID, "owner_id": "c.owner_id", "checkin_id": _copied("t.checkin_id")},
    "renewals": {**_ID, "contract_id": _named("t.contract_id")},
    "audit": {**_ID, "object_id": f"iif(t.object_kind = 'account', c.account_id, {_copied('t.object_id')})"},
}
# Rows that name no account, copied first, while the wholes are the originals' alone: of what they are part, the column
# that says so, and what else differs.
_PARTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "target_steps": ("targets", "target_id", {}),
    "journey_stages": ("journeys", "journey_id", {}),
    "renewal_reminders": ("renewals", "renewal_id", {}),
    "alert_events": ("alert_episodes", "episode_id", _ID),
}


def copy_accounts(path: Path, wanted: Sequence[Copy], originals: int) -> None:
    """Make the accounts `wanted` from the first `originals` of them on; those exist already.

    Without a journal and without waiting for the disk: a benchmark's company that breaks is made again.
    """
    lines = [
        (wanted[number % originals].id, number // originals, each.id, each.name, slug(each.name), each.owner_id)
        for number, each in enumerate(wanted)
        if number >= originals
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}", "temp_store=FILE"):
            connection.execute(f"PRAGMA {pragma}")
        known = connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()  # forgotten with each index
        connection.execute("CREATE TEMP TABLE copies (original, copy, account_id, name, slug, owner_id)")
        connection.executemany("INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?)", lines)
        for table, (whole, column, changed) in _PARTS.items():
            _copy(connection, table, _part_query(table, whole, column), {column: _copied(f"t.{column}"), **changed})
        for table, changed in _TABLES.items():
            owner = _owner(table)
            query = f"SELECT *, {owner} AS original_id FROM {table}"  # noqa: S608  # our own tables
            _copy(connection, table, query, {owner: "c.account_id", **changed})
        connection.execute("DELETE FROM sqlite_stat1")
        connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", known)
        connection.execute("PRAGMA journal_mode=DELETE")


def _part_query(table: str, whole: str, column: str) -> str:
    return f"SELECT t.*, w.account_id AS original_id FROM {table} AS t JOIN {whole} AS w ON w.id = t.{column}"  # noqa: S608  # our own tables


def _copy(connection: sqlite3.Connection, table: str, originals: str, changed: dict[str, str]) -> None:
    """Copy what the query `originals` gives, each row with the account's id as `original_id`."""
    names = [column.name for column in METADATA.tables[table].columns]
    values = {name: f"t.{name}" for name in names} | changed
    picked = ", ".join(values[name] for name in names)
    with _unindexed(connection, table):
        connection.execute(f"CREATE TEMP TABLE originals AS {originals}")
        connection.execute("CREATE INDEX temp.by_owner ON originals (original_id)")
        connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {picked} FROM copies AS c "  # noqa: S608  # names of our own tables
            "CROSS JOIN originals AS t ON t.original_id = c.original"
        )
        connection.execute("DROP TABLE temp.originals")


@contextmanager
def _unindexed(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    """Without the table's indexes, which are faster made once over all rows than kept on each."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    found = connection.execute(query, (table,)).fetchall()
    for name, _made_by in found:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _name, made_by in found:
        connection.execute(made_by)


def _owner(table: str) -> str:
    return "id" if table == "accounts" else "account_id"
