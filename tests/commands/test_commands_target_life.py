"""The life of one target: shown, agreed, paused, edited, replaced, removed, its values put right; all of it undone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from commands.blocks.targets import SHOW_TARGET
from commands.slice import Handler, Ref, UpdateForm
from commands.success import target_acts, target_edit, target_values
from commands.success.measurements import log
from commands.success.target_card import AGREE, PAUSE, REMOVE, RESUME, VALUES
from commands.success.target_list import render_list
from commands.success.target_questions import RETHINK, SURE
from commands.success.targets import answer_sure, rethink, submit_target, target
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role
from storage.audit import AuditRow
from storage.success.target_changes import list_steps
from storage.success.targets import MeasurementRow, TargetRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown

ADDED = "acme conversion from 5% to 10% by 31 Dec"
TODAY = date(2026, 3, 10)


@pytest.fixture
def acme(desk: Desk) -> Desk:
    desk.add_account("Acme Corp", industry="Retail")
    desk.do(target, f"{ADDED} draft")
    return desk


def only(desk: Desk) -> TargetRow:
    desk.tx.session.expire_all()
    return desk.tx.session.exec(select(TargetRow)).one()


def value(desk: Desk) -> MeasurementRow:
    desk.tx.session.expire_all()
    return desk.tx.session.exec(select(MeasurementRow)).one()


def page(desk: Desk) -> str:
    return desk.say(target, "acme conversion").replace("\u202f", " ")


def ref(desk: Desk) -> Ref:
    return Ref("target", only(desk).id)


def test_one_target_is_shown_with_plan_owners_and_values(acme: Desk):
    acme.press(target_acts.agree, ref(acme))
    acme.now += timedelta(days=140)
    acme.do(log, "acme conversion 7% on 8 Jun after the new page")
    text = page(acme)
    assert "▓▓▓▓░░░░░░ 40 % of the way · on track" in text
    assert "✓ 16 Jun 2026: 6.66 %, measured 7 %" in text or "measured 7 %" in text
    assert "us nobody · them: nobody named · measured every 30 days · agreed 10 Mar 2026" in text
    assert "8 Jun 2026  7 % — after the new page" in text
    assert acme.say(target, "acme 转化率").replace("\u202f", " ") == text


def test_reading_one_target_is_a_viewers_right(acme: Desk):
    viewer = acme.person(Role.VIEWER, "U9")
    assert "draft, not agreed yet" in acme.say(target, "acme conversion", person=viewer)
    for handle in (
        target_acts.agree,
        target_acts.pause,
        target_acts.remove,
        target_acts.open_replace,
        target_edit.open_edit,
    ):
        with pytest.raises(NotAllowedError):
            acme.press(handle, ref(acme), person=viewer)
    assert only(acme).version == 1


@pytest.mark.parametrize(
    ("handle", "column", "value", "verb"),
    [
        (target_acts.agree, "agreed_on", TODAY, "target.agreed"),
        (target_acts.pause, "paused_on", TODAY, "target.paused"),
    ],
)
def test_a_button_changes_the_target_once_and_undo_changes_it_back(
    acme: Desk, handle: Handler, column: str, value: date, verb: str
):
    done = acme.press(handle, ref(acme))
    assert getattr(only(acme), column) == value
    with pytest.raises(StaleError, match=r"already.*You, "):
        acme.press(handle, ref(acme))
    back = find_ref(done, target_acts.UNDO_CHANGE)
    with pytest.raises(NotAllowedError):
        acme.press(target_acts.undo_change, back, person=acme.person(Role.CSM, "U7", "Eve"))
    acme.press(target_acts.undo_change, back)
    assert getattr(only(acme), column) is None
    with pytest.raises(StaleError, match="already undone"):
        acme.press(target_acts.undo_change, back)
    verbs = acme.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_id == only(acme).id)).all()
    assert sorted(verbs) == sorted(["target.added", verb, "target.restored"])


def test_who_was_first_is_named(acme: Desk):
    acme.press(target_acts.pause, ref(acme), person=acme.person(Role.CSM, "U8", "Grace"))
    with pytest.raises(StaleError, match=r"paused already.*Grace"):
        acme.press(target_acts.pause, ref(acme))
    acme.press(target_acts.resume, ref(acme))
    assert only(acme).paused_on is None
    with pytest.raises(StaleError, match="not paused any more"):
        acme.press(target_acts.resume, ref(acme))


def test_a_change_is_not_undone_late_nor_over_a_later_one(acme: Desk):
    first = find_ref(acme.press(target_acts.pause, ref(acme)), target_acts.UNDO_CHANGE)
    acme.press(target_acts.resume, ref(acme))
    with pytest.raises(StaleError, match="depends on it"):
        acme.press(target_acts.undo_change, first)
    last = find_ref(acme.press(target_acts.pause, ref(acme)), target_acts.UNDO_CHANGE)
    with pytest.raises(StaleError, match="10 minutes"):
        acme.press(target_acts.undo_change, last, now=acme.now + timedelta(minutes=11))


def test_a_removed_target_is_gone_until_it_is_undone(acme: Desk):
    done = acme.press(target_acts.remove, ref(acme))
    assert only(acme).removed_at is not None
    assert "no targets yet" in acme.say(target, "acme")
    with pytest.raises(StaleError, match="removed already"):
        acme.press(target_acts.remove, ref(acme))
    assert "was removed" in "".join(shown(each) for each in acme.press(target_acts.show, ref(acme)))
    acme.press(target_acts.undo_change, find_ref(done, target_acts.UNDO_CHANGE))
    assert "1 target" in acme.say(target, "acme")


def test_the_buttons_fit_the_state(acme: Desk):
    def actions() -> set[str]:
        blocks = get_message(acme.do(target, "acme conversion")).blocks
        return {each["action_id"] for block in blocks for each in block.get("elements", []) if "action_id" in each}

    assert {AGREE, PAUSE, REMOVE} <= actions()
    acme.press(target_acts.agree, ref(acme))
    acme.press(target_acts.pause, ref(acme))
    assert {RESUME, REMOVE} <= actions()
    assert not {AGREE, PAUSE, VALUES} & actions()


# ---------------------------------------------------------------- the form


def edit(acme: Desk, **values: str) -> str:
    view = get_form(acme.press(target_edit.open_edit, ref(acme)))
    filled = {**initial_values(view), **values}
    return acme.say(target_edit.submit_edit, ref=view.ref, values=filled).replace("\u202f", " ")


def test_an_edit_says_what_changed_and_is_undone_whole(acme: Desk):
    acme.person(Role.CSM, "U5", "Grace")
    before = list_steps(acme.tx, only(acme).id)
    view = get_form(acme.press(target_edit.open_edit, ref(acme)))
    filled = initial_values(view) | {
        "goal": "12%",
        "due_on": "2026-11-30",
        "steps": "6% by 31 Mar\n8% by 30 Jun",
        "owner": "U5",
        "them": "Head of Sales",
        "cadence": "14",
    }
    done = acme.do(target_edit.submit_edit, ref=view.ref, values=filled)
    text = get_message(done).text.replace("\u202f", " ")
    assert "goal 10 % → 12 % · due 31 Dec 2026 → 30 Nov 2026" in text
    assert "their owner – → Head of Sales · measured every 30 days → 14 days" in text
    row = only(acme)
    assert (row.goal, row.due_on, row.cadence_days, row.customer_owner) == (
        Decimal(12),
        date(2026, 11, 30),
        14,
        "Head of Sales",
    )
    assert list_steps(acme.tx, row.id) == [(date(2026, 3, 31), Decimal(6)), (date(2026, 6, 30), Decimal(8))]
    acme.press(target_acts.undo_change, find_ref(done, target_acts.UNDO_CHANGE))
    assert (only(acme).goal, list_steps(acme.tx, row.id)) == (Decimal(10), before)


def test_steps_are_made_anew_where_the_field_is_emptied(acme: Desk):
    edit(acme, steps="", load="back", rhythm="quarter")
    assert [day for day, _value in list_steps(acme.tx, only(acme).id)] == [
        date(2026, 3, 31),
        date(2026, 6, 30),
        date(2026, 9, 30),
    ]


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"steps": "6% by 31 Mar\nsoon"}, "steps", "step 2, “soon”"),
        ({"steps": "6% by 30 Jun\n8% by 31 Mar"}, "steps", "Step 2"),
        ({"steps": "6% by 31 Jan 2027"}, "steps", "Step 1 is of"),
        ({"steps": "€6 by 31 Mar"}, "steps", "kept in %"),
        ({"steps": "\n".join(f"6% by {day} May" for day in range(1, 26))}, "steps", "24 steps"),
        ({"goal": "€12"}, "goal", "kept in %"),
        ({"goal": "5%", "steps": ""}, "goal", "equals the start"),
        ({"due_on": "2026-03-09"}, "due_on", "due"),
        ({}, "goal", "Nothing was changed"),
    ],
)
def test_a_bad_edit_names_the_field_and_the_line(acme: Desk, values: dict[str, str], field: str, told: str):
    with pytest.raises(UserError, match=told) as refused:
        edit(acme, **values)
    assert refused.value.field == field
    assert only(acme).version == 1


def test_a_form_opened_before_another_change_overwrites_nothing(acme: Desk):
    view = get_form(acme.press(target_edit.open_edit, ref(acme)))
    acme.press(target_acts.pause, ref(acme), person=acme.person(Role.CSM, "U8", "Grace"))
    with pytest.raises(StaleError, match="Grace changed this target first"):
        acme.do(target_edit.submit_edit, ref=view.ref, values=initial_values(view) | {"goal": "12%"})
    assert only(acme).goal == Decimal(10)


def test_replacing_keeps_the_old_target_as_history(acme: Desk):
    acme.press(target_acts.agree, ref(acme))
    acme.now += timedelta(minutes=1)
    acme.do(log, "acme conversion 6%")
    view = get_form(acme.press(target_acts.open_replace, ref(acme)))
    filled = initial_values(view)
    assert (filled["metric"], filled["goal"]) == ("conversion", "10 %")
    acme.now += timedelta(minutes=1)
    acme.do(submit_target, ref=view.ref, values=filled | {"goal": "12%", "due_on": "2026-12-31"})
    rows = acme.tx.session.exec(select(TargetRow).order_by(TargetRow.created_at)).all()
    assert rows[0].replaced_by == rows[1].id
    assert rows[1].baseline == Decimal(6)
    text = acme.say(target, "acme")
    assert text.index("12") < text.index("replaced by a newer target")
    with pytest.raises(StaleError, match="newer target took the place"):
        acme.press(target_acts.pause, Ref("target", rows[0].id))


# ---------------------------------------------------------------- values


def test_a_value_is_corrected_removed_and_given_back(acme: Desk):
    acme.do(log, "acme conversion 61%")
    listed = acme.press(target_values.show_values, ref(acme))
    assert "61" in get_message(listed).blocks[1]["text"]["text"]
    view = get_form(acme.press(target_values.open_correct, Ref("measurement", value(acme).id)))
    fixed = acme.do(target_values.submit_correct, ref=view.ref, values=initial_values(view) | {"value": "6.1%"})
    assert "61" in get_message(fixed).text
    assert value(acme).value == Decimal("6.1")
    with pytest.raises(StaleError, match="You changed this value first"):
        acme.do(target_values.submit_correct, ref=view.ref, values=initial_values(view))
    acme.press(target_values.undo_value, find_ref(fixed, target_values.UNDO_VALUE))
    assert value(acme).value == Decimal(61)
    view = get_form(acme.press(target_values.open_correct, Ref("measurement", value(acme).id)))
    gone = acme.do(target_values.submit_correct, ref=view.ref, values=initial_values(view) | {"fate": "remove"})
    assert value(acme).removed_at is not None
    assert "Nothing was measured yet" in "".join(
        shown(each) for each in acme.press(target_values.show_values, ref(acme))
    )
    acme.press(target_values.undo_value, find_ref(gone, target_values.UNDO_VALUE))
    assert value(acme).removed_at is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"value": "many"}, "value"),
        ({"value": "€6"}, "value"),
        ({"measured_on": "2026-03-11"}, "measured_on"),
        ({}, "value"),
    ],
)
def test_a_bad_correction_changes_nothing(acme: Desk, values: dict[str, str], field: str):
    acme.do(log, "acme conversion 6%")
    view = get_form(acme.press(target_values.open_correct, Ref("measurement", value(acme).id)))
    with pytest.raises(UserError) as refused:
        acme.do(target_values.submit_correct, ref=view.ref, values=initial_values(view) | values)
    assert refused.value.field == field
    assert value(acme).version == 1


def test_values_come_by_pages(acme: Desk):
    for day in range(1, 10):
        acme.do(log, f"acme conversion {day}% on 0{day}.02.2026")
    for day in (10, 11):
        acme.do(log, f"acme conversion {day}% on {day}.02.2026")
    first = acme.press(target_values.show_values, ref(acme))
    assert "Correct…" in shown(first[0])
    second = acme.press(target_values.show_values, find_ref(first, target_values.NEXT))
    assert "1 Feb 2026" in shown(second[0])


# ---------------------------------------------------------------- steps and doubts, typed


@pytest.mark.parametrize(
    ("typed", "steps"),
    [
        ("steps 6% by 31 Mar, 8% by 30 Jun, 10% by 31 Dec", ["2026-03-31=6", "2026-06-30=8"]),
        ("steps: 31 Mar: 6%; 30 Jun: 8%", ["2026-03-31=6", "2026-06-30=8"]),
        ("分步 6% 3月31日前，8% 6月30日前", ["2026-03-31=6", "2026-06-30=8"]),
        ("steps quarterly", ["2026-03-31=5.35", "2026-06-30=6.89", "2026-09-30=8.45"]),
        ("with steps monthly back-loaded", None),
    ],
)
def test_steps_as_people_type_them(desk: Desk, typed: str, steps: list[str] | None):
    desk.add_account("Acme Corp")
    desk.do(target, f"{ADDED} {typed}")
    found = [f"{day}={value.normalize():f}" for day, value in list_steps(desk.tx, only(desk).id)]
    assert found == steps if steps else len(found) == 9


def test_a_metric_called_steps_is_still_a_metric(desk: Desk):
    desk.add_account("Acme Corp")
    desk.do(target, "acme daily steps from 5000 to 8000 by 31 Dec")
    assert only(desk).metric_key == "daily-steps"


def test_a_goal_that_cannot_be_is_asked_about_once(desk: Desk):
    desk.add_account("Acme Corp")
    question = desk.do(target, "acme conversion from 5% to 120% by 31 Dec")
    assert "past what this number can be" in get_message(question).text
    assert desk.tx.session.exec(select(TargetRow)).all() == []
    again = get_form(desk.press(rethink, find_ref(question, RETHINK)))
    assert initial_values(again)["goal"] == "120 %"
    desk.press(answer_sure, find_ref(question, SURE))
    assert only(desk).goal == Decimal(120)


def test_the_form_asks_once_and_takes_the_same_goal_then(desk: Desk):
    account = desk.add_account("Acme Corp")
    values = {"metric": "new:conversion", "kind": "level", "baseline": "5%", "goal": "120%", "due_on": "2026-12-31"}
    (asked,) = desk.do(submit_target, ref=Ref("account", account.id), values=values)
    assert isinstance(asked, UpdateForm)
    assert "Save once more" in shown(asked)
    assert initial_values(asked.view)["goal"] == "120 %"
    desk.do(submit_target, ref=asked.view.ref, values=values)
    assert only(desk).goal == Decimal(120)


def test_a_goal_far_beyond_ones_other_accounts_is_asked_about(desk: Desk):
    for number in range(5):
        name = f"Client {chr(65 + number)}"
        desk.add_account(name)
        desk.do(target, f'"{name}" conversion from 1% to 10% by 31 Dec')
        desk.do(log, f'"{name}" conversion {number + 4}%')
    desk.add_account("Acme Corp")
    text = desk.say(target, "acme conversion from 5% to 40% by 31 Dec").replace("\u202f", " ")
    assert "40 % is far beyond 8 %, the best of your 5 other accounts" in text


def test_the_list_shows_each_target_with_a_button(acme: Desk):
    listed = render_list(acme.call(), acme.tx, acme.add_account("Globex"), 1, TODAY)
    assert "no targets yet" in listed.text
    blocks = get_message(acme.do(target, "acme")).blocks
    assert blocks[1]["accessory"]["action_id"] == SHOW_TARGET
