"""Clocks that are wrong by an hour or a day: of one worker among two, and across a restart.

Workers on one SQLite file share a machine and its clock. On PostgreSQL they may be on several, and go by that of the
database.
"""

from __future__ import annotations

import asyncio

import pytest

from rules.records import Enqueue
from storage.db import Database
from storage.delivery.outbox import enqueue
from tests.alert_rows import list_outbox
from tests.conftest import NOW, add_workspace
from tests.crash.forked import Forker
from tests.crash.slack_of_now import SlackOfNow
from tests.crash.test_others_stop import DELIVER, is_sent, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR, DAY = 3600.0, 86400.0
WRONG = [-DAY, -HOUR, HOUR, DAY]
NAMES = {-DAY: "a day behind", -HOUR: "an hour behind", HOUR: "an hour ahead", DAY: "a day ahead"}
CHANNELS = ("C1", "C2", "C3")
MESSAGES = 18
FAULTS = ["", "lost", "", "500", "", "drop", "", "", "hang"]


def name(ahead: float) -> str:
    return NAMES[ahead]


def fill(database: Database) -> str:
    """Messages in several channels; the workspace's id."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        notes = [Enqueue("note", f"n{each:02}", channel=CHANNELS[each % 3]) for each in range(MESSAGES)]
        enqueue(tx, notes, NOW)
    return workspace_id


def check(slack: SlackOfNow) -> None:
    """Each message stands once, in order."""
    for at, channel in enumerate(CHANNELS):
        assert slack.texts(channel) == [f"n{each:02}" for each in range(MESSAGES) if each % 3 == at]


@pytest.mark.parametrize("ahead", WRONG, ids=name)
async def test_two_workers_whose_clocks_differ_post_each_message_once(postgres_url: str, forker: Forker, ahead: float):
    database = Database(postgres_url)
    workspace_id = fill(database)
    async with SlackOfNow() as slack:
        slack.faults["chat.postMessage"] = list(FAULTS)
        workers = [await forker.start(DELIVER, url=database.url, slack=slack.url, ahead=each) for each in (0.0, ahead)]
        await until(lambda: is_sent(database, workspace_id))
        for each in workers:
            await each.kill()
        check(slack)
    database.close()


@pytest.mark.parametrize("fault", ["lost", "hang"])
@pytest.mark.parametrize("ahead", WRONG, ids=name)
async def test_a_clock_put_right_across_a_restart_loses_and_doubles_nothing(
    sqlite_database: Database, forker: Forker, ahead: float, fault: str
):
    database = sqlite_database
    workspace_id = fill(database)
    async with SlackOfNow() as slack:
        slack.faults["chat.postMessage"] = ["", "", "", fault]
        wrong = await forker.start(DELIVER, url=database.url, slack=slack.url, ahead=ahead)
        await until(lambda: len(slack.messages) >= 4)
        if fault == "lost":  # killed once it knows that it does not know; otherwise while it waits for the answer
            await until(lambda: any(row.state == "uncertain" for row in list_outbox(database, workspace_id)))
        await wrong.kill()
        await asyncio.sleep(0.1)
        right = await forker.start(DELIVER, url=database.url, slack=slack.url)
        await until(lambda: is_sent(database, workspace_id))
        await right.kill()
        check(slack)
        assert slack.count("conversations.history") >= 1
