"""Whether a database is sound: pages, references, shape. Owns the questions to the database; changes nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from storage.db import Database, is_wal_safe
from storage.revision import HEAD, current_revision
from storage.schema import METADATA

_MOST_FAULTS = 5


@dataclass(frozen=True)
class Engine:
    """Which database it is: its name and version, how it keeps its journal (SQLite: and why), its revision."""

    name: str
    version: str
    journal: str
    reason: str
    revision: str | None


def describe_engine(database: Database) -> Engine:
    """Ask the database about itself. Raises SQLAlchemy's `DBAPIError` where it cannot be reached."""
    with database.read() as session:
        if not database.is_sqlite:
            version = str(session.execute(text("SHOW server_version")).scalar())
            return Engine("PostgreSQL", version, "", "", current_revision(database))
        journal = str(session.execute(text("PRAGMA journal_mode")).scalar())
    is_fixed = is_wal_safe(sqlite3.sqlite_version_info[:3])
    reason = (
        "this SQLite has the fix for checkpoints that race with a commit"
        if is_fixed
        else "this SQLite lacks the fix for checkpoints that race with a commit, so they take the writer's lock"
    )
    return Engine("SQLite", sqlite3.sqlite_version, journal, reason, current_revision(database))


def is_empty(database: Database) -> bool:
    """Whether it can be reached and has no table at all: nobody has used it yet."""
    try:
        return not inspect(database.engine).get_table_names()
    except DBAPIError:
        return False


def find_faults(database: Database) -> list[str]:
    """What is wrong with the database, in a few words each; none if it is sound. Reads all of a SQLite file."""
    try:
        found = _find_broken(database) if database.is_sqlite else []
        revision = current_revision(database)
    except DBAPIError as error:
        return [str(error.orig)]
    if revision is None:
        return [*found, "it holds no tables of Milepost"]
    if revision > HEAD:
        return [*found, f"it belongs to a newer Milepost (revision {revision}, this one knows up to {HEAD})"]
    return found if revision < HEAD else [*found, *_find_missing(database)]


def count_rows(database: Database) -> dict[str, int]:
    """Rows per table, of all workspaces, by the table's name; tables that are not there are left out."""
    known = set(inspect(database.engine).get_table_names())
    found = {}
    with database.read() as session:
        for table in METADATA.sorted_tables:
            if table.name in known:
                found[table.name] = int(session.execute(select(func.count()).select_from(table)).scalar() or 0)
    return found


def _find_broken(database: Database) -> list[str]:
    with database.read() as session:
        pages = [str(row[0]) for row in session.execute(text(f"PRAGMA integrity_check({_MOST_FAULTS})"))]
        lost = session.execute(text("PRAGMA foreign_key_check")).fetchmany(_MOST_FAULTS)
    broken = [each for each in pages if each != "ok"]
    return broken + [f"a row of {row[0]} refers to one missing in {row[2]}" for row in lost]


def _find_missing(database: Database) -> list[str]:
    known = set(inspect(database.engine).get_table_names())
    return [f"the table {table.name} is missing" for table in METADATA.sorted_tables if table.name not in known]
