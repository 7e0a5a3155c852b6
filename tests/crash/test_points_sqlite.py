"""A process dies at both sides of every commit, request and response on the way of a message, on SQLite; the next one
finishes the work, and nothing is lost, doubled or out of order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from storage.copies import copy_database
from storage.db import Database
from tests.crash.forked import Forker
from tests.crash.points_check import check_lists, die_everywhere, list_deaths, report
from tests.crash.points_worlds import live_calmly, prepare, warm_up

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Files:
    """Copies of a file that nobody has open."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    @asynccontextmanager
    async def copy(self, of: Database) -> AsyncIterator[Database]:
        self.count += 1
        path = self.folder / f"world{self.count}.db"
        copy_database(of, path)
        database = Database(f"sqlite:///{path}")
        try:
            yield database
        finally:
            database.close()
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)


async def test_a_death_at_any_point_loses_and_doubles_nothing(
    sqlite_database: Database, forker: Forker, tmp_path: Path
):
    prepare(sqlite_database)
    sqlite_database.close()
    worlds = Files(tmp_path)
    await warm_up(worlds, forker, sqlite_database)
    async with AsyncExitStack() as stack:
        deaths = list_deaths(await live_calmly(worlds, forker, sqlite_database, stack))
        check_lists(deaths)
        report(await die_everywhere(worlds, forker, deaths), tmp_path / "points.txt")
