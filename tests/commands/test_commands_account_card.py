"""The account's card: every subject has its place, a bare account says what is missing, a full one still fits a
phone, and the number of statements does not grow with what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from commands.accounts.account_card import CHANGE, MORE, PUT_AWAY, SHOW_CONTACTS, SHOW_TIMELINE
from commands.accounts.accounts import choose_more, show
from commands.accounts.contacts import contact
from commands.accounts.notes import note
from commands.slice import OpenForm, Ref
from commands.success.measurements import log
from commands.success.targets import target
from rules.errors import NotAllowedError
from rules.records import AlertKind, Band, Role, Tier
from storage.accounts.accounts import AccountRow
from storage.accounts.contacts import list_contacts
from storage.health.health import HealthScoreRow
from storage.renewals.contracts import ContractRow
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinRow
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow
from storage.success.risks import RiskRow
from storage.success.tasks import TaskRow
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, get_message, shown
from tests.conftest import NOW

TODAY = date(2026, 3, 10)
SLACK_BLOCKS, SLACK_TEXT = 50, 13_000


@pytest.fixture
def statements(desk: Desk) -> Iterator[list[str]]:
    """What is sent to the database."""
    sent: list[str] = []
    engine = desk.tx.session.get_bind().engine

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield sent
    event.remove(engine, "before_cursor_execute", listen)


def add(desk: Desk, *rows: Any) -> None:
    for row in rows:
        row.workspace_id = desk.tx.workspace_id
        desk.tx.session.add(row)
        desk.tx.session.flush()


def fill(desk: Desk, acme: AccountRow, times: int) -> None:
    """So many of everything that a card shows."""
    who = acme.name
    lead, owner_id, name = desk.person(Role.LEAD, "U0000008"), desk.person().id, "x" * 80
    add(
        desk,
        journey := JourneyRow(workspace_id="", account_id=acme.id, template_key="t", name="Onboarding",
                              started_on=TODAY, stage_key="adoption", stage_since=date(2026, 2, 1), created_at=NOW),
    )  # fmt: skip
    for at, key in enumerate(("purchase", "adoption", "success")):
        stage = {"key": key, "position": at, "name": key.title(), "planned_days": 90}
        add(desk, JourneyStageRow(workspace_id="", journey_id=journey.id, **stage))
    for number in range(times):
        desk.do(target, f"{who} metric{number} from 5% to 10% by 31 Dec", person=lead)
        desk.do(log, f"{who} metric{number} 6.1% {name}", person=lead)
        desk.do(contact, f"{who} Person {number} {name[:60]}, {name}, sponsor", person=lead)
        desk.do(note, f"{who} call {name}", person=lead)
        add_episode(desk.tx, acme.id, kind=AlertKind.HEALTH_RED, subject=str(number), facts={"score": 41.0})
        due, about = TODAY + timedelta(days=number + 1), {"workspace_id": "", "account_id": acme.id, "created_at": NOW}
        stage = {"journey_id": journey.id, "stage_key": "adoption", "due_on": due, "planned_on": due}
        add(
            desk,
            MilestoneRow(**about, **stage, name=f"Milestone {number} {name[:60]}", owner_id=owner_id),
            TaskRow(**about, text=f"Task {number} {name}", owner_id=owner_id, due_on=due),
            RiskRow(**about, text=f"Risk {number} {name}", owner_id=owner_id, opened_on=TODAY),
            CheckinRow(**about, happened_on=TODAY - timedelta(days=number), pulse=4, author_id=owner_id),
            ContractRow(workspace_id="", external_id=f"{who} {number}", account_id=acme.id, start_on=date(2025, 4, 1),
                        end_on=due, yearly_minor=8_400_000),
            RenewalRow(**about, contract_id=f"{who} {number}", ends_on=due, decides_on=due, yearly_minor=8_400_000),
        )  # fmt: skip
    facts = {"x": 62.0, "w": 10.0, "state": "missing", "facts": {"why": "no_usage"}}
    factors = dict.fromkeys(("utilisation", "trend", "breadth", "targets", "support", "payment"), facts)
    score = {"day": TODAY, "score": 62.0, "band": Band.YELLOW, "coverage": 1.0, "factors": factors}
    add(desk, HealthScoreRow(workspace_id="", account_id=acme.id, **score))


def test_every_subject_has_its_place(desk: Desk):
    acme = desk.add_account("Acme", tier=Tier.A, owner_id=desk.person().id, country="DE", started_on=date(2024, 5, 1))
    fill(desk, acme, 1)
    text = desk.say(show, "acme").replace("\u202f", " ")
    places = [
        text.index(part)
        for part in (
            "*Acme* · tier A · Germany · <@U0000001>",
            "customer since 1 May 2024",
            "Sponsor Person 0",
            "Adoption",
            "day 38 of 90",
            "Milestone 0",
            "metric0*  6.1 % on 10 Mar 2026",
            "▓▓░░░░░░░░ 22 % of the way",
            "🟡 health 62",
            "health is red: 41",
            "pulse 4 of 5",
            "last touch 10 Mar 2026",
            "Task 0",
            "Risk 0",
            "€84",
            "Log a value",
        )
    ]
    assert places == sorted(places)


def test_a_full_card_still_fits_slack_and_a_phone(desk: Desk):
    acme = desk.add_account("Acme", tier=Tier.A, owner_id=desk.person().id)
    fill(desk, acme, 12)
    replies = desk.do(show, "acme")
    blocks = get_message(replies).blocks
    assert len(blocks) <= 35 < SLACK_BLOCKS
    assert len("".join(texts(list(blocks)))) < SLACK_TEXT
    text = shown(replies[0])
    assert "and 7 more" in text
    assert "· and 10 more" in text
    assert "and 9 more alerts" in text
    assert json.dumps(blocks).count('"style": "primary"') == 1


def test_a_card_takes_as_many_statements_with_much_as_with_little(desk: Desk, statements: list[str]):
    acme = desk.add_account("Acme", owner_id=desk.person().id)
    globex = desk.add_account("Globex", owner_id=desk.person().id)
    fill(desk, acme, 1)
    person = desk.person()
    statements.clear()
    desk.do(show, "acme", person=person)
    few = len(statements)
    fill(desk, globex, 12)
    statements.clear()
    desk.do(show, "globex", person=person)
    # A part that shows all it has asks nothing more; one that leaves some out counts them, once.
    assert len(statements) <= few + 3
    assert few < 50


def test_a_sponsor_who_left_is_seen_on_the_card(desk: Desk):
    acme = desk.add_account("Acme")
    desk.do(contact, "acme Jo Doe, CFO, sponsor")
    assert "Sponsor Jo Doe, CFO" in desk.say(show, "acme")
    (row,) = list_contacts(desk.tx, acme.id)
    row.left_on = date(2026, 3, 3)
    assert "🔴 Sponsor Jo Doe, CFO left 3 Mar 2026: nobody has followed" in desk.say(show, "acme")


def test_the_menu_of_the_card_leads_to_its_parts(desk: Desk):
    acme = desk.add_account("Acme")
    menu = next(
        element
        for block in get_message(desk.do(show, "acme")).blocks
        for element in block.get("elements", [])
        if element.get("action_id") == MORE
    )
    refs = {ref.extra["do"]: ref for ref in (Ref.parse(each["value"]) for each in menu["options"])}
    assert set(refs) == {SHOW_CONTACTS, SHOW_TIMELINE, CHANGE, PUT_AWAY}
    assert "no contacts yet" in shown(desk.press(choose_more, refs[SHOW_CONTACTS])[0])
    assert "added the account" in shown(desk.press(choose_more, refs[SHOW_TIMELINE])[0])
    assert isinstance(desk.press(choose_more, refs[CHANGE])[0], OpenForm)
    assert "Archive *Acme*?" in shown(desk.press(choose_more, refs[PUT_AWAY])[0])
    assert "*Acme*" in shown(desk.press(choose_more, Ref("account", acme.id))[0])
    viewer = desk.person(Role.VIEWER, "U9")
    for do in (CHANGE, PUT_AWAY):
        with pytest.raises(NotAllowedError):
            desk.press(choose_more, refs[do], person=viewer)


def texts(node: Any) -> list[str]:
    """Every text in blocks."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in texts(value)]
    return [text for each in node for text in texts(each)] if isinstance(node, list) else []
