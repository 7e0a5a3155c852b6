"""A disk that is full while a button, an import and a delivery are under way: told plainly, nothing half-written, and
on it goes when there is room again.

Two ways to have no room: a real small disk, where the machine lets a test mount one, and SQLite's own limit of pages.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import Connection, event
from sqlmodel import func, select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.alerts import alerts
from commands.blocks.alerts import TAKE
from commands.slice import Message, Ref
from pipeline.imports.mapping import Kind
from pipeline.imports.run import Job, run_import
from rules.accounts.imports import Outcome
from rules.delivery.outbox import Pace
from rules.records import Enqueue, EpisodeState
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.errors import FullError
from tests.alert_rows import add_account, add_episode, add_sent, list_outbox
from tests.bot.fake_slack import FakeSlack
from tests.bot.slack_stage import stage, texts
from tests.conftest import NOW, add_workspace
from tests.crash.damage import find_damage
from words.reader import Reader

DISK = "16m"
FILE = "milepost.db"
PACE = Pace(lease=0.6, settle=0.3, spacing=0.02, poll=0.05, timeout=0.2)
POST = "chat.postMessage"
ACCOUNTS = 3000


class Disk(Protocol):
    """A database on a disk that can be filled, and emptied again."""

    database: Database

    def fill(self) -> None: ...
    def free(self) -> None: ...


@dataclass
class SmallDisk:
    """A real disk of a few megabytes, filled by a file beside the database."""

    database: Database
    ballast: Path

    def fill(self) -> None:
        with closing(sqlite3.connect(self.ballast.with_name(FILE))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log gives back the room it has
        with self.ballast.open("wb", buffering=0) as ballast:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while True:
                        ballast.write(b"x" * size)

    def free(self) -> None:
        self.ballast.unlink()


@dataclass
class FewPages:
    """SQLite told that its file may not grow."""

    database: Database
    _is_full: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        event.listen(self.database.engine, "begin", self._limit)

    def _limit(self, connection: Connection) -> None:
        most = 1 if self._is_full else 1_000_000  # 1 means: as many as there are
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    def fill(self) -> None:
        self._is_full = True

    def free(self) -> None:
        self._is_full = False


@pytest.fixture
def small_disk(sqlite_template: Path, tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder))
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets tests mount no disk")
    shutil.copyfile(sqlite_template, folder / FILE)
    database = Database(f"sqlite:///{folder / FILE}")
    try:
        yield SmallDisk(database, folder / "ballast")
    finally:
        database.close()
        subprocess.run(("umount", str(folder)), check=True)  # noqa: S607  # the system's own


@pytest.fixture(params=["real", "pages"])
def disk(request: pytest.FixtureRequest) -> Disk:
    if request.param == "real":
        found: Disk = request.getfixturevalue("small_disk")
        return found
    return FewPages(request.getfixturevalue("sqlite_database"))


def count(database: Database, *tables: type) -> list[int]:
    with database.read() as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


async def test_a_button_says_so_and_works_once_there_is_room(small_disk: SmallDisk):
    database = small_disk.database
    async with stage(database, more=(alerts.SLICE,)) as on:
        with database.writing(on.workspace_id) as tx:
            episode = add_episode(tx, add_account(tx, "acme").id)
            add_sent(tx, "alert", episode.id)
        press = on.press(TAKE, Ref("episode", episode.id).dump())
        before = count(database, AuditRow, AlertEventRow, OutboxRow)
        small_disk.fill()
        await on.interact(press)
        await on.settle()
        assert "is full, so nothing was saved" in texts(on.slack.bodies("response_url"))
        assert count(database, AuditRow, AlertEventRow, OutboxRow) == before
        small_disk.free()
        await on.interact(press)  # the very same payload: the first was not taken for done
        await on.settle()
        with database.reading(on.workspace_id) as tx:
            assert tx.session.exec(select(EpisodeRow.state)).one() is EpisodeState.ACKED
        assert count(database, AlertEventRow) == [1]
    assert find_damage(database) == []


def test_an_import_stops_between_two_pages_and_goes_on_where_it_was(disk: Disk, tmp_path: Path):
    database = disk.database
    workspace_id = add_workspace(database)
    path = tmp_path / "accounts.csv"
    rows = (f"N-{each},Customer number {each},A,{each % 90}" for each in range(ACCOUNTS))
    path.write_text("\n".join(["external_id,name,tier,seats", *rows]), encoding="utf-8")
    told: list[int] = []

    def fill_after_some(done: int, _all: int) -> None:
        told.append(done)
        if len(told) == 2:
            disk.fill()

    with pytest.raises(FullError, match="make room"):
        run_import(database, workspace_id, Job(Kind("accounts"), path), NOW, progress=fill_after_some)
    stored, audited = count(database, AccountRow, AuditRow)
    assert 0 < stored < ACCOUNTS
    assert stored == told[-1] == audited, "whole pages, each with its lines of audit"
    assert find_damage(database) == []
    disk.free()
    report = run_import(database, workspace_id, Job(Kind("accounts"), path), NOW)
    assert (report.outcomes[Outcome.NEW], report.outcomes[Outcome.SAME]) == (ACCOUNTS - stored, stored)
    assert count(database, AccountRow, AuditRow) == [ACCOUNTS, ACCOUNTS]
    assert find_damage(database) == []


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(reference)


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what it waits for happens in the database
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("posted_before", [False, True], ids=["before it is claimed", "when it was just posted"])
async def test_a_delivery_waits_for_room_and_posts_each_message_once(small_disk: SmallDisk, *, posted_before: bool):
    database = small_disk.database
    workspace_id = add_workspace(database)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        delivery = Delivery(database, {"note": render}, lambda _: client, real_clocks(), pace=PACE)
        with database.writing(workspace_id) as tx:
            enqueue(tx, [Enqueue("note", f"n{each}", channel="C1") for each in range(4)], NOW)
        apply, tries = slack.chat_postMessage, 0

        def fill_and_apply(arguments: object) -> dict[str, object]:
            nonlocal tries
            tries += 1
            if tries == 2:
                small_disk.fill()
            return apply(arguments)

        if posted_before:
            slack.chat_postMessage = fill_and_apply  # type: ignore[method-assign]  # the disk is full when Slack has it
        else:
            small_disk.fill()
        running = asyncio.create_task(delivery.run())
        await asyncio.sleep(2 * (PACE.lease + PACE.settle))
        assert slack.texts("C1") == (["n0", "n1"] if posted_before else [])
        small_disk.free()
        await until(lambda: {row.state for row in list_outbox(database, workspace_id)} == {"sent"})
        assert slack.texts("C1") == ["n0", "n1", "n2", "n3"]
        await delivery.drain(1.0)
        await running
    assert find_damage(database) == []
