"""`/cs note`: what was said and when, by words and by form; what counts as a touch; taking it back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select

from commands.accounts.notes import UNDO, TypedNote, note, open_note, read_note, submit, undo
from commands.slice import Ref
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import Role, TouchKind
from storage.accounts.notes import NoteRow
from storage.audit import AuditRow
from storage.success.touches import last_touches
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown

TODAY = date(2026, 3, 10)


def rows(desk: Desk) -> list[NoteRow]:
    desk.tx.session.expire_all()
    return list(desk.tx.session.exec(select(NoteRow)))


@pytest.mark.parametrize(
    ("text", "kind", "kept", "day"),
    [
        ("they plan a pilot", "note", "they plan a pilot", None),
        ("call: they plan a pilot", "call", "they plan a pilot", None),
        ("call they plan a pilot on 3 Mar", "call", "they plan a pilot", date(2026, 3, 3)),
        ("met Jo about the rollout on last fri", "meeting", "met Jo about the rollout", date(2026, 3, 6)),
        ("E-mail sent the offer yesterday", "email", "sent the offer", date(2026, 3, 9)),
        ("they count on us", "note", "they count on us", None),
        ("they rely on us on 2026-03-01", "note", "they rely on us", date(2026, 3, 1)),
        ("电话 谈了试点 昨天", "call", "谈了试点", date(2026, 3, 9)),
        ("recall the meeting", "note", "recall the meeting", None),
        ("call", "call", "", None),
        ("", "note", "", None),
    ],
)
def test_notes_are_read_as_people_type_them(text: str, kind: TouchKind, kept: str, day: date | None):
    assert read_note(text, TODAY) == TypedNote(TouchKind(kind), kept, day)


def test_a_call_is_kept_and_is_the_last_touch(desk: Desk):
    acme = desk.add_account("Acme Corp")
    text = desk.say(note, "acme call: they plan a pilot & <!channel> on 3 Mar")
    for part in ("Call kept for *Acme Corp*, 3 Mar 2026", "a pilot &amp; &lt;!channel&gt;", "Last touch: 3 Mar 2026"):
        assert part in text
    (row,) = rows(desk)
    assert (row.kind, row.happened_on, row.author_id) == (TouchKind.CALL, date(2026, 3, 3), desk.person().id)
    assert last_touches(desk.tx, [acme.id]) == {acme.id: date(2026, 3, 3)}
    (line,) = desk.tx.session.exec(select(AuditRow).where(AuditRow.object_kind == "note"))
    assert (line.verb, line.account_id, "pilot" in repr(line.after)) == ("note.added", acme.id, False)


def test_a_plain_note_is_no_touch(desk: Desk):
    acme = desk.add_account("Acme")
    assert "A note is no touch" in desk.say(note, "acme they plan a pilot")
    assert last_touches(desk.tx, [acme.id]) == {}


def test_in_the_accounts_channel_a_sentence_needs_no_name(desk: Desk):
    acme, globex = desk.add_account("Acme", channel_id="C1"), desk.add_account("Globalfoundries")
    desk.do(note, "Global rollout is planned", channel="C1")
    desk.do(note, "globalfoundries call: hello", channel="C1")
    assert [(row.account_id, row.text) for row in rows(desk)] == [
        (acme.id, "Global rollout is planned"),
        (globex.id, "hello"),
    ]


def test_without_a_text_the_form_opens_and_stores(desk: Desk):
    acme = desk.add_account("Acme")
    assert "account" in initial_values(get_form(desk.do(note)))
    values = initial_values(get_form(desk.do(note, "acme meeting")))
    assert (values["touch"], values["happened_on"]) == ("meeting", "2026-03-10")
    view = get_form(desk.press(open_note, Ref("account", acme.id)))
    desk.do(submit, ref=view.ref, values={"touch": "email", "text": " Sent it ", "happened_on": "2026-03-02"})
    desk.do(submit, ref=Ref("account", ""), values={"touch": "note", "text": "x", "account": acme.id})
    assert [(row.kind, row.text, row.happened_on) for row in rows(desk)] == [
        (TouchKind.EMAIL, "Sent it", date(2026, 3, 2)),
        (TouchKind.NOTE, "x", TODAY),
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": "x" * 3001}, "text"),
        ({"text": "x", "happened_on": "2026-03-11"}, "happened_on"),
        ({"text": "x", "happened_on": "someday"}, "happened_on"),
        ({"text": "x", "touch": "fax"}, "touch"),
    ],
)
def test_the_form_names_the_field_at_fault(desk: Desk, values: dict[str, str], field: str):
    acme = desk.add_account("Acme")
    with pytest.raises(UserError) as refused:
        desk.do(submit, ref=Ref("account", acme.id), values=values)
    assert (refused.value.field, rows(desk)) == (field, [])


def test_a_note_is_taken_back_once_in_time_by_its_author(desk: Desk):
    acme = desk.add_account("Acme")
    kept = desk.do(note, "acme call hello")
    ref = find_ref(kept, UNDO)
    with pytest.raises(NotAllowedError):
        desk.press(undo, ref, person=desk.person(Role.CSM, "U2"))
    with pytest.raises(StaleError, match="10 minutes"):
        desk.press(undo, ref, now=desk.now + timedelta(minutes=11))
    assert "Undone: Call of Acme." in shown(desk.press(undo, ref)[0])
    assert last_touches(desk.tx, [acme.id]) == {}
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo, ref)
    assert "hello" not in get_message(desk.do(note, "acme call again")).text


def test_rights_on_notes(desk: Desk):
    acme = desk.add_account("Acme", owner_id=desk.person(Role.CSM, "U3", "Grace").id)
    for handle, text in ((note, "acme hello"), (open_note, ""), (submit, "")):
        for person in (desk.person(), desk.person(Role.VIEWER, "U4")):
            with pytest.raises(NotAllowedError):
                desk.do(handle, text, person=person, ref=Ref("account", acme.id), values={"text": "x"})
    with pytest.raises(NotAllowedError):
        desk.do(note, "", person=desk.person(Role.VIEWER, "U4"))
    assert rows(desk) == []
