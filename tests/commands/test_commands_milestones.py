"""`/cs milestone`, Done, the menu beside each milestone and its forms: what they store, refuse and take back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from commands.blocks.journeys import ADVANCE, DONE
from commands.slice import Ref, Replace, Surface, Whisper
from commands.success.journey_acts import UNDO, undo
from commands.success.journeys import journey
from commands.success.milestone_forms import ADD_FORM, DONE_FORM, EDIT_FORM, MOVE_FORM, SKIP_FORM
from commands.success.milestones import (
    choose_more,
    milestone,
    open_add,
    open_move,
    press_done,
    submit_add,
    submit_done,
    submit_edit,
    submit_move,
    submit_remove,
    submit_reopen,
    submit_skip,
)
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Lane, MilestoneState, Role
from storage.audit import AuditRow
from storage.errors import NotFoundError
from storage.success.journeys import MilestoneRow
from tests.commands.conftest import Desk, find_ref, get_form, initial_values

TODAY = date(2026, 3, 10)


@pytest.fixture
def walking(desk: Desk) -> Desk:
    """Acme is in the onboarding of the standard journey since yesterday."""
    desk.add_account("Acme Corp")
    desk.do(journey, "acme start standard at onboarding from 9 Mar")
    desk.now += timedelta(minutes=1)
    return desk


def get(desk: Desk, name: str) -> MilestoneRow:
    desk.tx.session.expire_all()
    rows = desk.tx.session.exec(select(MilestoneRow))
    return next(row for row in rows if name in (row.template_key, row.name))


def ref_of(desk: Desk, name: str, **extra: str) -> Ref:
    return Ref("milestone", get(desk, name).id, extra)


# ---------------------------------------------------------------- typed


@pytest.mark.parametrize(
    ("typed", "settled_on"),
    [
        ("acme done kick-off", TODAY),
        ("acme done Kick-off on 9 Mar", date(2026, 3, 9)),
        ("acme done kickoff yesterday", date(2026, 3, 9)),
        ("acme 完成 启动会", TODAY),
        ('acme finished "Kick-off"', TODAY),
    ],
)
def test_done_as_people_type_it(walking: Desk, typed: str, settled_on: date):
    text = walking.say(milestone, typed)
    row = get(walking, "kick-off")
    assert (row.state, row.settled_on, row.settled_by) == (MilestoneState.DONE, settled_on, walking.person().id)
    assert "Done: *Kick-off* of *Acme Corp*." in text
    assert "Next: Data and sign-in connected, due 23 Mar" in text


def test_a_move_says_why_and_takes_later_ones_along_where_asked(walking: Desk):
    before = {row.template_key: row.due_on for row in walking.tx.session.exec(select(MilestoneRow))}
    text = walking.say(milestone, "acme move go-live to 24 Apr because their IT has a freeze")
    row = get(walking, "go-live")
    assert (row.due_on, row.moved_count, row.planned_on) == (date(2026, 4, 24), 1, before["go-live"])
    assert "Moved *Go-live* of *Acme Corp* to 24 Apr 2026 (was 20 Apr 2026)." in text
    line = walking.tx.session.exec(select(AuditRow).where(AuditRow.verb == "milestone.moved")).one()
    assert line.after is not None
    assert line.after["reason"] == "their IT has a freeze"
    walking.now += timedelta(minutes=1)
    replies = walking.do(milestone, "acme move kick-off to 19 Mar and later ones 因为 客户改期")
    assert get(walking, "kick-off").due_on == date(2026, 3, 19)
    assert get(walking, "data-connected").due_on == before["data-connected"] + timedelta(days=7)
    assert get(walking, "go-live").due_on == date(2026, 5, 1)
    walking.press(undo, find_ref(replies, UNDO))
    assert get(walking, "data-connected").due_on == before["data-connected"]
    assert get(walking, "go-live").due_on == date(2026, 4, 24)


def test_a_weekend_becomes_the_monday_after(walking: Desk):
    walking.do(milestone, "acme move go-live to 25 Apr because so")
    assert get(walking, "go-live").due_on == date(2026, 4, 27)


def test_a_skip_needs_its_reason(walking: Desk):
    assert get_form(walking.do(milestone, "acme skip go-live")).form == SKIP_FORM
    assert get(walking, "go-live").state is MilestoneState.OPEN
    walking.do(milestone, "acme skip go-live because it is live already")
    row = get(walking, "go-live")
    assert (row.state, row.reason) == (MilestoneState.SKIPPED, "it is live already")
    assert "– *Go-live* · skipped 10 Mar · it is live already" in walking.say(journey, "acme")
    walking.do(milestone, "acme reopen go-live")
    row = get(walking, "go-live")
    assert (row.state, row.reason, row.settled_on) == (MilestoneState.OPEN, "", None)


def test_what_is_missing_opens_the_form_prefilled(walking: Desk):
    view = get_form(walking.do(milestone, "acme move go-live to 24 Apr"))
    assert (view.form, initial_values(view)["due_on"]) == (MOVE_FORM, "2026-04-24")
    assert initial_values(get_form(walking.do(milestone, "acme move go-live because x")))["reason"] == "x"
    assert get_form(walking.do(milestone, "acme add")).form == ADD_FORM
    assert initial_values(get_form(walking.do(milestone, "acme add Security review")))["name"] == "Security review"
    assert "Kick-off" in walking.say(milestone, "acme done")
    assert "Kick-off" in walking.say(milestone, "acme")


def test_one_more_is_added_in_the_present_stage(walking: Desk):
    replies = walking.do(milestone, "acme add Review on security by 30 Apr required customer <@U0000001>")
    row = get(walking, "Review on security")
    assert (row.stage_key, row.due_on, row.lane) == ("onboarding", date(2026, 4, 30), Lane.CUSTOMER)
    assert (row.is_required, row.owner_id, row.template_key) == (True, walking.person().id, "")
    assert "Review on security* · due 30 Apr · <@U0000001>" in walking.say(journey, "acme")
    walking.press(undo, find_ref(replies, UNDO))
    assert "Review on security" not in walking.say(journey, "acme")


@pytest.mark.parametrize(
    "typed",
    [
        "acme done nothing like it",
        "acme done kick-off on 31 feb",
        "acme done kick-off on 1 Jan 2027",
        "acme move go-live to whenever because so",
        "acme add Kick-off by 30 Apr",
        "acme add Review by 30 Apr quickly",
        "acme frobnicate kick-off",
    ],
)
def test_bad_input_is_refused_and_saves_nothing(walking: Desk, typed: str):
    before = [row.model_dump() for row in walking.tx.session.exec(select(MilestoneRow))]
    with pytest.raises(UserError):
        walking.do(milestone, typed)
    assert [row.model_dump() for row in walking.tx.session.exec(select(MilestoneRow))] == before


def test_an_unknown_name_offers_the_nearest(walking: Desk):
    with pytest.raises(UserError) as refused:
        walking.do(milestone, "acme done live going on 9 Mar")
    assert refused.value.values["milestone"] == "live going"
    assert '"Go-live"' in [value for value, _label in refused.value.nearest]


# ---------------------------------------------------------------- buttons


def test_done_under_a_journey_shows_it_anew_and_elsewhere_answers(walking: Desk):
    ref = find_ref(walking.do(journey, "acme"), DONE)
    (shown,) = walking.press(press_done, ref)
    assert isinstance(shown, Replace)
    assert "(1/6)" in str(shown.message.blocks)
    (again,) = walking.press(undo, find_ref([shown], UNDO))
    assert isinstance(again, Replace)
    assert "(0/6)" in str(again.message.blocks)
    assert find_ref([again], ADVANCE)
    (said,) = walking.press(press_done, ref_of(walking, "go-live"), surface=Surface.MESSAGE)
    assert isinstance(said, Whisper)


def test_a_second_person_is_told_who_was_first(walking: Desk):
    ref = ref_of(walking, "kick-off")
    walking.press(press_done, ref, person=walking.person(Role.LEAD, "U2", "Grace"))
    with pytest.raises(StaleError) as refused:
        walking.press(press_done, ref)
    assert (refused.value.values["who"], refused.value.values["day"]) == ("Grace", TODAY)
    assert get(walking, "kick-off").version == 2


def test_a_form_opened_before_somebody_else_moved_it_saves_nothing(walking: Desk):
    view = get_form(walking.press(open_move, ref_of(walking, "go-live")))
    grace = walking.person(Role.LEAD, "U2", "Grace")
    walking.do(milestone, "acme move kick-off to 19 Mar and later because so", person=grace)
    moved = get(walking, "go-live").due_on
    with pytest.raises(StaleError) as refused:
        walking.do(submit_move, ref=view.ref, values={"due_on": "2026-05-04", "reason": "so", "shift": "no"})
    assert refused.value.values["who"] == "Grace"
    assert get(walking, "go-live").due_on == moved


def test_undo_is_for_its_author_soon_and_once(walking: Desk):
    ref = find_ref(walking.do(milestone, "acme done kick-off"), UNDO)
    with pytest.raises(NotAllowedError):
        walking.press(undo, ref, person=walking.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        walking.press(undo, ref, now=walking.now + timedelta(minutes=11))
    walking.press(undo, ref)
    assert get(walking, "kick-off").state is MilestoneState.OPEN
    with pytest.raises(StaleError, match="already undone"):
        walking.press(undo, ref)
    walking.now += timedelta(minutes=1)
    ref = find_ref(walking.do(milestone, "acme done kick-off"), UNDO)
    walking.now += timedelta(minutes=1)
    walking.do(milestone, "acme reopen kick-off")
    with pytest.raises(StaleError, match="depends on it"):
        walking.press(undo, ref)


# ---------------------------------------------------------------- menu and forms


EDITED: dict[str, Any] = {
    "name": "Kick-off meeting",
    "stage_key": "onboarding",
    "lane": "customer",
    "is_required": "yes",
    "owner": "U0000002",
    "customer_owner": "Head of Sales",
}


@pytest.mark.parametrize(
    ("do", "form"), [("done", DONE_FORM), ("move", MOVE_FORM), ("skip", SKIP_FORM), ("edit", EDIT_FORM)]
)
def test_the_menu_opens_the_form_for_what_was_chosen(walking: Desk, do: str, form: str):
    ref = ref_of(walking, "kick-off", do=do)
    view = get_form(walking.press(choose_more, ref))
    assert (view.form, view.ref) == (form, Ref("milestone", ref.id, {"seen": "1"}))
    with pytest.raises(StaleError, match="older version"):
        walking.press(choose_more, ref_of(walking, "kick-off", do="fly"))


def test_the_forms_store_what_they_say(walking: Desk):
    walking.do(submit_done, ref=ref_of(walking, "kick-off", seen="1"), values={"done_on": "2026-03-09"})
    assert get(walking, "kick-off").settled_on == date(2026, 3, 9)
    walking.do(submit_reopen, ref=ref_of(walking, "kick-off", seen="2"), values={})
    assert get(walking, "kick-off").state is MilestoneState.OPEN
    values = {"due_on": "2026-03-25", "reason": "so", "shift": "yes"}
    walking.do(submit_move, ref=ref_of(walking, "kick-off", seen="3"), values=values)
    assert get(walking, "kick-off").due_on == date(2026, 3, 25)
    assert get(walking, "go-live").moved_count == 1
    with pytest.raises(UserError) as refused:
        walking.do(submit_skip, ref=ref_of(walking, "go-live"), values={"reason": None})
    assert refused.value.field == "reason"
    walking.do(submit_skip, ref=ref_of(walking, "go-live"), values={"reason": "live"})
    assert get(walking, "go-live").state is MilestoneState.SKIPPED


def test_edit_changes_names_and_owners_on_both_sides(walking: Desk):
    ref = ref_of(walking, "kick-off", seen="1")
    walking.do(submit_edit, ref=ref, values=EDITED)
    row = get(walking, "kick-off")
    assert (row.name, row.lane, row.customer_owner) == ("Kick-off meeting", Lane.CUSTOMER, "Head of Sales")
    assert "<@U0000002> · them: Head of Sales" in walking.say(journey, "acme")
    assert "Nothing was changed" in walking.say(submit_edit, ref=ref_of(walking, "kick-off"), values=EDITED)
    for field, wrong in (("name", ""), ("is_required", "no"), ("stage_key", "purchase"), ("lane", "")):
        with pytest.raises(UserError) as refused:
            walking.do(submit_edit, ref=ref_of(walking, "kick-off"), values=EDITED | {field: wrong})
        assert refused.value.field == field


def test_the_add_form_stores_one_more_and_an_optional_one_may_go_again(walking: Desk):
    account_id = get(walking, "kick-off").account_id
    view = get_form(walking.press(open_add, Ref("account", account_id, {"stage": "adoption"})))
    assert initial_values(view)["stage_key"] == "adoption"
    values = EDITED | {"name": "Data check", "due_on": "2026-06-01", "is_required": "no", "stage_key": "adoption"}
    walking.do(submit_add, ref=view.ref, values=values)
    row = get(walking, "Data check")
    assert (row.stage_key, row.due_on, row.is_required) == ("adoption", date(2026, 6, 1), False)
    walking.do(submit_remove, ref=ref_of(walking, "Data check", seen="1"), values={})
    assert get(walking, "Data check").removed_at == walking.now
    with pytest.raises(UserError, match="Skip it"):
        walking.do(submit_remove, ref=ref_of(walking, "kick-off"), values={})
    with pytest.raises(StaleError, match="was removed"):
        walking.press(press_done, ref_of(walking, "Data check"))


# ---------------------------------------------------------------- rights, names


def test_viewers_and_others_change_nothing(walking: Desk):
    viewer = walking.person(Role.VIEWER, "U2")
    for typed in ("acme done kick-off", "acme add Review by 30 Apr", "acme skip go-live because no"):
        with pytest.raises(NotAllowedError):
            walking.do(milestone, typed, person=viewer)
    for handle in (press_done, open_move, submit_move, submit_skip):
        with pytest.raises(NotAllowedError):
            walking.press(handle, ref_of(walking, "kick-off"), person=viewer)
        with pytest.raises(NotFoundError):
            walking.press(handle, Ref("milestone", "0" * 32))


def test_a_name_that_mentions_everybody_is_escaped(walking: Desk):
    text = walking.say(milestone, "acme add <!channel> by 30 Apr") + walking.say(journey, "acme")
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text


def test_nothing_typed_shows_where_ones_own_accounts_stand(walking: Desk):
    assert "No account of yours is on a journey" in walking.say(milestone)
