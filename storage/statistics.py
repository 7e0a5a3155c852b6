"""What SQLite's planner is told about the tables' contents. Owns these figures and writing them; refuses to count rows.

Without statistics, SQLite takes the rows of one workspace for about ten, and walks through all of them where the few
rows of an account would do. Measured statistics (ANALYZE) would be wrong as soon as a small database has grown. So it
gets figures of a large company, always the same: its plans do not change with the contents, and what tests and
benchmarks see is what everybody gets. `sqlite_stat1` is a documented table that programs may fill
(https://www.sqlite.org/fileformat2.html#stat1tab). PostgreSQL keeps its own statistics and needs none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby

from sqlalchemy import Boolean, Column, Connection, Date, DateTime, Enum, Table, text

from storage.schema import METADATA

ACCOUNTS = 10_000
PER_ACCOUNT = 40
"""Rows of each kind that an account has."""
OTHERS = 1_000
"""Rows of the tables that belong to no account."""
_MEMBERS, _DAYS, _CHOICES = 1_000, 400, 4
_COLUMNS = """
SELECT i.name, i."unique", i.partial, c.name AS "column"
FROM pragma_index_list(:name) AS i JOIN pragma_index_info(i.name) AS c ORDER BY i.name, c.seqno
"""


def write_statistics(connection: Connection) -> None:
    """Tell the planner of this SQLite database what a large company's tables look like. Safe to repeat."""
    connection.execute(text("ANALYZE sqlite_master"))  # makes the table where it is missing, and reads no other
    connection.execute(text("DELETE FROM sqlite_stat1"))
    rows = [
        {"tbl": table.name, "idx": index, "stat": stat}
        for table in METADATA.sorted_tables
        for index, stat in _describe(connection, table).items()
    ]
    connection.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:tbl, :idx, :stat)"), rows)
    connection.execute(text("ANALYZE sqlite_master"))  # reads what was written


def _describe(connection: Connection, table: Table) -> dict[str, str]:
    """By index: how many rows there are, and how many share the first column, the first two, and so on."""
    rows = connection.execute(text(_COLUMNS), {"name": table.name}).all()
    return {
        name: _figures(table, [table.columns[row.column] for row in several], is_unique=unique, is_partial=partial)
        for (name, unique, partial), several in groupby(rows, lambda row: (row.name, row.unique, row.partial))
    }


def _figures(table: Table, columns: Sequence[Column[object]], *, is_unique: bool, is_partial: bool) -> str:
    total = ACCOUNTS if is_partial else _count_rows(table)
    distinct = accumulate((_count_values(table, column) for column in columns), lambda a, b: a * b)
    shared = [max(1, total // each) for each in distinct]
    if is_unique:
        shared[-1] = 1
    return " ".join(map(str, [total, *shared]))


def _count_rows(table: Table) -> int:
    if table.name == "accounts":
        return ACCOUNTS
    is_of_account = "account_id" in table.columns or any(
        "account_id" in key.column.table.columns for key in table.foreign_keys
    )
    return ACCOUNTS * PER_ACCOUNT if is_of_account else OTHERS


def _count_values(table: Table, column: Column[object]) -> int:
    """How many different values a column has."""
    of = {key.column.table.name for key in column.foreign_keys}
    if column.name == "workspace_id":
        return 1
    if column.name == "account_id":
        return ACCOUNTS
    if "members" in of:
        return ACCOUNTS if column.nullable and table.name != "accounts" else _MEMBERS  # few rows name somebody
    if isinstance(column.type, Enum | Boolean):
        return _CHOICES
    if isinstance(column.type, DateTime) and column.nullable:
        return 2  # mostly asked for NULL: what is not done, closed or removed
    return _DAYS if isinstance(column.type, Date) else max(1, _count_rows(table) // 4)
