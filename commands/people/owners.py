"""Accounts that nobody active owns: `/cs team unmatched`, and giving them to a member. Owns the list, the form and the
giving; who owns what else is the accounts' own subject.
"""

from __future__ import annotations

from commands.kit import actions, context, esc, form_field, message, person_menu, section
from commands.pages import Page, wanted_page
from commands.people import undoing
from commands.people.team_list import GIVE, PAGE_LENGTH, give_button
from commands.people.team_words import shown_person
from commands.slice import Button, Call, Form, FormView, Message, OpenForm, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_worker
from rules.errors import UserError
from rules.people.roles import Permission, may
from storage.db import Tx
from storage.errors import NotFoundError
from storage.owners import Orphans, give_accounts, list_left, list_unmatched
from words.reader import Reader

GIVE_FORM = "team.owner"
PREVIOUS, NEXT = "team.addresses_before", "team.addresses_after"


def show_unmatched(call: Call, tx: Tx) -> list[Reply]:
    """The addresses of imported owners that no member has, with how many accounts each."""
    call.require(Permission.READ)
    return [Whisper(_render(call, tx, 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next: in place of the page they sit on."""
    call.require(Permission.READ)
    return [answer_in_place(call, _render(call, tx, wanted_page(call)))]


def open_give(call: Call, tx: Tx) -> list[Reply]:
    """The button: who looks after these accounts from now on."""
    call.require(Permission.TEAM)
    orphans, reader = _get_orphans(call, tx), call.reader
    person = form_field("person", reader.say("Who looks after them from now on"), person_menu("…"))
    blocks = (section(_orphan_words(reader, orphans)), person)
    return [OpenForm(FormView(GIVE_FORM, reader.say("Give accounts to…"), blocks, reader.say("Give"), call.ref))]


def submit_give(call: Call, tx: Tx) -> list[Reply]:
    """The form: all accounts of the address, or of who left, have a new owner."""
    call.require(Permission.TEAM)
    orphans, reader = _get_orphans(call, tx), call.reader
    if not call.value("person"):
        raise UserError("Choose a person.", field="person")
    member = get_worker(tx, call.value("person"), field="person")
    line_id, ids = give_accounts(tx, orphans, member.id, call.person.actor, call.now)
    text = reader.say_many(
        "{person} looks after {count} account more: {from_}",
        "{person} looks after {count} accounts more: {from_}",
        len(ids),
        person=shown_person(member),
        from_=esc(orphans.email or orphans.name),
    )
    return [Whisper(message(text, section(text), actions(undoing.undo_button(reader, line_id))))]


def _render(call: Call, tx: Tx, wanted: int) -> Message:
    reader, found = call.reader, list_unmatched(tx)
    if not found:
        text = reader.say("Every imported account has an owner here. Addresses that nobody has would be listed.")
        return message(text)
    page = Page(len(found), PAGE_LENGTH, wanted)
    title = reader.say_many(
        "{count} address of imported owners belongs to nobody here",
        "{count} addresses of imported owners belong to nobody here",
        len(found),
    )
    hint = reader.say(
        "Who has the address in Slack gets the accounts within the hour. Others: give them to somebody here."
    )
    can_give = may(call.person.role, Permission.TEAM)
    lines = [
        section(_orphan_words(reader, each), accessory=give_button(reader, each) if can_give else None)
        for each in page.cut(found)
    ]
    turns = page.turns(reader, PREVIOUS, NEXT, Ref("page", ""))
    return message(title, section(f"*{title}*"), *lines, context(hint), *turns)


def _orphan_words(reader: Reader, orphans: Orphans) -> str:
    count = reader.say_many("{count} account", "{count} accounts", orphans.count)
    return f"{esc(orphans.email or orphans.name)} · {count}"


def _get_orphans(call: Call, tx: Tx) -> Orphans:
    """The accounts that the button is about. Raises `NotFoundError` where somebody has them by now."""
    kind, id_ = (call.ref.kind, call.ref.id) if call.ref else ("", "")
    if kind == "owners":
        found = next((each for each in list_unmatched(tx) if each.email == id_), None)
    else:
        found = next((each for each in list_left(tx) if kind == "left" and each.owner_id == id_), None)
    if found is None:
        raise NotFoundError("These accounts have an owner by now. See `/cs team` for what is left.")
    return found


BUTTONS = (
    Button(GIVE, open_give, "reads"),
    Button(PREVIOUS, turn_page, "reads"),
    Button(NEXT, turn_page, "reads"),
)
FORM = Form(GIVE_FORM, submit_give)
