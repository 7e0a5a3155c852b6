"""Which shape of the tables a database has, and bringing it up to date. Owns the check at start (one SELECT, without
Alembic, which takes long to import) and the upgrade; the steps themselves are in `storage/migrations`.

After changing a table: `uv run python -m storage.revision "what changed"` writes the next step; set HEAD to its number.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage.db import Database
from storage.errors import SchemaError
from storage.statistics import write_statistics

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"

_LOCK = 7_305_451  # any number of our own: PostgreSQL's advisory locks are named by numbers


def current_revision(database: Database) -> str | None:
    """The database's revision; None if it is empty."""
    with database.read() as session:
        return _read_revision(session.connection())


def check(database: Database) -> None:
    """Raise `SchemaError`, in words that say what to do, unless the database is at this version's revision."""
    found = current_revision(database)
    if found == HEAD:
        return
    if found is None or found < HEAD:
        raise SchemaError(
            "The database is at revision {found}, this version of Milepost needs {head}. "
            "Any milepost command brings it up to date.",
            found=found or "none",
            head=HEAD,
        )
    _refuse_newer(found)


def upgrade(database: Database) -> None:
    """Bring the database to HEAD: an empty one whole, an older one step by step, all or nothing.

    Raises `SchemaError` for a database that a newer Milepost has upgraded.
    """
    found = current_revision(database)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        _refuse_newer(found)
    from alembic import command

    with _altering(database) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        command.upgrade(_config(connection), "head")
        if database.is_sqlite:
            write_statistics(connection)


@contextmanager
def _altering(database: Database) -> Iterator[Connection]:
    """One transaction in which tables may be replaced. SQLite changes a column by making the table anew and dropping
    the old one; with foreign keys watched, that deletes every row that refers to it. So nobody watches meanwhile
    (which can only be said before a transaction begins), and all references are checked before it ends.
    """
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        _watch_references(connection, is_on=False)
        try:
            with connection.begin():
                yield connection
                if lost := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(3):
                    sentence = "The upgrade would leave rows that refer to nothing ({rows}), so nothing was changed."
                    raise SchemaError(sentence, rows="; ".join(f"{row[0]} → {row[2]}" for row in lost))
        finally:
            _watch_references(connection, is_on=True)


def _watch_references(connection: Connection, *, is_on: bool) -> None:
    cursor = connection.connection.cursor()  # the driver's own: SQLAlchemy's would begin a transaction
    cursor.execute(f"PRAGMA foreign_keys={'ON' if is_on else 'OFF'}")
    cursor.close()


def write_revision(message: str) -> Path:
    """Write the step from the last revision to the tables as they are in the code; the file's path."""
    from alembic import command

    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/scratch.db")
        upgrade(database)
        with database.engine.begin() as connection:
            script = command.revision(_config(connection), message, autogenerate=True, rev_id=f"{int(HEAD) + 1:04}")
        database.close()
    return Path(script.path)  # type: ignore[union-attr]  # one script, as one revision was asked for


def _refuse_newer(found: str) -> None:
    raise SchemaError(
        "This database was upgraded by a newer Milepost (revision {found}; this version knows up to {head}). "
        "Install the newer version, or point MILEPOST_DATABASE_URL to another database.",
        found=found,
        head=HEAD,
    )


def _read_revision(connection: Connection) -> str | None:
    """One SELECT; the table is missing in an empty database."""
    try:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return None
        raise
    return None if found is None else str(found)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    sys.stdout.write(f"{write_revision(' '.join(sys.argv[1:]))}\n")
