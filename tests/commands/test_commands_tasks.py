"""Next steps: typed, by form, done, edited, removed; each taken back; lists, pages and empty states."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from commands.blocks.checkins import DONE_TASK
from commands.slice import OpenForm, Ref
from commands.success import task_lists, tasks
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role
from storage.success.tasks import TaskRow, page_tasks
from tests.commands.conftest import Desk, find_ref, get_form, initial_values

FRIDAY = date(2026, 3, 13)


def rows(desk: Desk) -> list[TaskRow]:
    return list(desk.tx.session.exec(select(TaskRow).order_by(TaskRow.text)))


def only(desk: Desk) -> TaskRow:
    (row,) = rows(desk)
    return row


def ref_of(row: TaskRow, **extra: str) -> Ref:
    return Ref("task", row.id, extra)


def test_typed_with_person_and_day(desk: Desk):
    bo = desk.add_member("U00000BO1", name="Bo")
    desk.add_account()
    said = desk.say(tasks.add, "acme corp send the offer <@U00000BO1> by friday")
    row = only(desk)
    assert (row.text, row.owner_id, row.due_on) == ("send the offer", bo.id, FRIDAY)
    assert "*Acme Corp* · send the offer · <@U00000BO1> · by 13 Mar 2026" in said


def test_typed_without_a_day_it_is_mine_and_by_stays_text(desk: Desk):
    desk.add_account()
    desk.do(tasks.add, "acme corp drop by the office")
    row = only(desk)
    assert (row.text, row.owner_id, row.due_on) == ("drop by the office", desk.person().id, None)


def test_chinese_text_and_signs_are_shown_as_typed(desk: Desk):
    desk.add_account("北京科技")
    said = desk.say(tasks.add, "北京科技 发送报价 <b> & co")
    assert only(desk).text == "发送报价 <b> & co"
    assert "发送报价 &lt;b&gt; &amp; co" in said


def test_a_name_alone_opens_the_form_and_so_does_nothing(desk: Desk):
    account = desk.add_account()
    assert initial_values(get_form(desk.do(tasks.add, "acme corp")))["owner"] == "U0000001"
    assert isinstance(desk.do(tasks.add)[0], OpenForm)
    desk.do(tasks.submit_task, ref=Ref("account", ""), values={"account": account.id, "step": "call"})
    assert (only(desk).text, only(desk).owner_id) == ("call", None)


@pytest.mark.parametrize(
    ("values", "field"),
    [({"step": ""}, "step"), ({"step": "x" * 501}, "step"), ({"step": "call", "due_on": "2026-03-09"}, "due_on")],
)
def test_a_form_error_names_its_field_and_stores_nothing(desk: Desk, values: dict[str, str], field: str):
    ref = Ref("account", desk.add_account().id)
    with pytest.raises(UserError) as refused:
        desk.do(tasks.submit_task, ref=ref, values=values)
    assert refused.value.field == field
    assert rows(desk) == []


def test_adding_is_undone_for_ten_minutes(desk: Desk):
    desk.add_account()
    undo = find_ref(desk.do(tasks.add, "acme corp call"), tasks.UNDO)
    with pytest.raises(StaleError):
        desk.press(tasks.undo, undo, now=desk.now + timedelta(minutes=11))
    desk.press(tasks.undo, undo)
    assert only(desk).removed_at is not None
    with pytest.raises(StaleError, match="already undone"):
        desk.press(tasks.undo, undo)


def test_done_once_and_back(desk: Desk):
    desk.add_account()
    desk.do(tasks.add, "acme corp call")
    ada, bo = desk.person(), desk.person(Role.LEAD, "U00000BO1", "Bo")
    replies = desk.press(tasks.finish, ref_of(only(desk)), person=ada)
    assert only(desk).done_by == ada.id
    with pytest.raises(StaleError) as refused:
        desk.press(tasks.finish, ref_of(only(desk)), person=bo)
    assert refused.value.values["who"] == "Ada"
    desk.press(tasks.undo, find_ref(replies, tasks.UNDO), person=ada)
    assert (only(desk).done_at, only(desk).done_by) == (None, None)
    assert len(page_tasks(desk.tx)) == 1


def test_edited_by_form_and_back(desk: Desk):
    desk.add_account()
    desk.do(tasks.add, "acme corp call by friday")
    view = get_form(desk.press(tasks.choose_more, ref_of(only(desk), do="edit")))
    assert initial_values(view) == {"step": "call", "owner": "U0000001", "due_on": "2026-03-13"}
    values = {"step": "write", "owner": "U0000001", "due_on": "2026-03-20"}
    replies = desk.do(tasks.submit_edit, ref=view.ref, values=values)
    assert (only(desk).text, only(desk).due_on) == ("write", date(2026, 3, 20))
    with pytest.raises(StaleError):
        desk.do(tasks.submit_edit, ref=view.ref, values=values | {"step": "older form"})
    desk.press(tasks.undo, find_ref(replies, tasks.UNDO))
    assert (only(desk).text, only(desk).due_on) == ("call", FRIDAY)


def test_an_edit_of_nothing_says_so(desk: Desk):
    desk.add_account()
    desk.do(tasks.add, "acme corp call")
    values = {"step": "call", "owner": "U0000001"}
    assert desk.say(tasks.submit_edit, ref=ref_of(only(desk)), values=values).startswith("Nothing was changed")


def test_undo_is_refused_once_something_came_after(desk: Desk):
    desk.add_account()
    undo = find_ref(desk.do(tasks.add, "acme corp call"), tasks.UNDO)
    desk.press(tasks.finish, ref_of(only(desk)))
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(tasks.undo, undo)


def test_removed_and_back(desk: Desk):
    desk.add_account()
    desk.do(tasks.add, "acme corp call")
    replies = desk.press(tasks.choose_more, ref_of(only(desk), do="remove"))
    assert page_tasks(desk.tx) == []
    with pytest.raises(StaleError):
        desk.press(tasks.finish, ref_of(only(desk)))
    desk.press(tasks.undo, find_ref(replies, tasks.UNDO))
    assert only(desk).removed_at is None


def test_only_its_person_the_accounts_owner_or_a_lead_may_act(desk: Desk):
    ada, bo = desk.person(), desk.person(slack_id="U00000BO1", name="Bo")
    account = desk.add_account(owner_id=ada.id)
    with pytest.raises(NotAllowedError):
        desk.do(tasks.add, "acme corp call", person=bo)
    desk.do(tasks.add, "acme corp call <@U00000BO1>", person=ada)
    desk.press(tasks.finish, ref_of(only(desk)), person=bo)
    assert only(desk).done_by == bo.id
    assert account.owner_id == ada.id


def test_an_empty_list_says_what_to_do(desk: Desk):
    said = desk.say(task_lists.show_list)
    assert "0 open next steps of yours" in said
    assert "/cs task acme" in said


def test_lists_of_mine_of_a_person_of_an_account_and_of_all(desk: Desk):
    ada, bo = desk.person(), desk.person(slack_id="U00000BO1", name="Bo")
    desk.add_account(), desk.add_account("Globex", owner_id=bo.id)
    desk.do(tasks.add, "acme corp call by friday", person=ada)
    desk.do(tasks.add, "globex write", person=bo)
    desk.do(
        tasks.submit_task,
        ref=Ref("account", page_tasks(desk.tx)[1][1].id),
        values={"step": "unowned"},
        person=bo,
    )
    assert "1 open next step of yours" in desk.say(task_lists.show_list, "mine", person=ada)
    assert "Bo: 2 open next steps" in desk.say(task_lists.show_list, "<@U00000BO1>", person=ada)
    assert "*Globex: 2 open next steps*" in desk.say(task_lists.show_list, "globex", person=ada)
    assert "3 open next steps" in desk.say(task_lists.show_list, "all", person=ada)
    assert [row.text for row, _account in page_tasks(desk.tx, until=FRIDAY)] == ["call"]


def test_long_lists_are_paged(desk: Desk):
    desk.add_account()
    for number in range(task_lists.LENGTH + 2):
        desk.do(tasks.add, f"acme corp step{number:02}")
        desk.now += timedelta(seconds=1)
    first = desk.do(task_lists.show_list, "mine")
    second = desk.press(task_lists.turn_page, find_ref(first, task_lists.NEXT))
    shown = desk.say(task_lists.turn_page, ref=find_ref(first, task_lists.NEXT))
    assert "step08" in shown
    assert "step07" not in shown
    assert find_ref(second, task_lists.BACK).extra["page"] == "1"
    assert find_ref(second, DONE_TASK).id
