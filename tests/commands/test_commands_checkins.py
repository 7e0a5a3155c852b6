"""Check-ins: the form and all it stores in one go, its errors, the summary, undo of the whole, the list of due ones."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from bot.slack.errors import explain
from bot.slack.payloads import Origin, Payload
from commands.blocks.checkins import OPEN_CHECKIN
from commands.slice import FormErrors, Ref
from commands.success import checkin_lists, checkins, risks, tasks
from commands.success.checkin_card import checkin_blocks
from commands.success.checkin_forms import CHECKIN_FORM, VALUES_SHOWN
from commands.success.measurements import log
from commands.success.targets import target
from rules.accounts.contacts import AddContact, ContactDraft
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import OfferState, Role, Tier
from rules.success.checkins import TellMember
from storage.accounts.accounts import AccountRow
from storage.accounts.contacts import apply_contacts
from storage.audit import AuditRow
from storage.delivery.outbox import OutboxRow
from storage.people.workspaces import get_workspace
from storage.success.checkin_writes import apply_checkins
from storage.success.checkins import CheckinOfferRow, CheckinRow, latest_pulses, list_open_offers
from storage.success.risks import RiskRow
from storage.success.targets import MeasurementRow
from storage.success.tasks import TaskRow
from tests.channel_rows import know_channels
from tests.commands.conftest import ACTOR, Desk, find_ref, get_form, get_message, initial_values
from words.reader import Reader

TODAY = date(2026, 3, 10)
WHOLE = {
    "pulse": "4",
    "value.conversion": "7.5%",
    "changed": "New head of sales",
    "risk": "Budget freeze",
    "plan": "Meet the CFO",
    "step": "Send the numbers",
    "owner": "U0000001",
    "due_on": "2026-03-20",
    "happened_on": "2026-03-09",
}
TABLES: tuple[type[SQLModel], ...] = (CheckinRow, MeasurementRow, RiskRow, TaskRow, AuditRow, OutboxRow)


@pytest.fixture
def acme(desk: Desk) -> Desk:
    """Ada's Acme with a channel, and a conversion target with a first value."""
    desk.add_account("Acme Corp", owner_id=desk.person().id, tier=Tier.A, channel_id="C0ACME00001")
    know_channels(desk.tx, "C0ACME00001")
    desk.do(target, "acme conversion from 5% to 10% by 31 Dec")
    desk.do(log, "acme conversion 6.1% on 2 mar")
    desk.now += timedelta(minutes=1)
    return desk


def account_of(desk: Desk) -> AccountRow:
    return desk.tx.session.exec(select(AccountRow)).one()


def submit(desk: Desk, values: dict[str, Any], **more: Any) -> Any:
    return desk.do(checkins.submit_checkin, ref=Ref("account", account_of(desk).id), values=values, **more)


def counts(desk: Desk) -> list[int]:
    return [len(desk.tx.session.exec(select(table)).all()) for table in TABLES]


def offer(desk: Desk, member_id: str = "", due_on: date = TODAY) -> CheckinOfferRow:
    """An offer of Acme to Ada, or to another member."""
    told = TellMember(member_id or desk.person().id, "U0000001", TODAY, ((account_of(desk).id, due_on),))
    apply_checkins(desk.tx, [told], ACTOR, desk.now)
    return desk.tx.session.exec(select(CheckinOfferRow)).one()


# ---------------------------------------------------------------- the form


def test_the_form_shows_what_was_known_last_and_fills_nothing_in(acme: Desk):
    view = get_form(acme.do(checkins.checkin, "acme"))
    (field,) = [block for block in view.blocks if block.get("block_id") == "value.conversion"]
    assert field["element"]["placeholder"]["text"].replace("\u202f", " ") == "last: 6.1 % on 2 Mar 2026"
    assert field["hint"]["text"].replace("\u202f", " ") == "10 % by 31 Dec 2026"
    shown = {name: value for name, value in initial_values(view).items() if value}
    assert shown == {"owner": "U0000001", "happened_on": "2026-03-10"}
    required = [block["block_id"] for block in view.blocks if block["type"] == "input" and not block.get("optional")]
    assert required == ["pulse", "happened_on"]


def test_the_form_asks_for_eight_values_at_most_and_for_active_targets_only(acme: Desk):
    for number in range(VALUES_SHOWN + 2):
        acme.do(target, f"acme metric{number} from 0 to 10 by 31 dec")
    view = get_form(acme.do(checkins.checkin, "acme"))
    names = [block["block_id"] for block in view.blocks if str(block.get("block_id")).startswith("value.")]
    assert len(names) == VALUES_SHOWN
    assert any("and 3 more" in str(block) for block in view.blocks)


def test_everything_is_stored_together(acme: Desk):
    acme.do(checkins.open_checkin, ref=Ref("account", account_of(acme).id))
    offered = offer(acme)
    text = get_message(submit(acme, WHOLE)).text
    row = acme.tx.session.exec(select(CheckinRow)).one()
    ada = acme.person().id
    assert (row.pulse, row.happened_on, row.changed, row.author_id) == (4, date(2026, 3, 9), "New head of sales", ada)
    value = acme.tx.session.exec(select(MeasurementRow).where(MeasurementRow.id == row.measurement_ids[0])).one()
    assert (value.value, value.measured_on, value.source) == (Decimal("7.5"), date(2026, 3, 9), "checkin")
    risk, step = acme.tx.session.exec(select(RiskRow)).one(), acme.tx.session.exec(select(TaskRow)).one()
    assert (risk.text, risk.plan, risk.owner_id, risk.checkin_id) == ("Budget freeze", "Meet the CFO", ada, row.id)
    assert (step.text, step.owner_id, step.due_on) == ("Send the numbers", ada, date(2026, 3, 20))
    assert (step.source_kind, step.source_id) == ("checkin", row.id)
    assert (offered.state, offered.checkin_id, offered.settled_by) == (OfferState.DONE, row.id, ada)
    assert list_open_offers(acme.tx, ada) == []
    assert text == "*Acme Corp*: check-in by <@U0000001>, 9 Mar 2026 · pulse 4 of 5"
    assert latest_pulses(acme.tx, [row.account_id]) == {row.account_id: (4, date(2026, 3, 9))}


def test_only_the_pulse_is_needed(acme: Desk):
    before = counts(acme)
    submit(acme, {"pulse": "2", "owner": "U0000001", "value.conversion": "", "happened_on": "2026-03-10"})
    after = counts(acme)
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"pulse": ""}, "pulse"),
        ({"pulse": "9"}, "pulse"),
        ({"value.conversion": "seven"}, "value.conversion"),
        ({"value.conversion": "€7"}, "value.conversion"),
        ({"value.gone": "7"}, "value.gone"),
        ({"happened_on": "2026-03-11"}, "happened_on"),
        ({"risk": ""}, "risk"),
        ({"step": ""}, "step"),
        ({"due_on": "2026-03-01"}, "due_on"),
        ({"contact": "nobody"}, "contact"),
        ({"changed": "x" * 2001}, "changed"),
    ],
)
def test_an_error_stands_under_its_field_and_nothing_is_half_written(acme: Desk, wrong: dict[str, str], field: str):
    before = counts(acme)
    with pytest.raises(UserError) as refused:
        submit(acme, WHOLE | wrong)
    assert refused.value.field == field
    assert counts(acme) == before


def test_the_edge_keeps_the_form_open_with_what_was_typed(acme: Desk):
    view = get_form(acme.do(checkins.checkin, "acme"))
    payload = Payload(Origin.SUBMISSION, CHECKIN_FORM, "U0000001", "", view={"blocks": list(view.blocks)})
    with pytest.raises(UserError) as refused:
        submit(acme, WHOLE | {"value.conversion": "<seven>"})
    (reply,) = explain(refused.value, payload, Reader())
    assert isinstance(reply, FormErrors)
    assert list(reply.errors) == ["value.conversion"]


def test_a_summary_goes_to_the_accounts_channel(acme: Desk):
    submit(acme, WHOLE)
    (post,) = acme.tx.session.exec(select(OutboxRow).where(OutboxRow.kind == "checkin"))
    assert post.channel == "C0ACME00001"
    drawn = checkins.render_summary_of(post.reference, acme.tx, Reader())
    assert drawn is not None
    text = drawn.blocks[0]["text"]["text"].replace("\u202f", " ")
    assert text.splitlines() == [
        "*Acme Corp*: check-in by <@U0000001>, 9 Mar 2026 · pulse 4 of 5",
        "conversion 7.5 %",
        "New head of sales",
        "Risk: Budget freeze · Meet the CFO",
        "Next: Send the numbers · <@U0000001> · by 20 Mar 2026",
    ]


def test_without_a_channel_only_the_person_sees_it(desk: Desk):
    desk.add_account()
    replies = submit(desk, {"pulse": "3"})
    assert find_ref(replies, checkins.UNDO)
    assert desk.tx.session.exec(select(OutboxRow)).all() == []


def test_money_is_hidden_in_channels_where_the_workspace_wants_so(desk: Desk):
    desk.add_account(channel_id="C0ACME00001")
    desk.do(target, "acme corp revenue to €20m in total by end of year")
    get_workspace(desk.tx).is_hiding_amounts = True
    said = get_message(submit(desk, {"pulse": "3", "value.revenue": "€2m"}))
    row = desk.tx.session.exec(select(CheckinRow)).one()
    drawn = checkins.render_summary_of(row.id, desk.tx, Reader())
    assert "€" in str(said.blocks)
    assert drawn is not None
    assert "revenue logged" in str(drawn.blocks)
    assert "€" not in str(drawn.blocks)


def test_chinese_words_and_signs_come_through(desk: Desk):
    account = desk.add_account("北京科技")
    contact = AddContact(account.id, ContactDraft("王伟"))
    (known,) = apply_contacts(desk.tx, [contact], ACTOR, desk.now)
    view = get_form(desk.do(checkins.checkin, "北京科技"))
    assert "王伟" in str(view.blocks)
    said = desk.say(
        checkins.submit_checkin, ref=view.ref, values={"pulse": "5", "changed": "上线<新>页面", "contact": known.id}
    )
    assert "上线&lt;新&gt;页面" in said
    assert "Spoken with 王伟" in said


# ---------------------------------------------------------------- undo and rights


def test_undo_takes_everything_back_together(acme: Desk):
    offered = offer(acme)
    undo = find_ref(submit(acme, WHOLE), checkins.UNDO)
    acme.press(checkins.undo, undo, now=acme.now + timedelta(minutes=9))
    row = acme.tx.session.exec(select(CheckinRow)).one()
    gone = [
        row.removed_at,
        acme.tx.session.exec(select(RiskRow)).one().removed_at,
        acme.tx.session.exec(select(TaskRow)).one().removed_at,
        *(each.removed_at for each in acme.tx.session.exec(select(MeasurementRow)) if each.id in row.measurement_ids),
    ]
    assert len(gone) == 4
    assert all(gone)
    assert (offered.state, offered.settled_by, offered.checkin_id) == (OfferState.OFFERED, None, None)
    assert latest_pulses(acme.tx, [row.account_id]) == {}
    drawn = checkins.render_summary_of(row.id, acme.tx, Reader())
    assert drawn is not None
    assert "taken back" in drawn.text
    with pytest.raises(StaleError, match="already undone"):
        acme.press(checkins.undo, undo)


def test_undo_ends_after_ten_minutes_and_when_something_rests_on_it(acme: Desk):
    undo = find_ref(submit(acme, WHOLE), checkins.UNDO)
    with pytest.raises(StaleError, match="minutes only"):
        acme.press(checkins.undo, undo, now=acme.now + timedelta(minutes=11))
    step = acme.tx.session.exec(select(TaskRow)).one()
    acme.press(tasks.finish, Ref("task", step.id))
    with pytest.raises(StaleError, match="depends on it"):
        acme.press(checkins.undo, undo)


def test_only_the_owner_a_lead_or_who_is_asked_checks_in(acme: Desk):
    bo = acme.person(slack_id="U00000BO1", name="Bo")
    with pytest.raises(NotAllowedError):
        acme.do(checkins.checkin, "acme", person=bo)
    with pytest.raises(NotAllowedError):
        submit(acme, WHOLE, person=bo)
    offer(acme, bo.id)
    submit(acme, WHOLE, person=bo)
    assert acme.tx.session.exec(select(CheckinRow)).one().author_id == bo.id
    with pytest.raises(NotAllowedError):
        acme.do(checkins.checkin, "acme", person=acme.person(Role.VIEWER, "U0VIEWER1", "Vera"))


# ---------------------------------------------------------------- lists and the card


def test_what_is_due_is_listed_before_it_is_offered(acme: Desk):
    account_of(acme).started_on = TODAY - timedelta(days=200)
    replies = acme.do(checkins.checkin)
    assert "1 check-in of yours is due" in get_message(replies).text
    assert find_ref(replies, OPEN_CHECKIN).id == account_of(acme).id
    offer(acme)
    assert "Skip this one" in acme.say(checkin_lists.show_list)
    submit(acme, {"pulse": "4"})
    assert "0 check-ins of yours are due" in acme.say(checkin_lists.show_list)


def test_lists_of_all_and_of_a_person_and_their_empty_states(acme: Desk):
    account_of(acme).started_on = TODAY - timedelta(days=200)
    bo = acme.person(slack_id="U00000BO1", name="Bo")
    assert "Check-ins come due by tier" in acme.say(checkin_lists.show_list, person=bo)
    assert "1 check-in is due" in acme.say(checkin_lists.show_list, "all", person=bo)
    assert "Ada: 1 check-in is due" in acme.say(checkin_lists.show_list, "<@U0000001>", person=bo)
    assert "somebody: 0" in acme.say(checkin_lists.show_list, "<@U0STRANGE1>", person=bo)
    with pytest.raises(UserError):
        acme.do(checkin_lists.show_list, "everything")


def test_long_lists_are_paged(desk: Desk):
    ada = desk.person().id
    for number in range(checkin_lists.LENGTH + 2):
        row = desk.add_account(f"Account {number:02}", owner_id=ada, tier=Tier.B)
        row.started_on = date(2025, 1, 1) + timedelta(days=number)
        row.created_at = desk.now - timedelta(days=500)
    first = desk.do(checkin_lists.show_list)
    second = desk.do(checkin_lists.turn_page, ref=find_ref(first, checkin_lists.NEXT))
    assert "Account 09" in str(second)
    assert "Account 07" not in str(second)
    assert find_ref(second, checkin_lists.BACK).extra["page"] == "1"


def test_the_card_tells_pulse_touch_steps_and_risks(acme: Desk):
    account = account_of(acme)
    assert checkin_blocks(Reader(), acme.tx, account, TODAY) == []
    submit(acme, WHOLE)
    for number in range(3):
        acme.do(tasks.add, f"acme step{number}")
    acme.do(risks.add, "acme late payer")
    (block,) = checkin_blocks(Reader(), acme.tx, account, TODAY)
    text = block["text"]["text"]
    assert text.startswith("pulse 4 of 5 on 9 Mar 2026 · last touch 9 Mar 2026\nNext: Send the numbers")
    assert "and 1 more next step" in text
    assert "Risk: late payer" in text
