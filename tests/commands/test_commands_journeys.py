"""`/cs journey`, `/cs journeys`: journeys started, shown, advanced, taken back, closed, listed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from commands.blocks.journeys import ADVANCE, ALL_STAGES, DONE, START
from commands.slice import Ref, UpdateForm
from commands.success.journey_acts import UNDO, undo
from commands.success.journey_card import journey_blocks
from commands.success.journey_forms import ADVANCE_FORM, BACK_FORM, CLOSE_FORM, PLAN_FORM, START_FORM
from commands.success.journey_list import NEXT, PAGE_LENGTH
from commands.success.journeys import (
    choose_more,
    journey,
    list_,
    open_advance,
    open_start,
    show_pressed,
    show_stage,
    show_stages,
    submit_advance,
    submit_back,
    submit_close,
    submit_plan,
    submit_start,
    turn_page,
)
from commands.success.milestones import press_done
from rules.calendar import is_working_day
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import MilestoneState, Role
from storage.accounts.accounts import get_account
from storage.audit import AuditRow
from storage.errors import NotFoundError
from storage.people.workspaces import get_workspace
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values
from words.reader import Reader

TODAY = date(2026, 3, 10)


@pytest.fixture
def acme(desk: Desk) -> Desk:
    desk.add_account("Acme Corp")
    return desk


@pytest.fixture
def walking(acme: Desk) -> Desk:
    """Acme began the standard journey eight days ago."""
    acme.do(journey, "acme start standard from 2 Mar")
    acme.now += timedelta(minutes=1)
    return acme


def journeys(desk: Desk) -> list[JourneyRow]:
    desk.tx.session.expire_all()
    return list(desk.tx.session.exec(select(JourneyRow).order_by(JourneyRow.created_at)))


def milestones(desk: Desk, stage: str = "") -> list[MilestoneRow]:
    desk.tx.session.expire_all()
    rows = select(MilestoneRow).where(col(MilestoneRow.removed_at).is_(None)).order_by(col(MilestoneRow.position))
    return [row for row in desk.tx.session.exec(rows) if not stage or row.stage_key == stage]


def settle(desk: Desk, stage: str) -> None:
    for row in milestones(desk, stage):
        desk.press(press_done, Ref("milestone", row.id))


# ---------------------------------------------------------------- starting


def test_an_account_without_a_journey_is_offered_the_templates(acme: Desk):
    replies = acme.do(journey, "acme")
    text = acme.say(journey, "acme")
    assert "has no journey yet" in text
    refs = [Ref.parse(block["accessory"]["value"]) for block in get_message(replies).blocks if "accessory" in block]
    assert [ref.extra["template"] for ref in refs] == ["standard", "light", "on-premises"]
    view = get_form(acme.press(open_start, refs[1]))
    assert (view.form, initial_values(view)) == (START_FORM, {"template": "light", "started_on": "2026-03-10"})


def test_a_typed_start_stores_stages_and_milestones_on_working_days(acme: Desk):
    text = acme.say(journey, "acme start standard from 7 Mar")
    (row,) = journeys(acme)
    assert (row.template_key, row.name, row.started_on, row.stage_key) == (
        "standard",
        "Standard",
        date(2026, 3, 9),
        "purchase",
    )
    stages = acme.tx.session.exec(select(JourneyStageRow).order_by(JourneyStageRow.position)).all()
    assert [stage.key for stage in stages] == [
        "purchase",
        "onboarding",
        "adoption",
        "success",
        "engagement",
        "renewal",
    ]
    assert stages[0].entered_on == date(2026, 3, 9)
    assert len(milestones(acme)) == 22
    assert all(is_working_day(each.due_on) and each.planned_on == each.due_on for each in milestones(acme))
    assert "Started for *Acme Corp*: Standard" in text
    assert "Next: Handover from sales" in text


def test_public_holidays_of_the_country_are_no_dates(acme: Desk):
    get_workspace(acme.tx).country = "DE"
    acme.do(journey, "acme start light from 2 Apr")
    due = {each.template_key: each.due_on for each in milestones(acme)}
    assert due["welcome"] == date(2026, 4, 7)  # 3 and 6 April are Good Friday and Easter Monday


def test_an_account_that_is_further_on_begins_in_its_stage(acme: Desk):
    acme.do(journey, "acme start standard at adoption from 2 Mar")
    (row,) = journeys(acme)
    assert (row.stage_key, row.stage_since) == ("adoption", date(2026, 3, 2))
    assert {each.stage_key for each in milestones(acme)} == {"adoption", "success", "engagement", "renewal"}
    assert "✓ Purchase → ✓ Onboarding → ● *Adoption* (0/5)" in acme.say(journey, "acme")


@pytest.mark.parametrize(
    ("locale", "journey_name", "milestone_name"),
    [
        ("zh-CN", "标准旅程", "销售交接"),
        ("zh-TW", "標準旅程", "銷售交接"),
        ("en-US", "Standard", "Handover from sales"),
    ],
)
def test_names_are_in_the_language_of_the_workspace(acme: Desk, locale: str, journey_name: str, milestone_name: str):
    get_workspace(acme.tx).locale = locale
    acme.do(journey, "acme start standard")
    assert journeys(acme)[0].name == journey_name
    assert milestones(acme)[0].name == milestone_name


def test_chinese_words_start_a_journey(acme: Desk):
    acme.do(journey, "acme 开始 轻量旅程")
    assert journeys(acme)[0].template_key == "light"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("acme start heavy", None),
        ("acme start standard nonsense words", None),
        ("acme start standard from 31 feb", "started_on"),
        ("acme start standard from 2019-01-01", "started_on"),
        ("acme start standard from 2028-01-01", "started_on"),
        ("acme start standard at nowhere", None),
        ("acme nowhere", None),
    ],
)
def test_bad_input_is_refused_and_saves_nothing(walking: Desk, typed: str, field: str | None):
    walking.add_account("Globex")
    with pytest.raises(UserError) as refused:
        walking.do(journey, typed.replace("acme start", "globex start"))
    assert refused.value.field == field
    assert len(journeys(walking)) == 1


def start_values(**more: Any) -> dict[str, Any]:
    return {"template": "standard", "started_on": "2026-03-16"} | more


def test_the_form_shows_all_dates_before_anything_is_saved(acme: Desk):
    ref = get_form(acme.do(journey, "acme start")).ref
    (shown,) = acme.do(submit_start, ref=ref, values=start_values())
    assert isinstance(shown, UpdateForm)
    assert shown.view.form == PLAN_FORM
    assert "*Onboarding* from" in json.dumps(shown.view.blocks)
    assert "takes the place" not in json.dumps(shown.view.blocks)
    assert journeys(acme) == []
    (again,) = acme.do(submit_plan, ref=shown.view.ref, values={"stage": "adoption"})
    assert isinstance(again, UpdateForm)
    assert journeys(acme) == []
    text = acme.say(submit_plan, ref=again.view.ref, values={"stage": "adoption"})
    assert "Started for *Acme Corp*" in text
    assert (journeys(acme)[0].started_on, journeys(acme)[0].stage_key) == (date(2026, 3, 16), "adoption")


def test_the_form_without_an_account_asks_for_it_and_names_the_field_at_fault(acme: Desk):
    account_id = acme.add_account("Globex").id
    (shown,) = acme.do(submit_start, ref=Ref("account", ""), values=start_values(account=account_id))
    assert isinstance(shown, UpdateForm)
    assert shown.view.ref is not None
    assert shown.view.ref.id == account_id
    for field, wrong in (("template", "heavy"), ("started_on", "2019-01-01")):
        with pytest.raises(UserError) as refused:
            acme.do(submit_start, ref=Ref("account", account_id), values=start_values() | {field: wrong})
        assert refused.value.field == field


def test_another_journey_takes_the_place_of_the_one_under_way_and_undo_brings_it_back(walking: Desk):
    view = get_form(walking.do(journey, "acme start light"))
    assert "takes the place of the journey “Standard”" in json.dumps(view.blocks, ensure_ascii=False)
    replies = walking.do(submit_plan, ref=view.ref, values={"stage": "onboarding"})
    old, new = journeys(walking)
    assert (old.closed_at, new.closed_at) == (walking.now, None)
    walking.now += timedelta(minutes=1)
    walking.press(undo, find_ref(replies, UNDO))
    (only,) = journeys(walking)
    assert (only.id, only.closed_at) == (old.id, None)
    assert {each.journey_id for each in milestones(walking)} == {old.id}


def test_a_journey_that_somebody_else_started_meanwhile_is_not_replaced_unseen(acme: Desk):
    (shown,) = acme.do(submit_start, ref=get_form(acme.do(journey, "acme start")).ref, values=start_values())
    assert isinstance(shown, UpdateForm)
    acme.do(journey, "acme start light")
    (again,) = acme.do(submit_plan, ref=shown.view.ref, values={"stage": "purchase"})
    assert isinstance(again, UpdateForm)
    assert "takes the place" in json.dumps(again.view.blocks)
    assert len(journeys(acme)) == 1


def test_a_start_is_undone_whole_unless_somebody_went_on(acme: Desk):
    first = find_ref(acme.do(journey, "acme start light"), UNDO)
    acme.press(undo, first)
    assert (journeys(acme), milestones(acme)) == ([], [])
    with pytest.raises(StaleError, match="already undone"):
        acme.press(undo, first)
    acme.now += timedelta(minutes=1)
    second = find_ref(acme.do(journey, "acme start light"), UNDO)
    acme.press(press_done, Ref("milestone", milestones(acme)[0].id))
    with pytest.raises(StaleError, match="depends on it"):
        acme.press(undo, second)


# ---------------------------------------------------------------- showing


def test_a_journey_shows_strip_day_lanes_and_what_is_overdue(walking: Desk):
    text = walking.say(journey, "acme")
    assert "● *Purchase* (0/3) → Onboarding → Adoption → Success → Engagement → Renewal" in text
    assert "Purchase: day 9 of 14 · 2 milestones overdue" in text
    assert "🔴 *Handover from sales* · due 4 Mar, overdue 6 days" in text
    assert text.index("*Customer*") < text.index("*Us*") < text.index("*Business goals*")
    settle(walking, "purchase")
    text = walking.say(journey, "acme")
    assert "● *Purchase* (3/3)" in text
    assert "✓ *Handover from sales* · done 10 Mar" in text


def test_other_stages_are_opened_from_the_list_of_all_or_by_name(walking: Desk):
    replies = walking.do(journey, "acme")
    stages = walking.press(show_stages, find_ref(replies, ALL_STAGES))
    refs = [Ref.parse(block["accessory"]["value"]) for block in get_message(stages).blocks if "accessory" in block]
    assert [ref.extra["stage"] for ref in refs][-1] == "renewal"
    assert "Decision on the renewal" in walking.say(show_stage, ref=refs[-1])
    assert "Go-live" in walking.say(journey, "acme onboarding")
    assert "Go-live" not in walking.say(journey, "acme")
    assert "All" not in walking.say(journey, "acme stages")
    assert "Purchase" in walking.say(show_pressed, ref=Ref("account", refs[0].id))
    with pytest.raises(UserError) as refused:
        walking.do(journey, "acme onbording stage")
    assert refused.value.nearest


def test_the_card_tells_the_strip_and_the_next_two(walking: Desk):
    reader = Reader("en-US", "UTC")
    assert journey_blocks(reader, walking.tx, walking.add_account("Globex"), TODAY) == []
    account = get_account(walking.tx, journeys(walking)[0].account_id)
    text = json.dumps(journey_blocks(reader, walking.tx, account, TODAY), ensure_ascii=False)
    assert "● *Purchase* (0/3)" in text
    assert "Sponsor and project lead named" in text
    assert "Business goals agreed" not in text


# ---------------------------------------------------------------- advancing


def test_a_stage_is_left_only_when_every_required_milestone_has_a_fate(walking: Desk):
    view = get_form(walking.press(open_advance, find_ref(walking.do(journey, "acme"), ADVANCE)))
    handover, sponsor, goals = milestones(walking, "purchase")
    assert view.form == ADVANCE_FORM
    assert {handover.id, sponsor.id, goals.id} <= initial_values(view).keys()
    fates: dict[str, Any] = {handover.id: "done", sponsor.id: "next"}
    with pytest.raises(UserError) as refused:
        walking.do(submit_advance, ref=view.ref, values=fates)
    assert refused.value.field == goals.id
    fates[goals.id] = "skip"
    with pytest.raises(UserError) as refused:
        walking.do(submit_advance, ref=view.ref, values=fates)
    assert refused.value.field == "reason"
    text = walking.say(submit_advance, ref=view.ref, values=fates | {"reason": "agreed in the contract"})
    assert "is in *Onboarding* now (was in Purchase)" in text
    (row,) = journeys(walking)
    assert (row.stage_key, row.stage_since, row.version) == ("onboarding", TODAY, 2)
    states = {each.template_key: (each.state, each.stage_key, each.reason) for each in milestones(walking)}
    assert states["handover"] == (MilestoneState.DONE, "purchase", "")
    assert states["sponsor-named"] == (MilestoneState.OPEN, "onboarding", "")
    assert states["goals-agreed"] == (MilestoneState.SKIPPED, "purchase", "agreed in the contract")


def test_undo_takes_a_stage_and_all_that_was_settled_with_it_back(walking: Desk):
    view = get_form(walking.press(open_advance, find_ref(walking.do(journey, "acme"), ADVANCE)))
    fates = {each.id: "skip" for each in milestones(walking, "purchase")} | {"reason": "known"}
    ref = find_ref(walking.do(submit_advance, ref=view.ref, values=fates), UNDO)
    walking.press(undo, ref)
    (row,) = journeys(walking)
    assert (row.stage_key, row.stage_since) == ("purchase", date(2026, 3, 2))
    assert {each.state for each in milestones(walking)} == {MilestoneState.OPEN}
    stages = {each.key: each for each in walking.tx.session.exec(select(JourneyStageRow))}
    assert (stages["purchase"].left_on, stages["onboarding"].entered_on) == (None, None)
    with pytest.raises(StaleError, match="already undone"):
        walking.press(undo, ref)


def test_next_goes_on_at_once_where_nothing_required_is_open(walking: Desk):
    assert get_form(walking.do(journey, "acme next")).form == ADVANCE_FORM
    settle(walking, "purchase")
    assert "is in *Onboarding* now" in walking.say(journey, "acme next")
    walking.now += timedelta(days=3)
    assert "is in *Purchase* now (was in Onboarding)" in walking.say(journey, "acme back")
    assert journeys(walking)[0].stage_since == TODAY + timedelta(days=3)
    with pytest.raises(UserError, match="first stage"):
        walking.do(journey, "acme back")


def test_the_last_stage_ends_the_journey(acme: Desk):
    acme.do(journey, "acme start light at renewal")
    first, second = milestones(acme)
    view = get_form(acme.do(journey, "acme next"))
    fates = {first.id: "done", second.id: "next"}
    with pytest.raises(UserError, match="no stage after"):
        acme.do(submit_advance, ref=view.ref, values=fates)
    replies = acme.do(submit_advance, ref=view.ref, values=fates | {second.id: "done"})
    assert "has finished its journey" in get_message(replies).text
    assert journeys(acme)[0].closed_at == acme.now
    assert "no journey yet" in acme.say(journey, "acme")
    acme.press(undo, find_ref(replies, UNDO))
    assert journeys(acme)[0].closed_at is None


def test_who_was_first_is_named_to_the_second(walking: Desk):
    first = get_form(walking.press(open_advance, find_ref(walking.do(journey, "acme"), ADVANCE)))
    grace = walking.person(Role.LEAD, "U2", "Grace")
    settle(walking, "purchase")
    walking.do(journey, "acme next", person=grace)
    with pytest.raises(StaleError) as refused:
        walking.do(submit_advance, ref=first.ref, values={})
    assert refused.value.values["who"] == "Grace"
    assert journeys(walking)[0].stage_key == "onboarding"


def test_back_and_close_have_forms_and_close_needs_a_reason(walking: Desk):
    account_id = journeys(walking)[0].account_id
    settle(walking, "purchase")
    walking.do(journey, "acme next")
    view = get_form(walking.press(choose_more, Ref("account", account_id, {"do": "back"})))
    assert view.form == BACK_FORM
    walking.do(submit_back, ref=view.ref, values={})
    assert journeys(walking)[0].stage_key == "purchase"
    view = get_form(walking.press(choose_more, Ref("account", account_id, {"do": "close"})))
    assert view.form == CLOSE_FORM
    with pytest.raises(UserError) as refused:
        walking.do(submit_close, ref=view.ref, values={"reason": None})
    assert refused.value.field == "reason"
    replies = walking.do(submit_close, ref=view.ref, values={"reason": "project stopped"})
    line = walking.tx.session.exec(select(AuditRow).where(AuditRow.verb == "journey.closed")).one()
    assert line.after is not None
    assert line.after["reason"] == "project stopped"
    walking.press(undo, find_ref(replies, UNDO))
    assert journeys(walking)[0].closed_at is None
    assert get_form(walking.do(journey, "acme close")).form == CLOSE_FORM
    assert "is closed" in walking.say(journey, "acme close because they merged")
    assert get_form(walking.press(open_start, Ref("account", account_id))).form == START_FORM


# ---------------------------------------------------------------- lists


def test_journeys_lists_stuck_ones_first_and_who_has_none(acme: Desk):
    me = acme.person(Role.LEAD).id
    for name, start in (("Globex", "9 Mar"), ("Initech", "1 Feb"), ("Umbrella", "1 Mar")):
        acme.add_account(name, owner_id=me)
        acme.do(journey, f"{name} start standard from {start}", person=acme.person(Role.LEAD))
    acme.add_account("Hooli", owner_id=me)
    text = acme.say(list_, "", person=acme.person(Role.LEAD))
    assert text.index("🟡 *Initech*") < text.index("● *Umbrella*") < text.index("● *Globex*")
    assert "3 accounts on their journeys · 1 stuck" in text
    assert "1 customer has no journey:" in text
    assert "Hooli" in text
    assert "Acme" not in text
    assert "Acme" in acme.say(list_, "all")
    assert "Globex" not in acme.say(list_, "all stuck")
    assert "No account of yours" in acme.say(list_, "", person=acme.person(Role.CSM, "U9"))
    assert "No journey is stuck" in acme.say(list_, "stuck", person=acme.person(Role.CSM, "U9"))
    assert "Globex" in acme.say(list_, "<@U0000001>", person=acme.person(Role.CSM, "U9"))
    with pytest.raises(UserError):
        acme.do(list_, "sideways")


def test_journeys_are_paged(acme: Desk):
    for number in range(PAGE_LENGTH + 2):
        acme.add_account(f"Client {number:02}")
        acme.do(journey, f'"Client {number:02}" start light')
    first = acme.do(list_, "all")
    assert "page 1 of 2" in acme.say(list_, "all")
    second = acme.press(turn_page, find_ref(first, NEXT))
    assert "Client 11" in json.dumps(get_message(second).blocks)
    beyond = acme.press(turn_page, Ref("journeys", "", {"text": "all", "page": "9"}))
    assert get_message(beyond) == get_message(second), "a page that is gone by now: the last one"


def test_journey_without_an_account_lists_ones_own(walking: Desk):
    assert "No account of yours" in walking.say(journey, "", person=walking.person(Role.CSM, "U9"))


# ---------------------------------------------------------------- rights


def test_viewers_read_and_others_accounts_are_not_touched(walking: Desk):
    viewer = walking.person(Role.VIEWER, "U2")
    assert "Purchase" in walking.say(journey, "acme", person=viewer)
    for typed in ("acme start light", "acme next", "acme back", "acme close because no"):
        with pytest.raises(NotAllowedError):
            walking.do(journey, typed, person=viewer)
    walking.add_account("Globex", owner_id=walking.person(Role.CSM, "U3", "Grace").id)
    with pytest.raises(NotAllowedError, match="Grace"):
        walking.do(journey, "globex start light", person=walking.person(Role.CSM, "U4"))
    with pytest.raises(NotAllowedError):
        walking.press(undo, Ref("journey", journeys(walking)[0].id), person=viewer)
    assert len(journeys(walking)) == 1


def test_gone_things_say_so(acme: Desk):
    for handle in (show_pressed, open_start, open_advance, submit_start, submit_plan, submit_close):
        with pytest.raises(NotFoundError, match="no longer exists"):
            acme.press(handle, Ref("account", "0" * 32))
    with pytest.raises(StaleError, match="no journey under way"):
        acme.do(journey, "acme next")
    with pytest.raises(StaleError, match="nothing to undo"):
        acme.press(undo, Ref("journey", "0" * 32))


def test_the_actions_of_a_journey_name_its_account(walking: Desk):
    replies = walking.do(journey, "acme")
    assert find_ref(replies, ADVANCE).id == journeys(walking)[0].account_id
    assert find_ref(replies, DONE).extra == {"at": "journey"}
    assert START not in json.dumps(get_message(replies).blocks)
