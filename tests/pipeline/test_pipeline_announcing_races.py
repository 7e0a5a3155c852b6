"""Two processes announce the alerts of one workspace at the same moment: real transactions in two threads, on both
databases. No budget is overrun, nothing is told twice, and what one decided on an old picture is decided afresh.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from pipeline.announcing import announce
from rules.records import Severity
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import JOB_WAIT_SECONDS, Database, Tx
from tests.alert_rows import add_account, add_episode, add_member, list_outbox

TUESDAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
BUDGET = 3
"""Messages for an owner and day, by default."""


@dataclass
class Gated(Database):
    """A process of its own that stands still before it writes for the first time: it has decided, and not begun."""

    has_decided: threading.Event = field(default_factory=threading.Event)
    may_write: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def writing(self, workspace_id: str, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Tx]:
        self.has_decided.set()
        assert self.may_write.wait(20)
        with super().writing(workspace_id, wait_seconds=wait_seconds) as tx:
            yield tx


@pytest.fixture
def processes(database: Database, workspace_id: str) -> Iterator[list[Gated]]:
    """Two more on the database, whose workspace has one owner."""
    with database.writing(workspace_id) as tx:
        add_member(tx, "ADA", zone="UTC")
    opened = [Gated(database.url) for _ in range(2)]
    yield opened
    for each in opened:
        each.close()


def add(database: Database, workspace_id: str, names: str, **more: Any) -> None:
    """An alert of Ada's for each letter, of an account of its own."""
    with database.writing(workspace_id) as tx:
        for name in names:
            add_account(tx, name, owner_id="m-ADA")
            add_episode(tx, name, **{"announced_at": None, "channel_id": "", "opened_at": TUESDAY} | more)


def list_alerts(database: Database, workspace_id: str) -> dict[str, EpisodeRow]:
    with database.reading(workspace_id) as tx:
        return {row.account_id: row for row in tx.session.exec(select(EpisodeRow))}


def see_each_decided_once(database: Database, workspace_id: str, told: int) -> None:
    """So many were told, in as many messages, and of the others it was said once that they wait for the digest."""
    rows = list_alerts(database, workspace_id)
    assert sum(row.announced_at is not None for row in rows.values()) == told, rows
    assert len([row for row in list_outbox(database, workspace_id) if not row.is_update]) == told
    assert [row.quiet_reason for row in rows.values() if row.announced_at is None] == ["budget"] * (len(rows) - told)
    with database.reading(workspace_id) as tx:
        hushed = Counter(tx.session.exec(select(AlertEventRow.episode_id)))
    assert set(hushed.values()) <= {1}, hushed


@pytest.mark.parametrize("is_older_first", [True, False])
def test_who_decided_on_an_older_picture_decides_afresh(
    database: Database, workspace_id: str, processes: list[Gated], *, is_older_first: bool
):
    older, newer = processes
    add(database, workspace_id, "abc", severity=Severity.NOTICE)
    with ThreadPoolExecutor(2) as pool:
        runs = {id(older): start(pool, older, workspace_id)}
        add(database, workspace_id, "def", severity=Severity.HIGH)
        runs[id(newer)] = start(pool, newer, workspace_id)
        for each in (older, newer) if is_older_first else (newer, older):
            each.may_write.set()
            runs[id(each)].result(20)
    see_each_decided_once(database, workspace_id, BUDGET)


def start(pool: ThreadPoolExecutor, process: Gated, workspace_id: str) -> Future[Any]:
    """Let it decide."""
    run = pool.submit(announce, process, workspace_id, TUESDAY)
    assert process.has_decided.wait(20)
    return run


def test_two_that_write_at_once_share_one_budget(database: Database, workspace_id: str, processes: list[Gated]):
    for each in processes:
        each.may_write.set()
    gate = threading.Barrier(3)
    names = iter("abcdefghijkl")

    def open_more() -> None:
        add(database, workspace_id, next(names) + next(names))

    def repeat(act: Callable[[], object]) -> None:
        for _ in range(6):
            gate.wait(20)
            act()

    acts: list[Callable[[], object]] = [open_more]
    acts += [lambda each=each: announce(each, workspace_id, TUESDAY) for each in processes]
    with ThreadPoolExecutor(3) as pool:
        for run in [pool.submit(repeat, each) for each in acts]:
            run.result(60)
    announce(database, workspace_id, TUESDAY)
    see_each_decided_once(database, workspace_id, BUDGET)
