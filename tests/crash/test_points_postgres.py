"""A process dies at both sides of every commit, request and response on the way of a message, on PostgreSQL; the next
one finishes the work, and nothing is lost, doubled or out of order.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from storage.db import Database
from tests.crash.forked import Forker
from tests.crash.points_check import check_lists, die_everywhere, list_deaths, report
from tests.crash.points_worlds import live_calmly, prepare, warm_up

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Copies:
    """Copies of a database of the server, which has nobody connected to it."""

    def __init__(self, server: str) -> None:
        self.server = server

    @asynccontextmanager
    async def copy(self, of: Database) -> AsyncIterator[Database]:
        name = f"world_{uuid.uuid4().hex[:12]}"
        await asyncio.to_thread(self._run, f"CREATE DATABASE {name} TEMPLATE {of.engine.url.database}")
        database = Database(str(of.url).replace(f"/{of.engine.url.database}?", f"/{name}?"))
        try:
            yield database
        finally:
            database.close()
            await asyncio.to_thread(self._run, f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # names of ours


async def test_a_death_at_any_point_loses_and_doubles_nothing(
    postgres: str, postgres_url: str, forker: Forker, tmp_path: Path
):
    database = Database(postgres_url)
    prepare(database)
    database.close()
    worlds = Copies(postgres)
    await warm_up(worlds, forker, database)
    async with AsyncExitStack() as stack:
        deaths = list_deaths(await live_calmly(worlds, forker, database, stack))
        check_lists(deaths)
        report(await die_everywhere(worlds, forker, deaths), tmp_path / "points.txt")
