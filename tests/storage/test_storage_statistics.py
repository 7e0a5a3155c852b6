"""What SQLite is told about the tables makes it find few rows by the column that tells most."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage.db import Database
from storage.revision import upgrade
from storage.schema import METADATA
from storage.statistics import write_statistics


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/statistics.db")
    upgrade(database)
    yield database
    database.close()


def explain(database: Database, query: str) -> str:
    with database.read() as session:
        return " ".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {query}")))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM milestones WHERE workspace_id = 'w' AND journey_id IN ('a', 'b')", "ix_milestones_journey_id"),
        ("SELECT * FROM milestones WHERE workspace_id = 'w' AND id IN ('a', 'b', 'c')", "(id=?)"),
        ("SELECT * FROM contacts WHERE workspace_id = 'w' AND account_id = 'a'", "ix_contacts_account_id"),
        ("SELECT * FROM audit WHERE workspace_id = 'w' AND account_id = 'a'", "ix_audit_account_id"),
        (
            "SELECT * FROM risks AS r JOIN accounts AS a ON a.id = r.account_id WHERE a.owner_id = 'm'",
            "ix_accounts_owner_id",
        ),
    ],
)
def test_few_rows_are_not_looked_for_in_the_whole_workspace(upgraded: Database, query: str, index: str) -> None:
    assert index in explain(upgraded, query)


def test_every_index_of_every_table_is_described(upgraded: Database) -> None:
    with upgraded.read() as session:
        known = {row.idx for row in session.execute(text("SELECT idx FROM sqlite_stat1"))}
    named = {index.name for table in METADATA.sorted_tables for index in table.indexes}
    assert named <= known


def test_writing_them_again_changes_nothing(upgraded: Database) -> None:
    def read() -> Any:
        with upgraded.read() as session:
            return session.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2")).all()

    before = read()
    with upgraded.engine.begin() as connection:
        write_statistics(connection)
    assert read() == before
