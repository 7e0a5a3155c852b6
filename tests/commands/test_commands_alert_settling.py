"""What a person settles ends the alerts about it at once."""

from __future__ import annotations

import pytest
from sqlmodel import select

from commands.success.journeys import journey
from commands.success.milestones import milestone
from rules.records import AlertKind
from storage.alerts.alerts import list_open
from storage.success.journeys import MilestoneRow
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk


@pytest.mark.parametrize(
    ("typed", "is_over"),
    [("acme done kick-off", True), ("acme move kick-off to 1 Apr because they asked", True), ("acme", False)],
)
def test_a_milestone_done_or_moved_ends_its_alerts(desk: Desk, typed: str, is_over: bool):
    account = desk.add_account("Acme Corp")
    desk.do(journey, "acme start standard at onboarding from 9 Mar")
    row = desk.tx.session.exec(select(MilestoneRow).where(MilestoneRow.template_key == "kick-off")).one()
    alert = {"kind": AlertKind.MILESTONE_OVERDUE, "facts": {"name": "Kick-off", "due_on": "2026-03-09", "days": 1}}
    add_episode(desk.tx, account.id, subject=f"{row.id}:{row.due_on.isoformat()}", **alert)
    add_episode(desk.tx, account.id, subject="other:2026-03-09", **alert)
    desk.do(milestone, typed)
    assert len(list_open(desk.tx, account.id)) == (1 if is_over else 2)
