"""What reads never waits for a writer: lists and forms do their work in a transaction that cannot write."""

from __future__ import annotations

import pytest

from bot.registry import SLICES
from commands.slice import Command
from rules.records import Role
from storage.db import Database
from tests.alert_rows import add_account, add_episode
from tests.commands.conftest import Desk
from tests.conftest import add_workspace

COMMANDS = {command.name: command for each in SLICES for command in each.commands}
READS = [
    "alerts",
    "alerts mine",
    "alerts all",
    "alerts closed",
    "alerts closed targets",
    "alerts milestones",
    "alerts snooze acme",
    "alerts acme",
    "alerts dismiss acme old news",
    "alerts ASSIGN acme",
    "add",
    "health",
    "health acme",
    "list mine red",
    "log",
    "log acme",
    "log acme conversion",
    "setup",
    "show acme",
    "target",
    "target acme",
    "target acme conversion by end of month",
]
WRITES = [
    "alerts take acme",
    "alerts Resolve acme called them",
    "alerts snooze acme next fri holidays",
    "alerts SNOOZE acme 3d",
    "alerts assign acme <@U0000009|zed>",
    "add Acme",
    "log acme conversion 7.5%",
    "log acme conversion ７．５％",
    "log acme 转化率 三千五百",
    "setup <#C0000042|success>",
    "target acme conversion from 5% to 10% by 31 Dec",
]


def find(line: str) -> tuple[Command, str]:
    name, _space, text = line.partition(" ")
    return COMMANDS[name], text


@pytest.mark.parametrize("line", READS)
def test_what_changes_nothing_works_where_nothing_can_be_written(sqlite_database: Database, line: str):
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        lead = Desk(tx).person(Role.LEAD)
        add_account(tx, "acme")
        add_episode(tx, "acme", facts={"before": 72.0, "after": 49.0, "days": 9, "shares": []})
    command, text = find(line)
    assert command.get_access(text) == "reads"
    with sqlite_database.reading(workspace_id) as tx:
        assert Desk(tx).do(command.handle, text, person=lead)


@pytest.mark.parametrize("line", WRITES)
def test_what_may_change_something_takes_a_writers_turn(line: str):
    command, text = find(line)
    assert command.get_access(text) == "writes"
