"""Copies of a database: backups that are verified, putting one back, and scratch copies for replays.

Owns SQLite's online backup (whole even while others write) and the calls of PostgreSQL's own tools; refuses to choose
file names.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlmodel import SQLModel, delete

from rules.errors import UserError
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.conditions import ConditionRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.fields import table_of
from storage.health.health import HealthScoreRow
from storage.soundness import find_faults

_JUDGEMENTS: tuple[type[SQLModel], ...] = (AlertEventRow, EpisodeRow, ConditionRow, HealthScoreRow, OutboxRow)


def copy_database(database: Database, path: Path) -> None:
    """Copy to a new file by SQLite's online backup, whole even while others write. Raises `UserError` on PostgreSQL."""
    with closing(sqlite3.connect(get_sqlite_path(database))) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)


def get_sqlite_path(database: Database) -> Path:
    """The file of a SQLite database. Raises `UserError` on PostgreSQL."""
    name = make_url(database.url).database
    if not database.is_sqlite or name is None:
        raise UserError("This is done for SQLite only. For PostgreSQL use its own tools: docs/operations.md says how.")
    return Path(name)


def back_up(database: Database, path: Path) -> None:
    """Write a verified copy to `path`, which appears only when it is whole: SQLite's file, or pg_dump's archive.

    Raises `UserError` if `path` is taken, pg_dump is missing or fails, or the copy is not sound.
    """
    if path.exists():
        raise UserError("There is a file {path} already. Name another one: nothing is overwritten.", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        if database.is_sqlite:
            copy_database(database, unfinished)
            _verify(unfinished)
        else:
            _dump(make_url(database.url), unfinished)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(database: Database, backup: Path) -> None:
    """Put a SQLite backup in the place of the database, in one transaction: it is there whole or not at all.

    Raises `UserError` if the backup is missing or not sound, or another process holds the database.
    """
    target = get_sqlite_path(database)
    if not backup.is_file():
        raise UserError("There is no file {path}.", path=backup)
    _verify(backup)
    database.close()
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(target, timeout=0)) as live:
        _refuse_while_written(live)
        source.backup(live)


def forget_judgements(tx: Tx) -> None:
    """Delete the workspace's scores, conditions, alerts and messages: a replay over the past begins without them."""
    for table in _JUDGEMENTS:
        workspace = table_of(table).columns.workspace_id
        tx.session.execute(delete(table).where(workspace == tx.workspace_id))


@contextmanager
def open_copy(path: Path) -> Iterator[Database]:
    """A SQLite file that nobody else uses, opened as a database; the files SQLite lays beside it go afterwards."""
    copy = Database(f"sqlite:///{path}")
    try:
        yield copy
    finally:
        copy.close()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _refuse_while_written(live: sqlite3.Connection) -> None:
    """SQLite's backup would wait for the other writer for ever."""
    try:
        live.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise UserError("The database is in use. Stop Milepost first, then restore.") from error
    live.rollback()


def _verify(path: Path) -> None:
    with open_copy(path) as copy:
        faults = find_faults(copy)
    if faults:
        raise UserError("{path} is not sound: {faults}", path=path, faults="; ".join(faults))


def _dump(url: URL, path: Path) -> None:
    """Call pg_dump; the password goes by the environment, where no list of processes shows it."""
    program = shutil.which("pg_dump")
    if program is None:
        raise UserError("PostgreSQL's pg_dump is not installed here. Install the PostgreSQL client, or back up there.")
    command = [program, "--format=custom", f"--file={path}", *_connection_arguments(url)]
    _call(command, {"PGPASSWORD": url.password} if url.password else {})


def _connection_arguments(url: URL) -> list[str]:
    host = url.host or url.query.get("host")
    named = {"host": host, "port": url.port, "username": url.username, "dbname": url.database}
    return [f"--{name}={value}" for name, value in named.items() if value]


def _call(command: list[str], secrets: Mapping[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, check=False)  # noqa: S603  # our own arguments, no shell
    if done.returncode:
        raise UserError("{program} failed: {error}", program=Path(command[0]).name, error=done.stderr.strip())
