"""The morning's message about check-ins: how it looks, skipping, putting off, who was first, undo."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from commands.blocks.checkins import MORE, OPEN_CHECKIN
from commands.slice import Message, Ref
from commands.success import checkin_offers, checkins
from playground.blockkit.check import check_blocks
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import OfferState, Role, Tier
from rules.success.checkins import TellMember, decide_supersede
from storage.delivery.outbox import OutboxRow
from storage.success.checkin_writes import apply_checkins, to_offer
from storage.success.checkins import CheckinOfferRow, CheckinRow, list_open_offers, to_batch
from tests.commands.conftest import ACTOR, Desk, find_ref, get_form, initial_values
from words.reader import Reader

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)


@pytest.fixture
def morning(desk: Desk) -> Desk:
    """Ada is offered Acme and 北京科技, and the message went out."""
    ada = desk.person()
    ids = [desk.add_account(name, owner_id=ada.id, tier=Tier.A).id for name in ("Acme <Corp>", "北京科技")]
    told = TellMember(ada.id, "U0000001", TODAY, tuple((id_, TODAY - DAY) for id_ in ids))
    apply_checkins(desk.tx, [told], ACTOR, desk.now)
    for row in desk.tx.session.exec(select(OutboxRow)):
        row.state, row.slack_ts, row.posted_channel = "sent", "1.1", "D1"
    desk.tx.session.flush()
    return desk


def offers(desk: Desk) -> list[CheckinOfferRow]:
    return [offer for offer, _account in list_open_offers(desk.tx, None)]


def drawn(desk: Desk, day: date = TODAY) -> Message:
    found = checkin_offers.render_batch_of(to_batch(desk.person().id, day), desk.tx, Reader())
    assert found is not None
    check_blocks(list(found.blocks), "message")
    return found


def ref_of(offer: CheckinOfferRow, **extra: str) -> Ref:
    return Ref("offer", offer.id, extra)


def actions_of(said: Message) -> list[str]:
    return [each["action_id"] for block in said.blocks for each in block.get("elements", []) if "action_id" in each]


def test_one_message_names_all_with_a_button_each(morning: Desk):
    said = drawn(morning)
    assert said.text == "2 check-ins due: Acme &lt;Corp&gt;, 北京科技"
    assert actions_of(said) == [OPEN_CHECKIN, MORE, OPEN_CHECKIN, MORE]
    assert "🟡 *Acme &lt;Corp&gt;* · tier A · no check-in yet" in str(said.blocks)


def test_after_the_first_one_a_line_says_since_when_the_next_is_due(morning: Desk):
    acme = next(offer for offer, account in list_open_offers(morning.tx, None) if account.tier is not None)
    last = {"account_id": acme.account_id, "happened_on": TODAY - 15 * DAY, "pulse": 3, "created_at": morning.now}
    morning.tx.session.add(CheckinRow(workspace_id=morning.tx.workspace_id, **last))
    morning.tx.session.flush()
    words = "🟡 *Acme &lt;Corp&gt;* · tier A · due 9 Mar 2026 · pulse 3 of 5 on 23 Feb 2026"
    assert words in str(drawn(morning).blocks)


def test_nothing_is_drawn_for_a_message_of_nobody(desk: Desk):
    assert checkin_offers.render_batch_of("", desk.tx, Reader()) is None
    assert checkin_offers.render_batch_of("m:2026-03-10", desk.tx, Reader()) is None


def test_a_done_one_updates_the_message_in_place(morning: Desk):
    acme = offers(morning)[0]
    morning.do(checkins.submit_checkin, ref=Ref("account", acme.account_id), values={"pulse": "4"})
    said = drawn(morning)
    assert said.text == "1 check-in due: 北京科技"
    assert "✅ *Acme &lt;Corp&gt;*: checked in by <@U0000001>" in str(said.blocks)
    (update,) = [row for row in morning.tx.session.exec(select(OutboxRow)) if row.is_update]
    assert (update.kind, update.reference) == ("checkin_offers", to_batch(morning.person().id, TODAY))


def test_skipping_asks_why_and_is_undone(morning: Desk):
    acme = offers(morning)[0]
    view = get_form(morning.press(checkin_offers.choose_more, ref_of(acme, do="skip")))
    with pytest.raises(UserError) as refused:
        morning.do(checkin_offers.submit_skip, ref=view.ref, values={"reason": ""})
    assert refused.value.field == "reason"
    replies = morning.do(checkin_offers.submit_skip, ref=view.ref, values={"reason": "on <leave>"})
    assert (acme.state, acme.reason, acme.settled_by) == (OfferState.SKIPPED, "on <leave>", morning.person().id)
    assert "skipped by <@U0000001>, “on &lt;leave&gt;”" in str(drawn(morning).blocks)
    morning.press(checkin_offers.undo_offer, find_ref(replies, checkin_offers.UNDO_OFFER))
    assert (acme.state, acme.reason, acme.settled_on) == (OfferState.OFFERED, "", None)
    assert len(actions_of(drawn(morning))) == 4
    with pytest.raises(StaleError, match="already undone"):
        morning.press(checkin_offers.undo_offer, find_ref(replies, checkin_offers.UNDO_OFFER))


def test_putting_off_names_the_day(morning: Desk):
    acme = offers(morning)[0]
    view = get_form(morning.press(checkin_offers.choose_more, ref_of(acme, do="later")))
    assert initial_values(view) == {"until": "2026-03-17"}
    with pytest.raises(UserError) as refused:
        morning.do(checkin_offers.submit_later, ref=view.ref, values={"until": "2026-03-10"})
    assert refused.value.field == "until"
    said = morning.say(checkin_offers.submit_later, ref=view.ref, values={"until": "2026-03-20"})
    assert "comes back on 20 Mar 2026" in said
    assert (acme.state, acme.resumes_on) == (OfferState.SKIPPED, date(2026, 3, 20))
    assert "put off until 20 Mar 2026" in str(drawn(morning).blocks)


def test_undo_ends_after_ten_minutes(morning: Desk):
    acme = offers(morning)[0]
    replies = morning.do(checkin_offers.submit_skip, ref=ref_of(acme), values={"reason": "on leave"})
    undo = find_ref(replies, checkin_offers.UNDO_OFFER)
    with pytest.raises(StaleError, match="minutes only"):
        morning.press(checkin_offers.undo_offer, undo, now=morning.now + timedelta(minutes=11))


def test_a_second_person_is_told_who_was_first(morning: Desk):
    acme = offers(morning)[0]
    lee = morning.person(Role.LEAD, "U0000LEE1", "Lee")
    morning.do(checkin_offers.submit_skip, ref=ref_of(acme), values={"reason": "on leave"}, person=lee)
    with pytest.raises(StaleError) as refused:
        morning.press(checkin_offers.choose_more, ref_of(acme, do="later"))
    assert refused.value.values["who"] == "Lee"
    morning.do(checkins.submit_checkin, ref=Ref("account", acme.account_id), values={"pulse": "4"})
    assert acme.checkin_id is None


def test_a_withdrawn_one_is_said_to_be_so(morning: Desk):
    acme = offers(morning)[0]
    apply_checkins(morning.tx, [decide_supersede(to_offer(acme), TODAY)], ACTOR, morning.now)
    assert "no longer yours" in str(drawn(morning).blocks)
    with pytest.raises(StaleError, match="no longer due"):
        morning.do(checkin_offers.submit_skip, ref=ref_of(acme), values={"reason": "x"})


def test_when_all_are_dealt_with_the_message_says_so(morning: Desk):
    for offer in offers(morning):
        morning.do(checkin_offers.submit_skip, ref=ref_of(offer), values={"reason": "on leave"})
    assert drawn(morning).text == "All 2 check-ins are dealt with"
    assert actions_of(drawn(morning)) == []


def test_a_reminder_says_since_when_in_the_new_message_only(morning: Desk):
    ada, acme = morning.person(), offers(morning)[0]
    told = TellMember(ada.id, "U0000001", TODAY + 2 * DAY, (), (acme.id,))
    apply_checkins(morning.tx, [told], ACTOR, morning.now + 2 * DAY)
    assert "Still open since 10 Mar 2026" in str(drawn(morning, TODAY + 2 * DAY).blocks)
    assert "Still open" not in str(drawn(morning).blocks)
    assert drawn(morning, TODAY + 2 * DAY).text == "1 check-in due: Acme &lt;Corp&gt;"


def test_nobody_else_may_skip_it(morning: Desk):
    bo = morning.person(slack_id="U00000BO1", name="Bo")
    with pytest.raises(NotAllowedError):
        morning.press(checkin_offers.choose_more, ref_of(offers(morning)[0], do="skip"), person=bo)
    with pytest.raises(NotAllowedError):
        morning.do(checkin_offers.submit_skip, ref=ref_of(offers(morning)[0]), values={"reason": "x"}, person=bo)


def test_many_offers_fit_into_one_message(desk: Desk):
    ada = desk.person()
    ids = [desk.add_account(f"Account {number:02}" + "x" * 90, owner_id=ada.id).id for number in range(30)]
    apply_checkins(
        desk.tx, [TellMember(ada.id, "U0000001", TODAY, tuple((id_, TODAY) for id_ in ids))], ACTOR, desk.now
    )
    said = drawn(desk)
    assert len(said.blocks) <= 50
    assert "and 15 more" in str(said.blocks)
