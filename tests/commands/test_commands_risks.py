"""Risks: written down, given a plan and an owner, closed with an outcome, opened again; each taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from commands.slice import OpenForm, Ref
from commands.success import risk_lists, risks
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role
from rules.success.risks import RiskOutcome
from storage.success.risks import RiskRow, count_open_risks
from tests.commands.conftest import Desk, find_ref, get_form, initial_values


def only(desk: Desk) -> RiskRow:
    return desk.tx.session.exec(select(RiskRow)).one()


def ref_of(row: RiskRow, **extra: str) -> Ref:
    return Ref("risk", row.id, extra)


@pytest.fixture
def risky(desk: Desk) -> Desk:
    """Acme with one risk of Ada's."""
    desk.add_account()
    desk.do(risks.add, "acme corp the sponsor may leave")
    desk.now += timedelta(minutes=1)
    return desk


def test_typed_it_is_mine_and_without_a_plan(risky: Desk):
    row = only(risky)
    assert (row.text, row.plan, row.owner_id) == ("the sponsor may leave", "", risky.person().id)
    assert row.opened_on == risky.now.date()
    assert count_open_risks(risky.tx, [row.account_id]) == {row.account_id: 1}


def test_what_is_missing_is_asked_for_in_a_form(desk: Desk):
    account = desk.add_account("北京科技")
    assert isinstance(desk.do(risks.add)[0], OpenForm)
    view = get_form(desk.do(risks.add, "北京科技"))
    said = desk.say(risks.submit_risk, ref=view.ref, values={"risk": "预算<缩减>", "plan": "见CFO"})
    assert "*北京科技* · 预算&lt;缩减&gt; · nobody" in said
    assert "Plan: 见CFO" in said
    assert only(desk).account_id == account.id


@pytest.mark.parametrize(
    ("values", "field"),
    [({"risk": ""}, "risk"), ({"risk": "x" * 501}, "risk"), ({"risk": "x", "plan": "y" * 1001}, "plan")],
)
def test_a_form_error_names_its_field(desk: Desk, values: dict[str, str], field: str):
    with pytest.raises(UserError) as refused:
        desk.do(risks.submit_risk, ref=Ref("account", desk.add_account().id), values=values)
    assert refused.value.field == field


def test_plan_and_owner_are_edited_and_taken_back(risky: Desk):
    view = get_form(risky.press(risks.open_edit, ref_of(only(risky), do="edit")))
    assert initial_values(view)["risk"] == "the sponsor may leave"
    values = {"risk": "the sponsor may leave", "plan": "meet the CFO", "owner": "U0000001"}
    replies = risky.do(risks.submit_edit, ref=view.ref, values=values)
    assert only(risky).plan == "meet the CFO"
    with pytest.raises(StaleError):
        risky.do(risks.submit_edit, ref=view.ref, values=values | {"plan": "older form"})
    risky.press(risks.undo, find_ref(replies, risks.UNDO))
    assert only(risky).plan == ""


def test_closed_with_an_outcome_told_who_was_first_and_opened_again(risky: Desk):
    view = get_form(risky.press(risks.open_close, ref_of(only(risky))))
    with pytest.raises(UserError) as refused:
        risky.do(risks.submit_close, ref=view.ref, values={"outcome": ""})
    assert refused.value.field == "outcome"
    risky.do(risks.submit_close, ref=view.ref, values={"outcome": "averted", "note": "she stays"})
    row = only(risky)
    assert (row.outcome, row.outcome_note, row.closed_on) == (RiskOutcome.AVERTED, "she stays", risky.now.date())
    bo = risky.person(Role.LEAD, "U00000BO1", "Bo")
    with pytest.raises(StaleError) as stale:
        risky.press(risks.open_close, ref_of(row), person=bo)
    assert stale.value.values["who"] == "Ada"
    assert "averted 10 Mar 2026" in risky.say(risk_lists.show_list, "closed")
    risky.press(risks.reopen, ref_of(row), person=bo)
    assert (only(risky).closed_on, only(risky).outcome, only(risky).outcome_note) == (None, None, "")
    with pytest.raises(StaleError, match="open already"):
        risky.press(risks.reopen, ref_of(row), person=bo)


def test_closing_is_undone_with_all_it_said(risky: Desk):
    replies = risky.do(risks.submit_close, ref=ref_of(only(risky)), values={"outcome": "happened"})
    risky.press(risks.undo, find_ref(replies, risks.UNDO))
    assert (only(risky).closed_on, only(risky).closed_by, only(risky).outcome) == (None, None, None)


def test_adding_is_undone(desk: Desk):
    desk.add_account()
    undo = find_ref(desk.do(risks.add, "acme corp late payer"), risks.UNDO)
    desk.press(risks.undo, undo)
    assert only(desk).removed_at is not None
    with pytest.raises(StaleError, match="taken back"):
        desk.press(risks.open_close, ref_of(only(desk)))


def test_others_may_not_close_it(desk: Desk):
    ada, bo = desk.person(), desk.person(slack_id="U00000BO1", name="Bo")
    desk.add_account(owner_id=ada.id)
    desk.do(risks.add, "acme corp late payer", person=ada)
    with pytest.raises(NotAllowedError):
        desk.press(risks.open_close, ref_of(only(desk)), person=bo)
    with pytest.raises(NotAllowedError):
        desk.do(risks.submit_close, ref=ref_of(only(desk)), values={"outcome": "moot"}, person=bo)


def test_empty_lists_say_what_to_do(desk: Desk):
    assert "/cs risk acme" in desk.say(risk_lists.show_list)
    assert "how they ended" in desk.say(risk_lists.show_list, "closed")


def test_lists_of_an_account_and_pages(desk: Desk):
    desk.add_account(), desk.add_account("Globex")
    for number in range(risk_lists.LENGTH + 1):
        desk.do(risks.add, f"acme corp risk{number}")
        desk.now += timedelta(seconds=1)
    assert "*Globex: 0 open risks*" in desk.say(risk_lists.show_list, "globex")
    first = desk.do(risk_lists.show_list, "acme corp")
    second = desk.say(risk_lists.turn_page, ref=find_ref(first, risk_lists.NEXT))
    assert "risk8" in second
    assert "risk7" not in second
