"""No statement leaves its workspace: `tests.sql_watch` looks at each one of every test; here is shown that it sees, and
that people's and the clock's work as a whole comes past it with every table.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.registry import JOBS
from rules.delivery.outbox import Pace
from rules.records import Enqueue
from storage.alerts.alerts import list_history, list_open
from storage.alerts.escalations import find_lead_message, make_lead_messages
from storage.audit import find_change
from storage.db import Database
from storage.delivery.deliveries import claim_delivery
from storage.delivery.outbox import enqueue
from storage.delivery.outbox_claims import claim, claim_uncertain, mark_uncertain, recover
from storage.delivery.outbox_due import find_due
from storage.delivery.schedules import ensure_schedules, finish_run, start_due
from storage.people.team import list_people
from storage.success.risks import list_risks
from storage.success.tasks import page_tasks
from tests.conftest import NOW
from tests.small_company import fill
from tests.sql_watch import SCOPED, Watch, find_open, locks_in_disorder

SUBQUERY = (
    "SELECT 1 FROM health_scores JOIN (SELECT health_scores.day FROM health_scores) AS last ON true "
    "WHERE health_scores.workspace_id = ?"
)

NESTED = (
    "SELECT 1 FROM outbox WHERE outbox.id IN (SELECT outbox.id FROM outbox ORDER BY outbox.seq \n LIMIT 3) "
    "ORDER BY outbox.id \n LIMIT 3 FOR UPDATE OF outbox"
)


@pytest.mark.parametrize(
    ("statement", "is_open"),
    [
        ("SELECT accounts.id FROM accounts WHERE accounts.workspace_id = ? AND accounts.id = ?", ()),
        ("SELECT accounts.id, accounts.workspace_id \nFROM accounts \nWHERE accounts.id = ?", ("accounts",)),
        ("UPDATE outbox SET workspace_id=? WHERE outbox.id = ?", ("outbox",)),
        ("DELETE FROM audit WHERE audit.workspace_id = ?", ()),
        ("SELECT 1 FROM accounts, members WHERE accounts.workspace_id = ?", ("members",)),
        (
            "SELECT 1 FROM targets JOIN accounts ON accounts.id = targets.account_id WHERE targets.workspace_id = ?",
            ("accounts",),
        ),
        ("SELECT 1 FROM outbox WHERE outbox.workspace_id = ? AND NOT EXISTS (SELECT * FROM outbox AS o)", ("o",)),
        (SUBQUERY, ("health_scores",)),
        ("SELECT workspaces.id FROM workspaces", ()),
    ],
)
def test_the_watch_sees_a_table_left_open(statement: str, is_open: tuple[str, ...]):
    assert find_open(statement) == is_open


@pytest.mark.parametrize(
    ("statement", "is_disorder"),
    [
        ("SELECT outbox.id FROM outbox WHERE outbox.state = %(state_1)s ORDER BY outbox.id FOR UPDATE", False),
        ("SELECT outbox.id FROM outbox WHERE outbox.state = %(state_1)s ORDER BY outbox.seq FOR UPDATE", True),
        ("SELECT outbox.id FROM outbox WHERE outbox.state = %(state_1)s FOR UPDATE", True),
        ("SELECT outbox.id FROM outbox WHERE outbox.state = %(state_1)s FOR UPDATE SKIP LOCKED", False),
        ("SELECT outbox.id FROM outbox WHERE outbox.id = %(id_1)s FOR UPDATE", False),
        (NESTED, False),
        ("SELECT schedules.id FROM schedules ORDER BY schedules.job != 'daily' FOR UPDATE", True),
    ],
)
def test_the_watch_sees_rows_locked_in_disorder(statement: str, *, is_disorder: bool):
    assert locks_in_disorder(statement) == is_disorder


def test_a_day_of_work_stays_in_its_workspace_with_every_table(
    database: Database, workspace_id: str, tmp_path: Path, watch: Watch
):
    """Imports, the day's jobs, schedules, deliveries and messages; what people do is watched in their own tests."""
    watch.seen.clear()
    fill(database, workspace_id, tmp_path / "files")
    pace, soon = Pace(), NOW + timedelta(days=1)
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, NOW)
        assert claim_delivery(tx, "event:1", NOW)
        for run in start_due(tx, soon, epoch=1):
            finish_run(tx, run, 1, soon)
        enqueue(tx, [Enqueue("note", "1", channel="C1")], NOW)
        assert not find_due(tx, soon, pace, 10).is_empty
        rows = claim(tx, soon, pace, 5)
        assert rows
        mark_uncertain(tx, rows[0], "timeout", soon)
        recover(tx, soon, pace)
        claim_uncertain(tx, soon + timedelta(minutes=1), pace, 5)
        assert list_history(tx, list_open(tx)[0].id)
        find_change(tx, "alert.opened", "nothing")
        assert page_tasks(tx)
        assert list_risks(tx)
        assert make_lead_messages(tx, [(list_people(tx)[0].id, soon.date())], soon)
        assert find_lead_message(tx, "nothing") is None
    for job in JOBS.values():
        job(database, workspace_id, soon)
    assert set(watch.seen) == SCOPED
