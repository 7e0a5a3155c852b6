"""Copies of accounts with all that belongs to them, made by SQLite. Owns that copying; refuses to invent rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from storage.schema import METADATA
from words.names import slug

_CACHE_KIB = 400_000

_COPIED_ID = "printf('%08x', c.copy) || substr(t.id, 9)"
_COPIED_NAME = "printf('%06d-', c.copy) || t.external_id"
# What differs in a copy, by table and column: c is the copy's line, t the original's row.
_TABLES: dict[str, dict[str, str]] = {
    "accounts": {"name": "c.name", "slug": "c.slug", "external_id": _COPIED_NAME},
    "contracts": {"external_id": _COPIED_NAME},
    "tickets": {"external_id": _COPIED_NAME},
    "targets": {"id": _COPIED_ID, "external_id": _COPIED_NAME},
    "measurements": {"id": _COPIED_ID},
    "usage_events": {"message_id": "printf('%06d-', c.copy) || t.message_id"},
    "usage_days": {},
    "health_scores": {},
    "conditions": {},
    "alert_episodes": {"id": _COPIED_ID},
}
_STEPS = """
INSERT INTO target_steps (workspace_id, target_id, day, value)
SELECT t.workspace_id, printf('%08x', c.copy) || substr(t.target_id, 9), t.day, t.value
FROM copies AS c
JOIN targets AS owner ON owner.account_id = c.original
JOIN target_steps AS t ON t.target_id = owner.id
"""


def copy_accounts(path: Path, wanted: Sequence[tuple[str, str]], originals: int) -> None:
    """Make the accounts `wanted` (id, name) from the first `originals` of them on; those exist already.

    Without a journal and without waiting for the disk: a benchmark's company that breaks is made again.
    """
    lines = [
        (wanted[number % originals][0], number // originals, *wanted[number], slug(wanted[number][1]))
        for number in range(originals, len(wanted))
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TEMP TABLE copies (original, copy, account_id, name, slug)")
        connection.executemany("INSERT INTO copies VALUES (?, ?, ?, ?, ?)", lines)
        for table, changed in _TABLES.items():
            with _unindexed(connection, table):
                connection.execute(f"CREATE TEMP TABLE originals AS SELECT * FROM {table}")  # noqa: S608  # our own tables
                connection.execute(f"CREATE INDEX temp.by_owner ON originals ({_owner(table)})")
                connection.execute(_statement(table, changed))
                connection.execute("DROP TABLE temp.originals")
        connection.execute(_STEPS)
        connection.execute("PRAGMA journal_mode=DELETE")


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


def _statement(table: str, changed: dict[str, str]) -> str:
    names = [column.name for column in METADATA.tables[table].columns]
    values = {name: f"t.{name}" for name in names} | {_owner(table): "c.account_id"} | changed
    picked = ", ".join(values[name] for name in names)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {picked} FROM copies AS c "  # noqa: S608  # names of our own tables
        f"CROSS JOIN originals AS t ON t.{_owner(table)} = c.original"
    )
