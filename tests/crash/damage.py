"""Whether what a crash left is a sound database, as SQLite itself sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from storage.copies import get_sqlite_path
from storage.db import Database


def find_damage(database: Database) -> list[object]:
    """What `integrity_check` and `foreign_key_check` find. PostgreSQL checks references itself: nothing is asked."""
    if not database.is_sqlite:
        return []
    with closing(sqlite3.connect(get_sqlite_path(database))) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [*(line for (line,) in said if line != "ok"), *broken]
