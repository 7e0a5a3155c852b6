"""`/cs contacts` and `/cs contact`: people at a customer, added, changed, gone, removed, and all of it taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from commands.accounts.contact_forms import read_contact
from commands.accounts.contacts import (
    MORE,
    REMOVE_SURE,
    UNDO,
    UNDO_CHANGE,
    UNDO_REMOVE,
    choose,
    contact,
    contacts,
    open_add,
    remove,
    show_contacts,
    submit,
    turn_page,
    undo,
    undo_change,
    undo_remove,
)
from commands.blocks.accounts import ADD_CONTACT
from commands.slice import Ref
from rules.accounts.contacts import ContactDraft
from rules.errors import NotAllowedError, StaleError, UserError
from rules.records import ContactRole, Role
from storage.accounts.contacts import ContactRow, list_sponsors
from storage.audit import AuditRow
from tests.commands.conftest import Desk, find_ref, get_form, get_message, initial_values, shown

JO = "acme Jo Doe, Head of Sales, jo@example.com sponsor"
LATER = timedelta(minutes=1)


def rows(desk: Desk) -> list[ContactRow]:
    desk.tx.session.expire_all()
    return list(desk.tx.session.exec(select(ContactRow).order_by(ContactRow.name)))


def pick(row: ContactRow, do: str) -> Ref:
    return Ref("contact", row.id, {"do": do})


# ---------------------------------------------------------------- typed


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        ("Jo Doe", ContactDraft("Jo Doe")),
        ("Jo Doe sponsor", ContactDraft("Jo Doe", role=ContactRole.SPONSOR)),
        ("Jo Doe, Head of Sales, jo@x.com sponsor",
         ContactDraft("Jo Doe", "jo@x.com", title="Head of Sales", role=ContactRole.SPONSOR)),
        ("Jo Doe, champion, Technical Lead, Platform, <mailto:jo@x.com|jo@x.com>",
         ContactDraft("Jo Doe", "jo@x.com", title="Technical Lead", team="Platform", role=ContactRole.CHAMPION)),
        ("Jo Doe, Technical Lead", ContactDraft("Jo Doe", title="Technical Lead")),
        ("Jo Doe jo@x.com decision-maker", ContactDraft("Jo Doe", "jo@x.com", role=ContactRole.DECISION_MAKER)),
        ("王芳，销售总监，wang@x.cn，决策人",
         ContactDraft("王芳", "wang@x.cn", title="销售总监", role=ContactRole.DECISION_MAKER)),
        ("Jo Doe, jo@nowhere", ContactDraft("Jo Doe", "jo@nowhere")),
        ("", ContactDraft("")),
    ],
)  # fmt: skip
def test_contacts_are_read_as_people_type_them(text: str, draft: ContactDraft):
    assert read_contact(text) == draft


def test_a_contact_is_typed_listed_and_taken_back(desk: Desk):
    acme = desk.add_account("Acme Corp")
    added = desk.do(contact, JO)
    assert "Added: *Jo Doe*, Head of Sales · sponsor · jo@example.com · Acme Corp" in get_message(added).text
    (row,) = rows(desk)
    assert (row.account_id, row.role, row.email) == (acme.id, ContactRole.SPONSOR, "jo@example.com")
    assert "*Acme Corp*: 1 contact" in desk.say(contacts, "acme")
    ref = find_ref(added, UNDO)
    with pytest.raises(NotAllowedError):
        desk.press(undo, ref, person=desk.person(Role.CSM, "U2"))
    assert "Undone: Jo Doe, Head of Sales of Acme Corp." in shown(desk.press(undo, ref)[0])
    assert rows(desk)[0].removed_at == desk.now
    assert "has no contacts yet" in desk.say(contacts, "acme")
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo, ref)


def test_in_the_accounts_channel_it_need_not_be_named(desk: Desk):
    acme = desk.add_account("Acme Corp", channel_id="C1")
    desk.add_account("Johnson")
    desk.do(contact, "Jo Doe, CFO", channel="C1")
    assert [(row.account_id, row.name) for row in rows(desk)] == [(acme.id, "Jo Doe")]
    assert "1 contact" in desk.say(contacts, "", channel="C1")


def test_without_a_name_the_form_opens_and_stores(desk: Desk):
    acme = desk.add_account("Acme")
    assert "account" in initial_values(get_form(desk.do(contact)))
    view = get_form(desk.do(contact, "acme"))
    assert view.ref == Ref("account", acme.id)
    assert get_form(desk.press(open_add, find_ref(desk.do(contacts, "acme"), ADD_CONTACT))).form == view.form
    values = {"name": " Jo  Doe ", "title": "CFO", "team": "Finance", "email": "jo@x.com", "phone": "+49 1",
              "contact_role": "billing", "left_on": None}  # fmt: skip
    desk.do(submit, ref=view.ref, values=values)
    (row,) = rows(desk)
    assert (row.name, row.title, row.team, row.phone, row.role) == ("Jo Doe", "CFO", "Finance", "+49 1", "billing")
    desk.do(submit, ref=Ref("account", ""), values={"name": "Al", "contact_role": "user", "account": acme.id})
    assert len(rows(desk)) == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"email": "jo@x"}, "email"),
        ({"email": "jo x@y.com"}, "email"),
        ({"phone": "1" * 41}, "phone"),
        ({"contact_role": "boss"}, "contact_role"),
        ({"left_on": "2026-03-11"}, "left_on"),
        ({"left_on": "someday"}, "left_on"),
        ({"email": "JO@example.com"}, "email"),
    ],
)
def test_the_form_names_the_field_at_fault(desk: Desk, values: dict[str, str], field: str):
    acme = desk.add_account("Acme")
    desk.do(contact, JO)
    with pytest.raises(UserError) as refused:
        desk.do(submit, ref=Ref("account", acme.id), values={"name": "New", "contact_role": "user", **values})
    assert refused.value.field == field
    assert len(rows(desk)) == 1


def test_a_second_contact_of_one_address_names_the_first_unless_it_is_gone(desk: Desk):
    desk.add_account("Acme")
    desk.add_account("Globex")
    desk.do(contact, JO)
    with pytest.raises(UserError) as refused:
        desk.do(contact, "acme Joanna, JO@example.com")
    assert refused.value.values["name"] == "Jo Doe"
    desk.do(contact, "globex Jo Doe, jo@example.com")
    row = next(each for each in rows(desk) if each.role == "sponsor")
    removed = desk.press(remove, Ref("contact", row.id))
    desk.do(contact, "acme Joanna, jo@example.com")
    with pytest.raises(UserError, match="already") as refused:
        desk.press(undo_remove, find_ref(removed, UNDO_REMOVE))
    assert refused.value.values["name"] == "Joanna"


# ---------------------------------------------------------------- changing


def test_a_sponsor_who_left_is_told_and_taken_back(desk: Desk):
    acme = desk.add_account("Acme")
    desk.do(contact, JO)
    (row,) = rows(desk)
    view = get_form(desk.press(choose, pick(row, "left")))
    values: dict[str, Any] = initial_values(view)
    assert (values["left_on"], values["contact_role"], values["email"]) == ("2026-03-10", "sponsor", "jo@example.com")
    desk.now += LATER
    changed = desk.do(submit, ref=view.ref, values={**values, "left_on": "2026-03-03"})
    assert "left 3 Mar 2026" in get_message(changed).text
    assert rows(desk)[0].left_on == date(2026, 3, 3)
    assert "🔴 Sponsor Jo Doe, Head of Sales left 3 Mar 2026: nobody has followed" in desk.say(contacts, "acme")
    assert [each.name for each in list_sponsors(desk.tx, [acme.id])[acme.id]] == ["Jo Doe"]
    desk.do(contact, "acme Max Roe, CFO, sponsor")
    assert "nobody has followed" not in desk.say(contacts, "acme")
    assert [each.name for each in list_sponsors(desk.tx, [acme.id])[acme.id]] == ["Max Roe", "Jo Doe"]
    undone = desk.press(undo_change, find_ref(changed, UNDO_CHANGE))
    assert "left" not in get_message(undone).text
    assert rows(desk)[0].left_on is None
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo_change, find_ref(changed, UNDO_CHANGE))
    assert "Nothing was changed" in desk.say(submit, ref=Ref("contact", row.id), values={**values, "left_on": None})


def test_a_form_that_was_overtaken_changes_nothing(desk: Desk):
    desk.add_account("Acme")
    desk.do(contact, JO)
    (row,) = rows(desk)
    view = get_form(desk.press(choose, pick(row, "edit")))
    desk.now += LATER
    grace = desk.person(Role.CSM, "U2", "Grace")
    first = desk.do(submit, ref=view.ref, values={**initial_values(view), "title": "CEO"}, person=grace)
    with pytest.raises(StaleError) as refused:
        desk.do(submit, ref=view.ref, values={**initial_values(view), "title": "CTO"})
    assert (refused.value.values["who"], rows(desk)[0].title) == ("Grace", "CEO")
    with pytest.raises(StaleError, match="depends on it"):
        desk.press(undo, Ref("contact", row.id))
    with pytest.raises(StaleError, match="10 minutes"):
        desk.press(undo_change, find_ref(first, UNDO_CHANGE), now=desk.now + timedelta(minutes=11), person=grace)


def test_removing_asks_first_and_can_be_taken_back(desk: Desk):
    desk.add_account("Acme")
    desk.do(contact, JO)
    (row,) = rows(desk)
    asked = desk.press(choose, pick(row, "remove"))
    assert "Remove Jo Doe, Head of Sales from Acme?" in get_message(asked).text
    assert rows(desk)[0].removed_at is None
    gone = desk.press(remove, find_ref(asked, REMOVE_SURE))
    assert rows(desk)[0].removed_at == desk.now
    with pytest.raises(StaleError, match="done already"):
        desk.press(remove, find_ref(asked, REMOVE_SURE))
    with pytest.raises(StaleError, match="was removed"):
        desk.do(submit, ref=Ref("contact", row.id), values={"name": "New", "contact_role": "user"})
    assert "Back on the list: *Jo Doe*" in get_message(desk.press(undo_remove, find_ref(gone, UNDO_REMOVE))).text
    assert rows(desk)[0].removed_at is None
    with pytest.raises(StaleError, match="already undone"):
        desk.press(undo_remove, find_ref(gone, UNDO_REMOVE))
    verbs = desk.tx.session.exec(select(AuditRow.verb).where(AuditRow.object_id == row.id)).all()
    assert sorted(verbs) == ["contact.added", "contact.removed", "contact.restored"]


# ---------------------------------------------------------------- lists


def test_lists_are_by_role_and_turn_pages(desk: Desk):
    acme = desk.add_account("Acme")
    for number in range(16):
        desk.do(contact, f"acme Person {number:02}")
    desk.do(contact, "acme Zoe, champion")
    first = desk.press(show_contacts, Ref("account", acme.id))
    text = shown(first[0])
    assert text.index("*Zoe*") < text.index("*Person 00*")
    assert "page 1 of 2" in text
    assert "*Person 15*" in shown(desk.press(turn_page, find_ref(first, MORE))[0])
    assert "Which account?" in desk.say(contacts)


def test_rights_on_contacts_and_untrusted_names(desk: Desk):
    acme = desk.add_account("Acme", owner_id=desk.person(Role.CSM, "U3", "Grace").id)
    lead = desk.person(Role.LEAD, "U4")
    text = desk.say(contact, "acme <!channel>, <@U1> & co", person=lead)
    assert "&lt;!channel&gt;" in text
    assert "<@U1>" not in text
    (row,) = rows(desk)
    assert "&lt;!channel&gt;" in desk.say(contacts, "acme")
    cases = ((contact, "acme Al", None), (open_add, "", Ref("account", acme.id)), (choose, "", pick(row, "edit")),
             (remove, "", Ref("contact", row.id)), (submit, "", Ref("contact", row.id)))  # fmt: skip
    for handle, typed, ref in cases:
        for person in (desk.person(), desk.person(Role.VIEWER, "U5")):
            with pytest.raises(NotAllowedError):
                desk.do(handle, typed, ref=ref, person=person, values={"name": "New", "contact_role": "user"})
    assert len(rows(desk)) == 1
