"""A scan killed at any of its commits and run again comes to the same end as one that was left alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from pipeline import scan
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.conditions import ConditionRow
from storage.audit import AuditRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow
from tests.alert_rows import TODAY, add_account, add_scores, steady
from tests.channel_rows import know_channels
from tests.conftest import NOW, add_workspace

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("scan_process.py")
DAY = timedelta(days=1)
ACCOUNTS = 250


@pytest.fixture(scope="module")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Accounts in two channels, two scans behind them, and a third due that opens, resolves and announces."""
    path = tmp_path_factory.mktemp("scan") / "prepared.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        know_channels(tx, "C0", "C1")
        for each in range(ACCOUNTS):
            name = f"a{each:03}"
            add_account(tx, name, channel_id=f"C{each % 2}" if each < 12 else "")
            falls = each < 4 or 12 <= each < 40
            add_scores(
                tx, name, steady(TODAY - DAY, 90, 16) | {TODAY: 60 if falls else 90, TODAY + DAY: 60 if falls else 90}
            )
    for offset in (-1, 0):
        scan.run(database, workspace_id, NOW + offset * DAY)
    database.close()
    return path, workspace_id


def copy(path: Path, to: Path) -> Database:
    shutil.copyfile(path, to)
    return Database(f"sqlite:///{to}")


def kill_at_commit(database: Database, workspace_id: str, count: int) -> bool:
    """Start a scan and SIGKILL it while it is about to make its `count`-th commit; False when it ended before."""
    command = [sys.executable, str(PROGRAM), database.url, workspace_id, (NOW + DAY).isoformat()]
    with subprocess.Popen(  # our own program, our own arguments
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _commit in range(count - 1):
            process.stdout.readline()
            process.stdin.write("go\n")
            process.stdin.flush()
        was_alive = process.stdout.readline() == "commit\n"
        process.kill()
    return was_alive


def describe(database: Database, workspace_id: str) -> dict[str, Counter[tuple[object, ...]]]:
    """Everything a scan writes, without the ids it makes up."""
    with database.reading(workspace_id) as tx:
        episodes = {row.id: row for row in tx.session.exec(select(EpisodeRow))}
        summaries = Counter(row.summary_id for row in episodes.values())
        return {
            "conditions": Counter(
                (row.account_id, row.rule, row.state, row.streak, row.since, row.observed_on)
                for row in tx.session.exec(select(ConditionRow))
            ),
            "episodes": Counter(
                (row.account_id, row.kind, row.state, row.version, row.channel_id, bool(row.announced_at))
                for row in episodes.values()
            ),
            "history": Counter(
                (episodes[row.episode_id].account_id, row.verb) for row in tx.session.exec(select(AlertEventRow))
            ),
            "audit": Counter((row.account_id, row.verb) for row in tx.session.exec(select(AuditRow))),
            "outbox": Counter(
                (row.kind, row.channel, episodes[row.reference].account_id)
                if row.reference in episodes
                else (row.kind, row.channel, summaries[row.reference])
                for row in tx.session.exec(select(OutboxRow))
            ),
        }


@pytest.mark.parametrize("commit", [1, 2, 3, 5, 6])
def test_killed_at_a_commit_and_run_again(prepared: tuple[Path, str], tmp_path: Path, commit: int):
    path, workspace_id = prepared
    calm, shaken = copy(path, tmp_path / "calm.db"), copy(path, tmp_path / "shaken.db")
    scan.run(calm, workspace_id, NOW + DAY)
    expected = describe(calm, workspace_id)
    assert len(expected["episodes"]) == 32
    assert sum(expected["outbox"].values()) == 4 + 1
    assert kill_at_commit(shaken, workspace_id, commit), "the scan has fewer commits than this test thinks"
    assert describe(shaken, workspace_id) != expected
    scan.run(shaken, workspace_id, NOW + DAY)
    assert describe(shaken, workspace_id) == expected
    calm.close()
    shaken.close()
