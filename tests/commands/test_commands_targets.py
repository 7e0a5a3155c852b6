"""`/cs target`: targets stored, listed, asked about, replaced, undone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import col, select

from commands.slice import Ref
from commands.success.measurements import log
from commands.success.target_forms import TARGET_FORM
from commands.success.target_list import LIST_LENGTH, NEXT, turn_page
from commands.success.target_making import UNDO_TARGET
from commands.success.target_questions import RAISE
from commands.success.targets import answer_raise, open_target, submit_target, target, undo
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role, TargetKind
from rules.success.plans import Raise
from storage.audit import AuditRow
from storage.errors import NotFoundError
from storage.success.metrics import MetricRow
from storage.success.targets import TargetRow, TargetStepRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values

TODAY = date(2026, 3, 10)
YEAR_END = date(2026, 12, 31)


@pytest.fixture
def acme(desk: Desk) -> Desk:
    desk.add_account("Acme Corp")
    return desk


def targets(desk: Desk) -> list[TargetRow]:
    desk.tx.session.expire_all()
    statement = select(TargetRow).where(col(TargetRow.removed_at).is_(None)).order_by(col(TargetRow.created_at))
    return list(desk.tx.session.exec(statement))


def test_a_typed_target_is_stored_agreed_today_with_its_steps(acme: Desk):
    text = acme.say(target, "acme conversion from 5% to 10% by 31 Dec")
    (row,) = targets(acme)
    assert (row.kind, row.unit, row.baseline, row.goal) == (TargetKind.LEVEL, "%", Decimal(5), Decimal(10))
    assert (row.start_on, row.due_on, row.agreed_on) == (TODAY, YEAR_END, TODAY)
    metric = acme.tx.session.exec(select(MetricRow)).one()
    assert (metric.key, metric.name, metric.unit) == ("conversion", "conversion", "%")
    steps = acme.tx.session.exec(select(TargetStepRow.value).order_by(TargetStepRow.day)).all()
    assert list(steps) == [Decimal("6.66"), Decimal("8.33")]
    assert "Agreed for *Acme Corp*: conversion from 5" in text
    assert "6.66" in text


@pytest.mark.parametrize(
    ("typed", "kind", "unit", "baseline", "goal"),
    [
        ("by 31 Dec conversion to 10% from 5%", TargetKind.LEVEL, "%", "5", "10"),
        ("handling time from 90 min to 60 min by 31 Dec", TargetKind.LEVEL, "min", "90", "60"),
        ("revenue to €20m in total by end of year", TargetKind.CUMULATIVE, "EUR", None, "20000000"),
        ("uptime keep above 99.5% until 31 Dec", TargetKind.KEEP_ABOVE, "%", None, "99.5"),
        ("recurrence at most 10% by 31 Dec", TargetKind.KEEP_BELOW, "%", None, "10"),
        ("转化率 从5%到10% 截至12月31日", TargetKind.LEVEL, "%", "5", "10"),
        ("gmv from 1000万 to 2000万 by 31 Dec", TargetKind.LEVEL, "", "10000000", "20000000"),
        ("calls from 200 by 20% by 31 Dec", TargetKind.LEVEL, "", "200", "240.0"),
        ("calls from 200 raise by 20 by 31 Dec", TargetKind.LEVEL, "", "200", "220"),
    ],
)
def test_targets_as_people_type_them(
    acme: Desk, typed: str, kind: TargetKind, unit: str, baseline: str | None, goal: str
):
    acme.do(target, f"acme {typed}")
    (row,) = targets(acme)
    assert (row.kind, row.unit, row.goal, row.due_on) == (kind, unit, Decimal(goal), YEAR_END)
    assert row.baseline == (None if baseline is None else Decimal(baseline))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("acme conversion from 5% to 5% by 31 Dec", "goal"),
        ("acme conversion from 5% to 10% by 1 Mar 2026", "due_on"),
        ("acme conversion from 5% to 10% by 31 feb", "due_on"),
        ("acme conversion from five to 10% by 31 Dec", "baseline"),
        ("acme conversion from €5 to 10% by 31 Dec", "baseline"),
        ("acme revenue from 5 to 10 total by 31 Dec", "baseline"),
        ("acme revenue to -10 total by 31 Dec", "goal"),
        ("acme 12345 from 5 to 10 by 31 Dec", "metric"),
        ("acme conversion from 5 to 10 by 31 Dec 2199", "due_on"),
    ],
)
def test_bad_input_says_what_is_wrong_and_saves_nothing(acme: Desk, typed: str, field: str):
    with pytest.raises(UserError) as refused:
        acme.do(target, typed)
    assert refused.value.field == field
    assert targets(acme) == []


def test_what_by_ten_percent_means_is_asked_and_the_answer_stored(acme: Desk):
    for meaning, goal in ((Raise.TO, "10"), (Raise.POINTS, "15"), (Raise.RELATIVE, "5.5")):
        question = acme.do(target, "acme conversion from 5% by 10% by 31 Dec")
        assert "What does" in get_message(question).text
        acme.press(answer_raise, find_ref(question, RAISE[meaning]))
        acme.now += timedelta(minutes=1)
        assert targets(acme)[-1].goal == Decimal(goal)
        assert targets(acme)[-1].unit == "%"
    lowered = acme.do(target, "acme lower churn from 5% by 2% by 31 Dec")
    acme.press(answer_raise, find_ref(lowered, RAISE[Raise.POINTS]))
    assert targets(acme)[-1].goal == Decimal(3)


def test_the_last_logged_value_is_the_start_where_none_is_typed(acme: Desk):
    acme.do(target, "acme conversion from 5% to 10% by 31 Dec")
    acme.do(log, "acme conversion 6.5%")
    acme.now += timedelta(minutes=1)
    text = acme.say(target, "acme conversion to 12 by 31 Dec")
    old, new = targets(acme)
    assert (new.baseline, new.unit) == (Decimal("6.5"), "%")
    assert old.replaced_by == new.id
    assert "replaces" in text


def test_a_draft_is_not_agreed(acme: Desk):
    assert "Draft for" in acme.say(target, "acme conversion from 5% to 10% by 31 Dec draft")
    assert targets(acme)[0].agreed_on is None


def test_missing_parts_open_the_form_prefilled(acme: Desk):
    view = get_form(acme.do(target, "acme conversion to 10%"))
    shown = initial_values(view)
    assert view.form == TARGET_FORM
    assert (shown["metric"], shown["goal"], shown["due_on"], shown["kind"]) == ("conversion", "10 %", None, "level")
    assert get_form(acme.do(target, "")).ref == Ref("account", "")
    view = get_form(acme.do(target, "acme conversion to 10% by 31 Dec"))
    assert initial_values(view)["due_on"] == "2026-12-31"
    account_id = acme.add_account("Globex").id
    assert get_form(acme.press(open_target, Ref("account", account_id))).ref == Ref("account", account_id)
    assert targets(acme) == []


FIELDS = {
    "metric": "Answer rate",
    "kind": "level",
    "baseline": "20%",
    "goal": "40%",
    "start_on": "2026-03-01",
    "due_on": "2026-12-31",
    "cadence": "14",
    "state": "agreed",
}


def test_the_form_stores_a_target(acme: Desk):
    account_id = acme.add_account("Globex").id
    acme.do(submit_target, ref=Ref("account", ""), values={**FIELDS, "account": account_id})
    (row,) = targets(acme)
    assert (row.account_id, row.metric_key, row.cadence_days) == (account_id, "answer-rate", 14)
    assert (row.start_on, row.agreed_on) == (date(2026, 3, 1), TODAY)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("goal", "by 10%"),
        ("goal", "+10%"),
        ("goal", "many"),
        ("goal", "20%"),
        ("baseline", None),
        ("baseline", "€20"),
        ("due_on", "2026-03-01"),
        ("metric", "12"),
    ],
)
def test_the_form_names_the_field_at_fault(acme: Desk, field: str, wrong: str | None):
    ref = get_form(acme.do(target, "acme conversion to 10%")).ref
    with pytest.raises(UserError) as refused:
        acme.do(submit_target, ref=ref, values={**FIELDS, field: wrong})
    assert refused.value.field == field
    assert targets(acme) == []


def test_an_account_alone_lists_its_targets(acme: Desk):
    assert "no targets yet" in acme.say(target, "acme")
    acme.do(target, "acme conversion from 5% to 10% by 31 Dec")
    acme.do(target, "acme revenue to €20m total by 31 Dec")
    acme.do(log, "acme revenue €5m")
    text = acme.say(target, "acme").replace("\u202f", " ")
    assert "2 targets" in text
    assert "▓▓░░░░░░░░ 25 % of the way" in text
    assert "not measured yet" in text
    for number in range(LIST_LENGTH):
        acme.do(target, f"acme metric {chr(97 + number)} from 1 to 2 by 31 Dec")
    first = acme.do(target, "acme")
    assert "page 1 of 2" in get_message(first).blocks[-3]["elements"][0]["text"]
    second = acme.press(turn_page, find_ref(first, NEXT))
    both = str(get_message(first).blocks) + str(get_message(second).blocks)
    assert all(f"*metric {chr(97 + number)}*" in both for number in range(LIST_LENGTH))


def test_undo_gives_the_replaced_target_its_place_back(acme: Desk):
    acme.do(target, "acme conversion from 5% to 10% by 31 Dec")
    ref = find_ref(acme.do(target, "acme conversion from 5% to 12% by 31 Dec"), UNDO_TARGET)
    assert "Undone" in acme.say(undo, ref=ref)
    (row,) = targets(acme)
    assert (row.goal, row.replaced_by) == (Decimal(10), None)
    verbs = list(acme.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_id == ref.id)))
    assert sorted(verbs) == ["target.added", "target.undone"]
    with pytest.raises(StaleError, match="already undone"):
        acme.press(undo, ref)


def test_undo_is_refused_late_to_others_and_once_a_value_was_logged(acme: Desk):
    ref = find_ref(acme.do(target, "acme conversion from 5% to 10% by 31 Dec"), UNDO_TARGET)
    with pytest.raises(NotAllowedError):
        acme.press(undo, ref, person=acme.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        acme.press(undo, ref, now=acme.now + timedelta(minutes=11))
    acme.do(log, "acme conversion 6%")
    with pytest.raises(StaleError, match="depends on it"):
        acme.press(undo, ref)
    assert len(targets(acme)) == 1


def test_viewers_read_and_others_accounts_are_not_touched(acme: Desk):
    viewer = acme.person(Role.VIEWER, "U2")
    assert "no targets yet" in acme.say(target, "acme", person=viewer)
    for text in ("acme conversion from 5% to 10% by 31 Dec", "acme conversion"):
        with pytest.raises(NotAllowedError):
            acme.do(target, text, person=viewer)
    acme.add_account("Globex", owner_id=acme.person(Role.CSM, "U3", "Grace").id)
    with pytest.raises(NotAllowedError, match="Grace"):
        acme.do(target, "globex conversion from 5% to 10% by 31 Dec", person=acme.person(Role.CSM, "U4"))
    with pytest.raises(NotAllowedError):
        acme.do(submit_target, ref=get_form(acme.do(target, "acme x")).ref, values=FIELDS, person=viewer)
    assert targets(acme) == []


def test_gone_accounts_say_so(acme: Desk):
    for handle in (open_target, submit_target, answer_raise):
        with pytest.raises(NotFoundError, match="no longer exists"):
            acme.press(handle, Ref("account", "0" * 32))
    with pytest.raises(NotFoundError, match="no longer exists"):
        acme.press(undo, Ref("target", "0" * 32))


def test_a_metric_that_mentions_everybody_is_escaped(acme: Desk):
    text = acme.say(target, 'acme "<!channel> rate" from 5% to 10% by 31 Dec') + acme.say(target, "acme")
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; rate" in text


def test_a_question_about_a_name_too_long_to_carry_is_refused_before_it_is_asked(acme: Desk):
    with pytest.raises(UserError, match="do not understand"):
        acme.do(target, f"acme {'conversion ' * 200}from 5% raise by 10% by 31 Dec")
    assert targets(acme) == []
