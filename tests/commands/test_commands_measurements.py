"""`/cs log`: values stored, forms, units, days, notes, undo."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, select

from commands.slice import Options, Ref
from commands.success.measurements import LOG_FORM, UNDO, choose_metrics, log, open_log, submit_log, undo
from commands.success.targets import target
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role
from storage.audit import AuditRow
from storage.errors import NotFoundError
from storage.success.targets import MeasurementRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values

TODAY = date(2026, 3, 10)


@pytest.fixture
def acme(desk: Desk) -> Desk:
    """Acme with a conversion target, 5 % to 10 % until the end of the year."""
    desk.add_account("Acme Corp")
    desk.do(target, "acme conversion from 5% to 10% by 31 Dec")
    desk.now += timedelta(minutes=1)
    return desk


def values(desk: Desk) -> list[MeasurementRow]:
    return list(desk.tx.session.exec(select(MeasurementRow).where(col(MeasurementRow.removed_at).is_(None))))


def test_a_value_is_stored_and_told_with_the_way_done(acme: Desk):
    acme.do(log, "acme conversion 6.1%")
    acme.now += timedelta(minutes=1)
    text = get_message(acme.do(log, "acme conversion 7.5% after the new landing page")).text
    logged, now = "Logged 7.5 % for *Acme Corp* · conversion (was 6.1 %).", "Now 50 % of the way, too early to tell."
    assert text.replace("\u202f", " ") == f"{logged} {now}"
    _first, row = values(acme)
    assert (row.value, row.measured_on, row.note) == (Decimal("7.5"), TODAY, "after the new landing page")
    assert row.author_id == acme.person().id


def test_a_value_is_stored_with_few_statements(acme: Desk):
    acme.do(log, "acme conversion 6.1%")
    acme.now += timedelta(minutes=1)
    sent: list[str] = []

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        acme.do(log, "acme conversion 7.5%")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(sent) <= 20, sent


@pytest.mark.parametrize(
    ("typed", "value", "day", "note"),
    [
        ("7.5", "7.5", TODAY, ""),
        ("7.5 %", "7.5", TODAY, ""),
        ("7.5% on 3 mar", "7.5", date(2026, 3, 3), ""),
        ("7.5% on 2026-03-01 - new page", "7.5", date(2026, 3, 1), "new page"),
        ("7.5% yesterday", "7.5", date(2026, 3, 9), ""),
        ("7.5% on the new page", "7.5", TODAY, "on the new page"),
        ("7.5% new page on 1 Mar", "7.5", date(2026, 3, 1), "new page"),
        ("7.5% 昨天 上线新页面", "7.5", date(2026, 3, 9), "上线新页面"),
        ("-2%", "-2", TODAY, ""),
    ],
)
def test_values_days_and_notes_as_people_type_them(acme: Desk, typed: str, value: str, day: date, note: str):
    acme.do(log, f"ACME conv {typed}")
    (row,) = values(acme)
    assert (row.value, row.measured_on, row.note) == (Decimal(value), day, note)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("acme conversion 7.5% on 31 feb", "measured_on"),
        ("acme conversion 7.5% on 2026-03-11", "measured_on"),
        ("acme conversion seven", "value"),
        ("acme conversion €7", "value"),
        ("acme conversion 7.5% " + "x" * 2001, "note"),
        ("acme churn 7.5%", "metric"),
        ("umbrella conversion 7.5%", "account"),
    ],
)
def test_bad_input_says_what_is_wrong_and_saves_nothing(acme: Desk, typed: str, field: str):
    with pytest.raises(UserError) as refused:
        acme.do(log, typed)
    assert refused.value.field == field
    assert values(acme) == []


def test_a_note_may_have_two_thousand_characters(acme: Desk):
    acme.do(log, "acme conversion 7.5% " + "x" * 2000)
    assert len(values(acme)[0].note) == 2000


def test_an_unknown_account_offers_the_three_nearest(acme: Desk):
    for name in ("Acorn", "Umbrella", "Initech", "Globex"):
        acme.add_account(name)
    with pytest.raises(UserError) as refused:
        acme.do(log, "umbrela2 conversion 7%")
    assert len(refused.value.nearest) == 3
    assert refused.value.nearest[0][1] == "Umbrella"
    assert refused.value.values["name"] == "umbrela2"


def test_an_unknown_metric_offers_those_of_the_account(acme: Desk):
    with pytest.raises(UserError) as refused:
        acme.do(log, "acme conversoins2 7%")
    assert refused.value.nearest == (('"conversion"', "conversion"),)


def test_with_one_target_the_metric_need_not_be_named(acme: Desk):
    acme.do(log, "acme 7.5%")
    assert [row.metric_key for row in values(acme)] == ["conversion"]


def test_in_its_channel_the_account_need_not_be_named(desk: Desk):
    desk.add_account("Acme Corp", channel_id="C1")
    desk.add_account("Globex")
    desk.do(target, "conversion from 5% to 10% by 31 Dec", channel="C1")
    desk.do(log, "conversion 7.5%", channel="C1")
    assert len(values(desk)) == 1
    with pytest.raises(UserError):
        desk.do(log, "globex conversion2 7.5%", channel="C1")


def test_missing_arguments_open_the_form_prefilled(acme: Desk):
    assert initial_values(get_form(acme.do(log, "")))["measured_on"] == "2026-03-10"
    view = get_form(acme.do(log, "acme"))
    assert (view.form, initial_values(view)["metric"]) == (LOG_FORM, "conversion")
    acme.do(target, "acme calls from 10 to 20 by 31 Dec")
    assert initial_values(get_form(acme.do(log, "acme calls")))["metric"] == "calls"
    assert initial_values(get_form(acme.do(log, "acme 12")))["value"] == "12"


def test_the_form_stores_what_was_typed(acme: Desk):
    view = get_form(acme.do(log, "acme"))
    fields = {"metric": "conversion", "value": "8,5 %", "measured_on": "2026-03-02", "note": "by form"}
    text = acme.say(submit_log, ref=view.ref, values=fields)
    assert "Logged 8.5" in text
    assert "measured 2 Mar 2026" in text
    (row,) = values(acme)
    assert (row.value, row.measured_on, row.note) == (Decimal("8.5"), date(2026, 3, 2), "by form")


def test_the_form_names_the_field_at_fault(acme: Desk):
    ref = get_form(acme.do(log, "acme")).ref
    good = {"metric": "conversion", "value": "8%", "measured_on": "2026-03-02", "note": None}
    for field, wrong in (("value", "many"), ("measured_on", "2026-03-11"), ("metric", "gone"), ("note", "x" * 2001)):
        with pytest.raises(UserError) as refused:
            acme.do(submit_log, ref=ref, values={**good, field: wrong})
        assert refused.value.field == field
    assert values(acme) == []


def test_an_account_without_targets_is_told_to_agree_on_one(desk: Desk):
    desk.add_account("Acme")
    assert "agree on a target first" in desk.say(log, "acme conversion 7%")


def test_the_button_opens_the_form_and_the_menu_lists_own_metrics_first(acme: Desk):
    account_id = values_account(acme)
    view = get_form(acme.press(open_log, Ref("account", account_id, {"metric": "conversion"})))
    assert initial_values(view)["metric"] == "conversion"
    acme.add_account("Globex")
    acme.do(target, "globex answer rate from 5% to 10% by 31 Dec")
    (reply,) = acme.do(choose_metrics, "", ref=Ref("account", account_id))
    assert isinstance(reply, Options)
    assert [value for value, _label in reply.options] == ["conversion", "answer-rate"]
    (reply,) = acme.do(choose_metrics, "ANSW", ref=Ref("account", account_id))
    assert isinstance(reply, Options)
    assert [value for value, _label in reply.options] == ["answer-rate"]


def values_account(desk: Desk) -> str:
    ref = get_form(desk.do(log, "acme")).ref
    assert ref is not None
    return ref.id


def test_a_viewer_may_not_log_nor_a_csm_for_anothers_account(acme: Desk):
    with pytest.raises(NotAllowedError):
        acme.do(log, "acme conversion 7%", person=acme.person(Role.VIEWER, "U2"))
    owner = acme.person(Role.CSM, "U3", "Grace")
    acme.add_account("Globex", owner_id=owner.id)
    with pytest.raises(NotAllowedError) as refused:
        acme.do(log, "globex", person=acme.person(Role.CSM, "U4"))
    assert refused.value.values["owner"] == "Grace"
    acme.do(log, "globex", person=acme.person(Role.LEAD, "U5"))


def test_undo_takes_the_value_back_once_and_is_audited(acme: Desk):
    acme.do(log, "acme conversion 6.1%")
    acme.now += timedelta(minutes=1)
    ref = find_ref(acme.do(log, "acme conversion 75%"), UNDO)
    text = get_message(acme.press(undo, ref)).text
    assert "Undone: 75" in text
    assert "stands at 6.1" in text
    assert [row.value for row in values(acme)] == [Decimal("6.1")]
    verbs = list(acme.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_id == ref.id)))
    assert sorted(verbs) == ["measurement.added", "measurement.undone"]
    with pytest.raises(StaleError, match="already undone"):
        acme.press(undo, ref)


def test_undo_is_for_ten_minutes_and_for_its_author_or_a_lead(acme: Desk):
    ref = find_ref(acme.do(log, "acme conversion 7%"), UNDO)
    with pytest.raises(NotAllowedError):
        acme.press(undo, ref, person=acme.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        acme.press(undo, ref, now=acme.now + timedelta(minutes=10, seconds=1))
    acme.press(undo, ref, person=acme.person(Role.LEAD, "U3"), now=acme.now + timedelta(minutes=10))
    assert values(acme) == []


def test_a_value_that_a_target_starts_from_cannot_be_undone(acme: Desk):
    ref = find_ref(acme.do(log, "acme conversion 7%"), UNDO)
    acme.now += timedelta(minutes=1)
    acme.do(target, "acme conversion to 12% by 31 Dec")
    with pytest.raises(StaleError, match="depends on it"):
        acme.press(undo, ref)
    assert len(values(acme)) == 1


def test_buttons_of_gone_things_say_so(acme: Desk):
    ref = find_ref(acme.do(log, "acme conversion 7%"), UNDO)
    with pytest.raises(NotFoundError, match="no longer exists"):
        acme.press(undo, Ref("measurement", "0" * 32))
    with pytest.raises(NotFoundError, match="no longer exists"):
        acme.press(open_log, Ref("account", "0" * 32))
    account = values_account(acme)
    acme.tx.session.get(type(acme.add_account("Tmp")), account).archived_at = acme.now  # type: ignore[union-attr]
    with pytest.raises(NotFoundError, match="was archived"):
        acme.press(undo, ref)


def test_names_that_mention_everybody_are_escaped(desk: Desk):
    desk.add_account("<!channel> & co")
    desk.do(target, '"<!channel> & co" conversion from 5% to 10% by 31 Dec')
    text = desk.say(log, '"<!channel> & co" conversion 7%')
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; co" in text
