"""Alerts about journeys as people see them: raised by the scan, told in words, settled by their own buttons."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlmodel import col, select

from commands.alerts.alert_views import find_view
from commands.blocks.alerts import render_alert
from commands.blocks.journeys import DONE, MOVE, SHOW
from commands.slice import Ref
from commands.success.journeys import show_pressed
from commands.success.milestones import open_move, press_done
from pipeline import scan
from playground.blockkit.check import check_blocks
from rules.records import Actor, AlertKind, Tier
from rules.success.journey_walk import decide_start
from rules.success.journeys import Doer
from rules.success.templates import plan_journey
from storage.alerts.alerts import EpisodeRow
from storage.db import Database
from storage.library import list_templates
from storage.success.journey_writes import apply_journeys
from storage.success.journeys import MilestoneRow, find_journey_facts, list_journey_facts
from tests.alert_rows import add_account, add_member
from tests.commands.conftest import Desk, get_form
from tests.conftest import NOW, add_workspace
from words.reader import Reader

TODAY = NOW.date()


@pytest.fixture
def workspace(sqlite_database: Database) -> str:
    """Acme (tier A) began onboarding sixty days ago, Globex five days ago."""
    workspace_id = add_workspace(sqlite_database)
    with sqlite_database.writing(workspace_id) as tx:
        add_member(tx, "UOWNER")
        for name, tier, days in (("acme", Tier.A, 60), ("globex", Tier.C, 5)):
            add_account(tx, name, tier=tier, owner_id="m-UOWNER")
            plan = plan_journey(list_templates()[0], TODAY - timedelta(days=days), stage_key="onboarding")
            doer = Doer("m-UOWNER", NOW, TODAY)
            apply_journeys(tx, decide_start(name, plan, doer), Actor.job("test"), NOW)
    return workspace_id


def episodes(database: Database, workspace_id: str) -> dict[tuple[str, AlertKind], list[EpisodeRow]]:
    found: dict[tuple[str, AlertKind], list[EpisodeRow]] = {}
    with database.reading(workspace_id) as tx:
        for row in tx.session.exec(select(EpisodeRow).where(col(EpisodeRow.closed_at).is_(None))):
            found.setdefault((row.account_id, row.kind), []).append(row)
    return found


def test_the_scan_raises_what_is_due_overdue_and_stuck_and_a_move_ends_it(sqlite_database: Database, workspace: str):
    scan.run(sqlite_database, workspace, NOW)
    found = episodes(sqlite_database, workspace)
    assert ("acme", AlertKind.STAGE_STUCK) in found
    assert len(found["acme", AlertKind.MILESTONE_OVERDUE]) == 7  # those of onboarding and one of adoption
    assert [row.facts["name"] for row in found["globex", AlertKind.MILESTONE_OVERDUE]] == ["Kick-off"]
    assert ("globex", AlertKind.STAGE_STUCK) not in found
    assert all(row.is_quiet for row in found["globex", AlertKind.MILESTONE_OVERDUE])
    with sqlite_database.writing(workspace) as tx:
        row = tx.session.exec(
            select(MilestoneRow).where(MilestoneRow.account_id == "globex", MilestoneRow.template_key == "kick-off")
        ).one()
        row.due_on = TODAY + timedelta(days=20)
    scan.run(sqlite_database, workspace, NOW + timedelta(days=1))
    assert ("globex", AlertKind.MILESTONE_OVERDUE) not in episodes(sqlite_database, workspace)


@pytest.mark.parametrize(
    ("kind", "words", "actions"),
    [
        (AlertKind.STAGE_STUCK, "has been in Onboarding for", {SHOW}),
        (AlertKind.MILESTONE_OVERDUE, "is overdue by", {DONE, MOVE}),
    ],
)
@pytest.mark.parametrize("locale", ["en-US", "zh-CN", "zh-TW"])
def test_an_alert_says_what_and_offers_its_buttons(
    sqlite_database: Database, workspace: str, locale: str, kind: AlertKind, words: str, actions: set[str]
):
    scan.run(sqlite_database, workspace, NOW)
    row = episodes(sqlite_database, workspace)["acme", kind][0]
    reader = Reader(locale, "UTC")
    with sqlite_database.writing(workspace) as tx:
        view = find_view(tx, reader, row.id)
        assert view is not None
        message = render_alert(reader, view)
        check_blocks(list(message.blocks), "message")
        shown = json.dumps(message.blocks, ensure_ascii=False)
        assert actions <= {
            element.get("action_id") for block in message.blocks for element in block.get("elements", [])
        }
        assert "acme" in message.text
        assert locale != "en-US" or words in shown
        press_each(Desk(tx), view.facts)


def press_each(desk: Desk, facts: object) -> None:
    """The alert's own buttons do what they say."""
    assert isinstance(facts, dict)
    lead = desk.person(role=desk.person().role.LEAD, slack_id="ULEAD", name="Lea")
    if "milestone" in facts:
        ref = Ref("milestone", facts["milestone"])
        assert get_form(desk.press(open_move, ref, person=lead)).ref == Ref("milestone", ref.id, {"seen": "1"})
        desk.press(press_done, ref, person=lead)
        row = desk.tx.session.exec(select(MilestoneRow).where(MilestoneRow.id == ref.id)).one()
        assert row.settled_on == TODAY
    assert "Onboarding" in desk.say(show_pressed, ref=Ref("account", "acme"), person=lead)


def test_the_journeys_of_many_accounts_are_read_at_once(sqlite_database: Database, workspace: str):
    with sqlite_database.reading(workspace) as tx:
        facts = list_journey_facts(tx, ["acme", "globex", "nobody"])
        assert facts.keys() == {"acme", "globex"}
        assert facts["acme"] == find_journey_facts(tx, "acme")
        assert list_journey_facts(tx, []) == {}
