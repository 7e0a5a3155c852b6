"""`milepost db`: back up, check, upgrade, restore. Owns file names, questions and what is said."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.clocks import real_clocks
from bot.settings import Settings
from rules.errors import UserError
from storage.copies import back_up, get_sqlite_path, open_copy, restore
from storage.db import Database
from storage.revision import HEAD, current_revision, upgrade
from storage.soundness import count_rows, describe_engine, find_faults

app = typer.Typer(help="The database: back up, check, upgrade, restore.", no_args_is_help=True)
_BROKEN = 1
_SHOWN = ("workspaces", "members", "accounts", "targets", "measurements", "alert_episodes", "outbox", "audit")


@app.command("backup")
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; the default is a new file beside the database.")
    ] = None,
) -> None:
    """Write a verified copy, also while Milepost runs."""
    database = _open()
    path = file or _name_backup(database, real_clocks().wall())
    back_up(database, path)
    _say(f"Backed up to {path} ({path.stat().st_size / 1e6:.1f} MB) and checked.")


@app.command("check")
def check_database(
    file: Annotated[Path | None, typer.Argument(help="A backup to check in place of the database.")] = None,
) -> None:
    """Say whether the database (or a backup of SQLite) is sound, and what is in it. Exit code 1 if it is not."""
    if file is not None and not file.is_file():
        raise UserError("There is no file {path}.", path=file)
    with open_copy(file) if file is not None else nullcontext(_open()) as database:
        _report(database)


def _report(database: Database) -> None:
    faults = find_faults(database)
    for fault in faults:
        _say(f"✗ {fault}")
    if faults:
        raise typer.Exit(_BROKEN)
    engine, rows = describe_engine(database), count_rows(database)
    journal = f", journal {engine.journal}: {engine.reason}" if engine.journal else ""
    _say(f"✓ {engine.name} {engine.version}, revision {engine.revision}{journal}")
    _say("  " + " · ".join(f"{name.replace('_', ' ')} {rows[name]}" for name in _SHOWN if name in rows))
    if engine.revision != HEAD:
        _say(f"! This version of Milepost works with revision {HEAD}: run `milepost db upgrade`.")


@app.command("upgrade")
def upgrade_database(
    *,
    is_backed_up: Annotated[bool, typer.Option("--backup/--no-backup", help="Back up first (SQLite).")] = True,
) -> None:
    """Bring the tables to this version's shape, after a backup. Every other command does so too, without one."""
    database = _open()
    found = current_revision(database)
    if found == HEAD:
        _say(f"Nothing to do: the database is at revision {HEAD}.")
        return
    if found is not None and is_backed_up and database.is_sqlite:
        path = _name_backup(database, real_clocks().wall())
        back_up(database, path)
        _say(f"Backed up to {path}.")
    upgrade(database)
    _say(f"Upgraded from revision {found or 'none (an empty database)'} to {HEAD}.")


@app.command("restore")
def restore_database(
    file: Annotated[Path, typer.Argument(help="A backup made by `milepost db backup` (SQLite).")],
    *,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the database, which is itself backed up first. Stop Milepost before."""
    database = _open()
    target = get_sqlite_path(database)
    if not is_sure and not typer.confirm(f"Replace {target} by {file}?"):
        raise typer.Exit(_BROKEN)
    if target.exists() and current_revision(database) is not None:
        kept = _name_backup(database, real_clocks().wall())
        back_up(database, kept)
        _say(f"What was there is kept in {kept}.")
    restore(database, file)
    _say(f"Restored from {file}. Check with: milepost db check")


def _open() -> Database:
    """The configured database as it is, not brought up to date."""
    return Database(Settings().database_url)


def _name_backup(database: Database, now: datetime) -> Path:
    """A new name that sorts by time; for PostgreSQL in the working directory."""
    stamp = now.strftime("%Y%m%d-%H%M%S")
    if not database.is_sqlite:
        return Path(f"milepost-{stamp}.dump")
    path = get_sqlite_path(database)
    return path.parent / "backups" / f"{path.stem}-{stamp}.db"


def _say(line: str) -> None:
    Console(soft_wrap=True).print(line, highlight=False, markup=False)
