"""Transactions: who may write, who waits, what is rolled back."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, StatementError

from storage.db import Database, Tx, is_wal_safe
from storage.errors import BusyError
from storage.people.members import MemberRow
from storage.people.workspaces import WorkspaceRow, get_workspace, list_workspaces
from storage.upsert import upsert
from tests.conftest import NOW, add_workspace


def test_a_failed_write_leaves_nothing_behind(database: Database):
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(WorkspaceRow(created_at=NOW))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert list_workspaces(session) == []


def test_a_reader_cannot_write(database: Database):
    with pytest.raises(DBAPIError), database.read() as session:
        session.add(WorkspaceRow(created_at=NOW))
        session.flush()


def test_rows_read_stay_usable_after_the_transaction(database: Database, workspace_id: str):
    with database.read() as session:
        (row,) = list_workspaces(session)
    assert (row.id, row.name) == (workspace_id, "Test")


def test_a_second_writer_on_sqlite_is_told_busy(sqlite_database: Database):
    with sqlite_database.write(), pytest.raises(BusyError), sqlite_database.write(wait_seconds=0.05):
        pass


def test_a_writer_of_another_process_makes_busy(sqlite_database: Database):
    other = Database(sqlite_database.url)
    with other.write(), pytest.raises(BusyError), sqlite_database.write(wait_seconds=0.05):
        pass
    other.close()


def test_moments_keep_utc_and_naive_ones_are_refused(tx: Tx):
    assert get_workspace(tx).created_at == NOW
    with pytest.raises(StatementError), tx.session.no_autoflush:
        tx.session.add(WorkspaceRow(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001  # the point of the test
        tx.session.flush()
    tx.session.rollback()


def test_upsert_inserts_then_updates_only_what_is_named(tx: Tx):
    row = {"id": "1", "slack_id": "U1", "name": "Old", "email": "a@example.com"}
    assert upsert(tx, MemberRow, [row], keys=["id"]) == 1
    assert upsert(tx, MemberRow, [{**row, "name": "Kept"}], keys=["id"]) == 0
    assert upsert(tx, MemberRow, [{**row, "name": "New", "email": "b@example.com"}], keys=["id"], update=["name"]) == 1
    member = tx.session.get(MemberRow, "1")
    assert member is not None
    assert (member.name, member.email) == ("New", "a@example.com")


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
    ],
)
def test_write_ahead_logging_only_where_sqlite_is_mended(version: tuple[int, int, int], is_safe: bool):
    assert is_wal_safe(version) is is_safe


def test_the_write_ahead_log_is_brought_into_the_database_now_and_then(sqlite_database: Database):
    add_workspace(sqlite_database)
    log = Path(f"{sqlite_database.url.removeprefix('sqlite:///')}-wal")
    sizes = []
    for number in range(200):
        with sqlite_database.write() as session:
            session.add(WorkspaceRow(team_id=f"T{number}", name="x" * 4000, created_at=NOW))
        sizes.append(log.stat().st_size)
    assert max(sizes[100:]) <= max(sizes[:100]) + 65_536
    other = Database(sqlite_database.url)
    with other.read() as session:
        assert len(list_workspaces(session)) == 201
    other.close()


def test_a_checkpoint_waits_for_no_other_writer(sqlite_database: Database):
    other = Database(sqlite_database.url)
    with other.write():
        began = perf_counter()
        for _ in range(50):
            sqlite_database._checkpoint_now_and_then()
        assert perf_counter() - began < 5
    other.close()


def test_all_who_answer_people_read_without_connecting_anew(sqlite_database: Database):
    made: list[object] = []

    def note(*_arguments: object) -> None:
        made.append(None)

    event.listen(sqlite_database._reader, "connect", note)
    for _time in range(2):
        with ExitStack() as stack:
            for _thread in range(8):
                stack.enter_context(sqlite_database.read()).execute(text("SELECT 1"))
    assert len(made) == 8
