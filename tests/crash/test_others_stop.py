"""A worker stopped (SIGSTOP) past its lease: another takes over; what the first does when it wakes comes too late."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rules.records import Enqueue
from storage.db import Database
from storage.delivery.outbox import OutboxRow, enqueue
from tests.alert_rows import list_outbox
from tests.conftest import NOW, add_workspace
from tests.crash.forked import Forker
from tests.crash.slack_of_now import SlackOfNow

pytestmark = pytest.mark.asyncio(loop_scope="module")
DELIVER = "tests.crash.others_children:deliver"


def say(database: Database, workspace_id: str, *names: str) -> None:
    with database.writing(workspace_id) as tx:
        enqueue(tx, [Enqueue("note", name, channel="C1") for name in names], NOW)


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what it waits for happens in other processes
            await asyncio.sleep(0.02)


def is_sent(database: Database, workspace_id: str) -> bool:
    return all(row.state == "sent" for row in list_outbox(database, workspace_id))


def find(database: Database, workspace_id: str, name: str) -> OutboxRow:
    return next(row for row in list_outbox(database, workspace_id) if row.reference == name)


@pytest.mark.parametrize("where", ["before its request", "before it reads the answer"])
async def test_who_wakes_after_its_lease_changes_nothing(
    database: Database, tmp_path: Path, forker: Forker, where: str
):
    workspace_id = add_workspace(database)
    say(database, workspace_id, "n0", "n1")
    go = tmp_path / "go"
    async with SlackOfNow() as slack:
        if where == "before its request":
            stopped = await forker.start(DELIVER, url=database.url, slack=slack.url, hold=str(go))
            assert await stopped.hear() == "n0"
        else:
            slack.slow.add("n0")
            stopped = await forker.start(DELIVER, url=database.url, slack=slack.url)
            await until(lambda: slack.texts("C1") == ["n0"])
        stopped.send(signal.SIGSTOP)
        slack.answer_all()
        go.touch()
        other = await forker.start(DELIVER, url=database.url, slack=slack.url)
        await until(lambda: is_sent(database, workspace_id))
        await other.kill()
        before = find(database, workspace_id, "n0")
        stopped.send(signal.SIGCONT)
        say(database, workspace_id, "n2")  # that this one goes out tells that it woke, and is past what it had
        await until(lambda: is_sent(database, workspace_id))
        await stopped.kill()
        after = find(database, workspace_id, "n0")
        assert slack.texts("C1") == ["n0", "n1", "n2"]
        assert (after.epoch, after.slack_ts, after.sent_at) == (before.epoch, before.slack_ts, before.sent_at)
        assert after.slack_ts == slack.messages[0].ts


async def test_who_wakes_while_another_sends_does_not_take_it_back(database: Database, tmp_path: Path, forker: Forker):
    """It finds that its time is over and would put the message back into the queue: only its epoch tells that the
    message is another's now.
    """
    workspace_id = add_workspace(database)
    say(database, workspace_id, "n0")
    go = tmp_path / "go"
    async with SlackOfNow() as slack:
        stopped = await forker.start(DELIVER, url=database.url, slack=slack.url, hold=str(go))
        assert await stopped.hear() == "n0"
        stopped.send(signal.SIGSTOP)
        go.touch()
        slack.slow.add("n0")
        other = await forker.start(DELIVER, url=database.url, slack=slack.url)
        await until(lambda: slack.texts("C1") == ["n0"])
        other.send(signal.SIGSTOP)
        stopped.send(signal.SIGCONT)
        await asyncio.sleep(0.5)
        assert find(database, workspace_id, "n0").state in {"sending", "uncertain", "sent"}
        other.send(signal.SIGCONT)
        slack.answer_all()
        await until(lambda: is_sent(database, workspace_id))
        await stopped.kill()
        await other.kill()
        assert [each.text for each in slack.messages] == ["n0"]
