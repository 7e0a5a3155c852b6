"""Killed in the middle of a backup, a restore or an upgrade of the tables: what is there is the old or the new, whole,
and doing it again finishes it.

The child ends itself by a timer at moments spread over the time the work takes, in SQLite's own code too.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import MetaData, Table, insert, inspect, text

from storage.copies import back_up, get_sqlite_path, open_copy, restore
from storage.db import Database
from storage.errors import SchemaError
from storage.revision import HEAD, _config, current_revision, upgrade
from storage.schema import METADATA
from storage.soundness import find_faults
from tests.conftest import NOW
from tests.crash.damage import find_damage
from tests.crash.forked import Forker

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHILDREN = "tests.crash.others_children"
DEATHS = 10
ROWS = 4000
OLD = "0001"

Work = Callable[[float], Awaitable[float | None]]
"""Does the work once; a death after so many seconds, or with 0 none. Returns how long it took, None if it died."""


async def do(forker: Forker, what: str, dies_after: float, **arguments: str) -> float | None:
    child = await forker.start(f"{CHILDREN}:{what}", dies_after=dies_after, **arguments)
    code = await child.wait()
    assert code in {0, -signal.SIGALRM}, f"it failed by itself: {code}"
    return None if code else float(await child.hear())


async def die_everywhere(work: Work, check: Callable[[], None], calm_seconds: float) -> None:
    """Die at moments spread over the work, looking each time what is there; fails if it never died on the way."""
    deaths = 0
    for each in range(DEATHS):
        died = await work(max(0.0005, calm_seconds * (each + 0.5) / DEATHS)) is None
        check()
        deaths += died
    assert deaths >= DEATHS // 3, "it was done before it could die"


def fill(database: Database, mark: str) -> None:
    """A workspace with members, in the tables as they are (of whatever revision)."""
    tables = MetaData()
    with database.engine.begin() as connection:
        tables.reflect(connection, only=["workspaces", "members"])
        people = [{"id": f"{mark}-{each}", "workspace_id": mark, "slack_id": f"{mark}{each}"} for each in range(ROWS)]
        for name, rows in (("workspaces", [{"id": mark}]), ("members", people)):
            table = tables.tables[name]
            connection.execute(insert(table), [{**empty_row(table), **row} for row in rows])


def empty_row(table: Table) -> dict[str, object]:
    """A value for each column that must have one."""
    empty = {str: "", bool: False, int: 0, float: 0.0, datetime: NOW, dict: {}}
    return {each.name: empty[each.type.python_type] for each in table.columns if not each.nullable}


def list_marks(database: Database) -> list[str]:
    """Which workspaces are there; fails unless each has all its members."""
    query = "SELECT w.id, count(m.id) FROM workspaces w LEFT JOIN members m ON m.workspace_id = w.id GROUP BY w.id"
    with database.engine.connect() as connection:
        counts = dict(connection.execute(text(query)).all())
    assert set(counts.values()) == {ROWS}
    return sorted(counts)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database of this version with some thousand members."""
    database = Database(f"sqlite:///{tmp_path / 'live.db'}")
    upgrade(database)
    fill(database, "old")
    yield database
    database.close()


async def test_a_backup_killed_anywhere_is_there_whole_or_not_at_all(live: Database, forker: Forker, tmp_path: Path):
    path = tmp_path / "copy.db"

    async def work(dies_after: float) -> float | None:
        path.unlink(missing_ok=True)
        return await do(forker, "copy_out", dies_after, url=live.url, path=str(path))

    def check() -> None:
        if path.exists():
            with open_copy(path) as copy:
                assert find_faults(copy) == []
                assert list_marks(copy) == ["old"]

    await die_everywhere(work, check, await work(0.0) or 0.0)
    await work(0.0)  # over whatever the dead have left
    assert path.exists()
    check()
    assert not has_leftovers(tmp_path)
    assert list_marks(live) == ["old"]


def has_leftovers(folder: Path) -> bool:
    return any(folder.glob("*.part*"))


async def test_a_restore_killed_anywhere_leaves_the_old_or_the_new(live: Database, forker: Forker, tmp_path: Path):
    new = Database(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(new)
    fill(new, "new")
    new.close()
    back_up(live, old := tmp_path / "old.db")
    live.close()

    async def work(dies_after: float) -> float | None:
        restore(live, old)
        live.close()
        return await do(forker, "copy_back", dies_after, url=live.url, path=str(tmp_path / "new.db"))

    def check() -> None:
        assert find_faults(live) == []
        assert list_marks(live) in (["old"], ["new"])
        live.close()

    await die_everywhere(work, check, await work(0.0) or 0.0)
    await work(0.0)
    assert find_faults(live) == []
    assert list_marks(live) == ["new"]


@pytest.fixture(params=["sqlite", "postgres"])
def old_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes databases of the first revision, with members in them."""
    server: str = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    made: list[Database] = []

    def make() -> Database:
        new = _copy_postgres(server, made[:1]) if server else _copy_sqlite(tmp_path / f"{len(made)}.db", made[:1])
        if not made:
            with new.engine.begin() as connection:
                command.upgrade(_config(connection), OLD)
            fill(new, "old")
            new.close()
        made.append(new)
        return new if len(made) > 1 else make()

    yield make
    for database in made:
        database.close()


def _copy_sqlite(path: Path, of: list[Database]) -> Database:
    if of:
        shutil.copyfile(get_sqlite_path(of[0]), path)
    return Database(f"sqlite:///{path}")


def _copy_postgres(server: str, of: list[Database]) -> Database:
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    template = of[0].engine.url.database if of else "template1"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]  # names of ours
    return Database(server.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?"))


async def test_an_upgrade_killed_anywhere_leaves_the_old_or_the_new(
    old_database: Callable[[], Database], forker: Forker
):
    calm = await do(forker, "migrate", 0.0, url=old_database().url)
    database = old_database()

    async def work(dies_after: float) -> float | None:
        nonlocal database
        database = old_database()
        return await do(forker, "migrate", dies_after, url=database.url)

    def check() -> None:
        assert current_revision(database) in {OLD, HEAD}
        assert find_damage(database) == []
        assert list_marks(database) == ["old"]
        upgrade(database)
        assert find_faults(database) == []
        assert list_marks(database) == ["old"]
        assert_tables_are_whole(database)
        database.close()

    await die_everywhere(work, check, calm or 0.0)


async def test_an_upgrade_that_would_break_references_changes_nothing(tmp_path: Path):
    old = _copy_sqlite(tmp_path / "old.db", [])
    with old.engine.begin() as connection:
        command.upgrade(_config(connection), OLD)
    fill(old, "old")
    with closing(sqlite3.connect(get_sqlite_path(old), isolation_level=None)) as connection:
        connection.execute("DELETE FROM workspaces")
    with pytest.raises(SchemaError, match="members → workspaces"):
        upgrade(old)
    assert current_revision(old) == OLD
    old.close()


def assert_tables_are_whole(database: Database) -> None:
    """No column is missing that this version works with."""
    found = inspect(database.engine)
    for table in METADATA.sorted_tables:
        assert {each.name for each in table.columns} == {each["name"] for each in found.get_columns(table.name)}
