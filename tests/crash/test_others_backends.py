"""PostgreSQL ends a connection in the middle of a transaction (an administrator, a fail-over): nothing is half-written,
nothing lost or doubled, and a person is told what to do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import psycopg
import pytest
from sqlalchemy import Connection, event
from sqlmodel import func, select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.alerts import alerts
from commands.blocks.alerts import TAKE
from commands.slice import Message, Ref
from pipeline import scan
from rules.delivery.outbox import Pace
from rules.records import Enqueue, EpisodeState
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.errors import CutOffError
from tests.alert_rows import TODAY, add_account, add_episode, add_scores, add_sent, list_outbox, steady
from tests.bot.fake_slack import FakeSlack
from tests.bot.slack_stage import stage, texts
from tests.channel_rows import know_channels
from tests.conftest import NOW, add_workspace
from words.reader import Reader

PACE = Pace(lease=4.0, settle=0.3, spacing=0.02, poll=0.05, timeout=1.0)
DAY = timedelta(days=1)
CHANNELS = ("C1", "C2")


@dataclass
class Executioner:
    """Ends the connection of the `at`-th write that `is_wanted`, just before the server gets it; then of no other."""

    database: Database
    is_wanted: Callable[[str], bool]
    at: int = 1
    seen: int = 0
    ended: int = 0

    def __enter__(self) -> Self:
        event.listen(self.database.engine, "before_cursor_execute", self._look)
        event.listen(self.database.engine, "commit", self._look_at_commit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.database.engine, "before_cursor_execute", self._look)
        event.remove(self.database.engine, "commit", self._look_at_commit)

    def _look(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        self._meet(connection, statement)

    def _look_at_commit(self, connection: Connection) -> None:
        self._meet(connection, "COMMIT")

    def _meet(self, connection: Connection, statement: str) -> None:
        if not self.is_wanted(statement):
            return
        self.seen += 1
        if self.seen == self.at:
            backend = connection.connection.driver_connection
            assert backend is not None
            url = self.database.url.replace("+psycopg", "")
            with psycopg.connect(url, autocommit=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s, 5000)", [backend.info.backend_pid])
            self.ended += 1


def is_claim(statement: str) -> bool:
    return statement.startswith("UPDATE outbox") and "first_tried_at" in statement.partition("WHERE")[0]


def is_mark(statement: str) -> bool:
    return statement.startswith("UPDATE outbox") and "slack_ts" in statement.partition("WHERE")[0]


def is_commit(statement: str) -> bool:
    return statement == "COMMIT"


@pytest.fixture
def house(postgres_url: str) -> Iterator[tuple[Database, str]]:
    database = Database(postgres_url)
    yield database, add_workspace(database)
    database.close()


def render(reference: str, _tx: Tx, _reader: Reader) -> Message:
    return Message(reference)


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("moment", [is_claim, is_mark, is_commit], ids=["claim", "mark", "commit"])
async def test_a_delivery_cut_off_loses_nothing_and_doubles_nothing(
    house: tuple[Database, str], moment: Callable[[str], bool], at: int
):
    database, workspace_id = house
    names = [f"n{each}" for each in range(8)]
    with database.writing(workspace_id) as tx:
        enqueue(tx, [Enqueue("note", name, channel=CHANNELS[each % 2]) for each, name in enumerate(names)], NOW)
    async with FakeSlack() as slack:
        client = open_client("xoxb-test", slack.url)
        delivery = Delivery(database, {"note": render}, lambda _: client, real_clocks(), pace=PACE)
        with Executioner(database, moment, at) as executioner:
            running = asyncio.create_task(delivery.run())
            async with asyncio.timeout(60):
                while any(row.state != "sent" for row in list_outbox(database, workspace_id)):  # noqa: ASYNC110  # in the database
                    await asyncio.sleep(0.05)
            await delivery.drain(1.0)
            await running
        assert executioner.ended == 1
        for each in range(2):
            assert slack.texts(CHANNELS[each]) == names[each::2]


@pytest.mark.parametrize("moment", ["change", "commit"])
async def test_a_button_cut_off_says_to_look_and_can_be_pressed_again(postgres_url: str, moment: str):
    database = Database(postgres_url)
    wanted = {"change": lambda said: said.startswith("UPDATE alert_episodes"), "commit": is_commit}[moment]
    async with stage(database, more=(alerts.SLICE,)) as on:
        with database.writing(on.workspace_id) as tx:
            episode = add_episode(tx, add_account(tx, "acme").id)
            add_sent(tx, "alert", episode.id)
        press = on.press(TAKE, Ref("episode", episode.id).dump())
        with Executioner(database, wanted) as executioner:
            await on.interact(press)
            await on.settle()
        assert executioner.ended == 1
        assert "lost its database for a moment" in texts(on.slack.bodies("response_url"))
        assert count(database, AlertEventRow) == 0
        await on.interact(press)
        await on.settle()
        with database.reading(on.workspace_id) as tx:
            assert tx.session.exec(select(EpisodeRow.state)).one() is EpisodeState.ACKED
        assert count(database, AlertEventRow) == 1
    database.close()


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def describe(database: Database) -> dict[str, Counter[tuple[object, ...]]]:
    """The alerts, what was written of them, and what is to be said, without the ids made up on the way."""
    with database.read() as session:
        episodes = {row.id: row for row in session.exec(select(EpisodeRow))}
        audit, outbox = session.exec(select(AuditRow)).all(), session.exec(select(OutboxRow)).all()
    return {
        "episodes": Counter((row.account_id, row.kind, row.state, bool(row.announced_at)) for row in episodes.values()),
        "audit": Counter((row.account_id, row.verb) for row in audit),
        "outbox": Counter(
            (row.kind, row.channel, episodes[row.reference].account_id if row.reference in episodes else "")
            for row in outbox
        ),
    }


def fall(database: Database, workspace_id: str) -> None:
    """Accounts in two channels whose health fell yesterday and today, so that today's scan opens alerts."""
    with database.writing(workspace_id) as tx:
        know_channels(tx, *CHANNELS)
        for each in range(10):
            add_account(tx, f"a{each}", channel_id=CHANNELS[each % 2])
            low = {TODAY + DAY: 60, TODAY: 60} if each < 6 else {TODAY + DAY: 90, TODAY: 90}
            add_scores(tx, f"a{each}", steady(TODAY - DAY, 90, 16) | low)
    for back in (1, 0):
        scan.run(database, workspace_id, NOW - back * DAY)


def test_a_scan_cut_off_at_each_of_its_commits_is_made_good_by_the_next(house: tuple[Database, str]):
    database, workspace_id = house
    fall(database, workspace_id)
    for at in range(1, 50):
        with Executioner(database, is_commit, at) as executioner:
            if at == 1:
                before = describe(database)
            with suppress(CutOffError):
                scan.run(database, workspace_id, NOW + DAY)
        if not executioner.ended:
            break
    assert at > 3, "each commit was cut off once"
    found = describe(database)
    assert found != before
    assert [count for _, count in found["episodes"].items()] == [1] * 6
    assert sum(found["outbox"].values()) == 6
    assert set(found["outbox"].values()) == {1}
    assert found["audit"] == Counter((f"a{each}", "alert.opened") for each in range(6))
