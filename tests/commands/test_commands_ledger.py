"""`/cs alerts ledger` and `/cs alerts rules`: the table, the picture's message, what a lead does with a proposal."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from commands.alerts.alert_lines import handle_line
from commands.alerts.ledger import PICTURE, read_ledger, render_picture_of
from commands.alerts.rules import KEEP, RAISE, choose, keep, render_proposal_of, undo
from commands.blocks.ledger_picture import Bar, Sheet, draw_sheet
from commands.slice import Ref, Whisper
from playground.blockkit.check import check_blocks
from rules.alerts.alerts import Cleared, Dismiss, Take, decide
from rules.alerts.ledger import Propose
from rules.alerts.signals import RULES
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Actor, AlertKind, DismissReason, Role
from storage.alerts.adjustment_writes import apply_proposals
from storage.alerts.adjustments import RuleProposalRow, read_tunings
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import to_episode
from storage.alerts.ledger import Messages
from storage.alerts.mutes import list_active
from storage.delivery.outbox import OutboxRow
from tests.alert_rows import add_episode
from tests.commands.conftest import Desk, get_message, shown
from tests.conftest import NOW
from words.reader import Reader

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DROP = AlertKind.HEALTH_DROP
JOB = Actor.job("ledger")


def fill(desk: Desk) -> None:
    """Twelve drops: seven taken after two hours, three too sensitive, two that ended by themselves; one silence."""
    person, account = desk.person(), desk.add_account()
    for at in range(12):
        opened = NOW - 29 * DAY
        row = add_episode(desk.tx, account.id, subject=str(at), opened_at=opened)
        doer, what = (
            (person.actor, Take(person.id))
            if at < 7
            else (person.actor, Dismiss(person.id, DismissReason.TOO_SENSITIVE))
            if at < 10
            else (Actor.job("scan"), Cleared())
        )
        apply_alerts(desk.tx, decide(to_episode(row), what, opened + 2 * HOUR), doer, opened + 2 * HOUR)
    add_episode(desk.tx, account.id, kind=AlertKind.SILENCE, opened_at=NOW - DAY, announced_at=None)
    desk.tx.session.flush()


def outbox(desk: Desk, kind: str) -> list[OutboxRow]:
    query = select(OutboxRow).where(OutboxRow.workspace_id == desk.tx.workspace_id, OutboxRow.kind == kind)
    return list(desk.tx.session.exec(query))


def test_the_ledger_is_a_table_and_sends_its_picture(desk: Desk):
    fill(desk)
    replies = desk.do(handle_line, "ledger")
    (table,) = (block for block in get_message(replies).blocks if block["type"] == "table")
    rows = [[cell["text"] for cell in row] for row in table["rows"]]
    assert rows[0][:7] == ["Rule", "Fired", "Acted on", "Dismissed", "Ignored", "Waiting", "Precision"]
    plain = [[cell.replace("\u202f", " ") for cell in row] for row in rows]
    drop = [
        "health fell",
        "12",
        "7",
        "3 (3 too sensitive)",
        "2",
        "0",
        "58 % of 12 (32–81 %)",
        "2 h of work (2 h), 10 of 12",
    ]
    assert plain[1] == drop
    assert plain[2] == ["silence", "1", "0", "0", "0", "1", "too few (0)", "–"]
    assert plain[3][:6] == ["all rules", "13", "7", "3 (3 too sensitive)", "2", "1"]
    (row,) = outbox(desk, PICTURE)
    assert row.channel == "U0000001"
    said = render_picture_of(row.reference, desk.tx, Reader())
    assert said is not None
    assert said.picture is not None
    check_blocks(list(said.blocks), "message")
    assert "health fell: 58" in said.picture.alt
    assert said.text == "What became of 13 alerts of the last 90 days"


def test_asked_twice_the_picture_is_sent_twice_but_one_request_sends_one(desk: Desk):
    fill(desk)
    desk.do(handle_line, "ledger")
    desk.do(handle_line, "ledger")
    assert len(outbox(desk, PICTURE)) == 1, "the same moment: the same request, repeated by Slack"
    desk.do(handle_line, "ledger", now=NOW + HOUR)
    assert len(outbox(desk, PICTURE)) == 2


@pytest.mark.parametrize(("text", "days"), [("ledger 7", 7), ("ledger 30 days", 30), ("ledger 365d", 365)])
def test_the_period_may_be_named(desk: Desk, text: str, days: int):
    assert f"of the last {days} days" in desk.say(handle_line, text).replace("\u202f", " ")


@pytest.mark.parametrize("text", ["ledger 0", "ledger 366", "ledger acme", "ledger -3", "ledger 1.5"])
def test_a_period_that_is_none_is_explained(desk: Desk, text: str):
    with pytest.raises(UserError, match="number of days"):
        desk.do(handle_line, text)


def test_without_alerts_it_says_so_and_sends_nothing(desk: Desk):
    assert "No alert was raised" in desk.say(handle_line, "ledger")
    assert outbox(desk, PICTURE) == []


def test_a_viewer_reads_the_table_and_gets_no_picture(desk: Desk):
    fill(desk)
    said = desk.say(handle_line, "ledger", person=desk.person(Role.VIEWER, "U0VIEWER"))
    assert "health fell" in said
    assert "picture" not in said
    assert outbox(desk, PICTURE) == []


def test_messages_per_person_and_day_are_told(desk: Desk):
    fill(desk)
    desk.do(handle_line, "ledger")
    for row in desk.tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == desk.tx.workspace_id)):
        row.state, row.created_at = "sent", NOW - HOUR
    desk.tx.session.flush()
    ledger = read_ledger(desk.tx, NOW - 2 * DAY, NOW)
    assert ledger.messages == Messages(to_people=1, people=1, most_to_one=1)
    assert "0.5 a day to 1 person, at most 1 in one day" in desk.say(handle_line, "ledger 2")


@pytest.mark.parametrize("names", [["health fell"], ["健康下降", "静默", "里程碑逾期"], ["a" * 60] * 14])
def test_the_picture_is_a_png_of_a_phones_width(names: list[str]):
    bars = tuple(Bar(name, "62 % of 34 (45–77 %)", (20, 3, 6, 5, 4)) for name in names)
    data = draw_sheet(Sheet("What became of 38 alerts", ("a", "b", "c", "d", "e"), bars))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height > 300) == (966, True)
    assert len(data) < 300_000


# ---------------------------------------------------------------- rules and proposals


def propose(desk: Desk, kind: AlertKind = DROP) -> RuleProposalRow:
    return apply_proposals(desk.tx, [Propose(kind, 8, 5, 0.3)], "U0000LEAD", JOB, NOW)[0]


def lead(desk: Desk) -> dict[str, object]:
    return {"person": desk.person(Role.LEAD, "U0000LEAD", "Lee")}


def test_every_rule_is_told_in_plain_words(desk: Desk):
    said = desk.say(handle_line, "rules")
    assert f"*{len(RULES)} rules*" in said
    for rule in RULES:
        assert f"`{rule.version}`" in said


def test_the_lead_raises_the_threshold_and_takes_it_back(desk: Desk):
    row = propose(desk)
    asked = render_proposal_of(row.id, desk.tx, Reader())
    assert asked is not None
    check_blocks(list(asked.blocks), "message")
    assert "5 of 8 alerts that people closed" in asked.text
    labels = [
        each["text"]["text"] for block in asked.blocks for each in block.get("elements", []) if "action_id" in each
    ]
    assert labels == ["Threshold +5 points", "Mute for 30 days", "Digests only", "Leave as it is"]
    said = shown(desk.press(choose, Ref("proposal", row.id, {"remedy": "raise"}), **lead(desk))[0])
    assert "decided" in said
    assert "threshold +5 points" in said
    listed = desk.say(handle_line, "rules", **lead(desk))
    assert "`drop-1+5`" in listed
    assert "threshold +5 points since 10 Mar 2026 by <@U0000LEAD>" in listed
    (held,) = read_tunings(desk.tx, NOW.date())[DROP].adjustments
    back = shown(desk.press(undo, Ref("adjustment", held.id), **lead(desk))[0])
    assert "`drop-1`" in back
    told = render_proposal_of(row.id, desk.tx, Reader())
    assert told is not None
    assert "It was taken back since." in told.text


def test_the_lead_mutes_or_leaves_it_to_digests_or_alone(desk: Desk):
    kinds = (AlertKind.HEALTH_RED, AlertKind.SILENCE, AlertKind.TARGET_BEHIND)
    rows = [propose(desk, kind) for kind in kinds]
    desk.press(choose, Ref("proposal", rows[0].id, {"remedy": "mute"}), **lead(desk))
    desk.press(choose, Ref("proposal", rows[1].id, {"remedy": "digest"}), **lead(desk))
    said = shown(desk.press(keep, Ref("proposal", rows[2].id), **lead(desk))[0])
    assert "left the rule as it is" in said
    assert [each.scope.kind for each in list_active(desk.tx, NOW)] == [AlertKind.HEALTH_RED]
    listed = desk.say(handle_line, "rules")
    assert "muted until 9 Apr 2026 since 10 Mar 2026" in listed
    assert "in digests only since 10 Mar 2026" in listed


def test_a_rule_without_a_threshold_offers_none_to_raise(desk: Desk):
    row = propose(desk, AlertKind.MILESTONE_DUE)
    asked = render_proposal_of(row.id, desk.tx, Reader())
    assert asked is not None
    actions = [each["action_id"] for block in asked.blocks for each in block.get("elements", []) if "action_id" in each]
    assert RAISE not in actions
    assert KEEP in actions


def test_a_decision_is_made_once_and_by_leads_alone(desk: Desk):
    row = propose(desk)
    ref = Ref("proposal", row.id, {"remedy": "raise"})
    csm = desk.person(Role.CSM, "U0CSM")
    for handle in (choose, keep, undo):
        with pytest.raises(NotAllowedError):
            desk.press(handle, ref, person=csm)
    with pytest.raises(StaleError, match="older version"):
        desk.press(choose, replace(ref, extra={"remedy": "burn"}), **lead(desk))
    desk.press(keep, ref, **lead(desk))
    with pytest.raises(StaleError, match="decided already"):
        desk.press(choose, ref, **lead(desk))
    listed = desk.do(handle_line, "rules", person=csm)
    assert isinstance(listed[0], Whisper)
    assert not any("accessory" in block for block in listed[0].message.blocks), "no Undo for who may not"
