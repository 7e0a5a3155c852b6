"""Contacts: `/cs contacts`, `/cs contact`, their form, leaving, removal and undo. Owns what we do with people at the
customer.
"""

from __future__ import annotations

from commands.access import require_on
from commands.accounts.asking import ask_which, get_pressed
from commands.accounts.contact_forms import (
    CONTACT_FORM,
    mark_left,
    open_contact_form,
    read_contact,
    read_contact_form,
)
from commands.accounts.versions import CONTACT, get_undoable, require_unchanged, seen_now, undo_ref
from commands.blocks.accounts import ADD_CONTACT, CONTACTS, add_contact_button, contacts_button, shown_name
from commands.blocks.contacts import DO, LEFT, REMOVE, contact_line, contact_menu, person_words, sponsor_line
from commands.kit import Element, actions, button, context, message, section
from commands.naming import find_account_here, find_only_account
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Command, Form, Message, Ref, Reply, Slice, Whisper, answer_in_place
from commands.typed import get_today, writes_if_typed
from rules.accounts.contacts import (
    ContactDraft,
    ContactIntent,
    RemoveContact,
    RestoreContact,
    decide_contact,
    decide_contact_change,
    put_contact_back,
)
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.records import ContactRole
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.accounts.contacts import ContactRow, apply_contacts, get_contact, list_contacts, to_contact_draft
from storage.audit import find_change
from storage.db import Tx

REMOVE_SURE, UNDO, UNDO_CHANGE, UNDO_REMOVE = (
    "contacts.remove",
    "contacts.undo",
    "contacts.undo_change",
    "contacts.undo_remove",
)
BACK, MORE = "contacts.back", "contacts.more"
_PAGE_LENGTH = 15
_CHANGED = "contact.changed"


def contacts(call: Call, tx: Tx) -> list[Reply]:
    """`/cs contacts [ACCOUNT]`: the people of an account, by what they are to us."""
    call.require(Permission.READ)
    account = find_only_account(call, tx)
    return [Whisper(ask_which(call) if account is None else _list(call, tx, account, 1))]


def show_contacts(call: Call, tx: Tx) -> list[Reply]:
    """The button: the people of its account."""
    call.require(Permission.READ)
    return [Whisper(_list(call, tx, get_pressed(call, tx), 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next."""
    call.require(Permission.READ)
    return [answer_in_place(call, _list(call, tx, get_pressed(call, tx), wanted_page(call)))]


def contact(call: Call, tx: Tx) -> list[Reply]:
    """`/cs contact ACCOUNT NAME, TITLE, E-MAIL ROLE`: a contact added; without a name, the form."""
    account, rest = find_account_here(call, tx, call.text, is_free_text=True)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [open_contact_form(call.reader, None, ContactDraft(""))]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    draft = read_contact(rest)
    if not draft.name:
        return [open_contact_form(call.reader, account, draft)]
    return [Whisper(_add(call, tx, account, draft))]


def open_add(call: Call, tx: Tx) -> list[Reply]:
    """The button: the empty form for its account."""
    account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [open_contact_form(call.reader, account, ContactDraft(""))]


def choose(call: Call, tx: Tx) -> list[Reply]:
    """The menu behind a contact: edit, has left (the form with today's date), or remove (asks first)."""
    row, account = _get_pressed_contact(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == REMOVE:
        return [Whisper(_ask_remove(call, row, account))]
    draft = to_contact_draft(row)
    shown = mark_left(draft, get_today(call, tx)) if do == LEFT else draft
    return [open_contact_form(call.reader, account, shown, row.id, seen_now(tx, CONTACT, row.id))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: a contact added or changed, or the field at fault named."""
    draft = read_contact_form(call, tx)
    if call.ref is not None and call.ref.kind == "contact":
        row, account = _get_pressed_contact(call, tx)
        return [Whisper(_change(call, tx, row, account, draft))]
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [Whisper(_add(call, tx, account, draft))]


def remove(call: Call, tx: Tx) -> list[Reply]:
    """The answer yes: the contact is off the list."""
    row, account = _get_pressed_contact(call, tx)
    _apply(call, tx, [RemoveContact(row.id)])
    said = call.reader.say("Removed {person} from {account}.", person=person_words(row), account=shown_name(account))
    back = button(call.reader.say("Undo"), UNDO_REMOVE, Ref("contact", row.id))
    shown = message(said, section(said), actions(back, contacts_button(call.reader, account.id)))
    return [answer_in_place(call, shown)]


# ---------------------------------------------------------------- undo


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a contact back that was just added."""
    row, account = _get_pressed_contact(call, tx, is_own_needed=False)
    added = find_change(tx, "contact.added", row.id)
    is_needed = row.removed_at is None and find_change(tx, _CHANGED, row.id) is not None
    author_id = added.actor_id if added else ""
    done = Done(row.created_at, author_id, is_undone=row.removed_at is not None, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    _apply(call, tx, [RemoveContact(row.id, is_undo=True)])
    said = call.reader.say("Undone: {person} of {account}.", person=person_words(row), account=shown_name(account))
    return [answer_in_place(call, message(said))]


def undo_change(call: Call, tx: Tx) -> list[Reply]:
    """Puts what a form changed back as it was."""
    row, account = _get_pressed_contact(call, tx, is_own_needed=False)
    change = get_undoable(call, tx, _CHANGED, CONTACT)
    present = to_contact_draft(row)
    wanted = put_contact_back(present, change.before or {})
    _apply(call, tx, decide_contact_change(row.id, present, wanted, get_today(call, tx), undoes=change.id))
    return [answer_in_place(call, _shown(call, row, account, call.reader.say("Undone:")))]


def undo_remove(call: Call, tx: Tx) -> list[Reply]:
    """Puts a contact back that was just removed."""
    row, account = _get_pressed_contact(call, tx, is_own_needed=False)
    removed = find_change(tx, "contact.removed", row.id)
    if removed is None:
        raise StaleError("There is nothing to undo here any more.")
    done = Done(removed.at, removed.actor_id, is_undone=row.removed_at is None)
    check_undo(done, call.person.id, call.person.role, call.now)
    _apply(call, tx, [RestoreContact(row.id)])
    return [answer_in_place(call, _shown(call, row, account, call.reader.say("Back on the list:")))]


# ---------------------------------------------------------------- writing


def _apply(call: Call, tx: Tx, intents: list[ContactIntent]) -> list[ContactRow]:
    return apply_contacts(tx, intents, call.person.actor, call.now)


def _add(call: Call, tx: Tx, account: AccountRow, draft: ContactDraft) -> Message:
    (row,) = _apply(call, tx, decide_contact(account.id, draft, get_today(call, tx)))
    back = Ref("contact", row.id)
    return _shown(call, row, account, call.reader.say("Added:"), button(call.reader.say("Undo"), UNDO, back))


def _change(call: Call, tx: Tx, row: ContactRow, account: AccountRow, draft: ContactDraft) -> Message:
    require_unchanged(call, tx, CONTACT, row.id)
    intents = decide_contact_change(row.id, to_contact_draft(row), draft, get_today(call, tx))
    if not intents:
        return message(call.reader.say("Nothing was changed."))
    _apply(call, tx, intents)
    back = button(call.reader.say("Undo"), UNDO_CHANGE, undo_ref(tx, "contact", row.id, _CHANGED, CONTACT))
    return _shown(call, row, account, call.reader.say("Changed:"), back)


def _get_pressed_contact(call: Call, tx: Tx, *, is_own_needed: bool = True) -> tuple[ContactRow, AccountRow]:
    """The contact a form or button is about, with its account. `is_own_needed`: the account must be the person's own;
    else `rules.undo` decides.
    """
    row = get_contact(tx, call.ref.id if call.ref and call.ref.kind == "contact" else "")
    account = get_account(tx, row.account_id)
    if is_own_needed:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    else:
        call.require(Permission.ACCOUNT_WRITE)
    return row, account


# ---------------------------------------------------------------- showing


def _shown(call: Call, row: ContactRow, account: AccountRow, first: str, *buttons: Element) -> Message:
    """What became of a contact: "Added: *Jo Doe*, Head of Sales · sponsor · Acme Corp"."""
    said = f"{first} {contact_line(call.reader, row)} · {shown_name(account)}"
    return message(said, section(said), actions(*buttons, contacts_button(call.reader, account.id)))


def _ask_remove(call: Call, row: ContactRow, account: AccountRow) -> Message:
    reader, name = call.reader, person_words(row)
    title = reader.say("Remove {person} from {account}?", person=name, account=shown_name(account))
    hint = reader.say("For somebody who changed jobs choose “Has left” instead: then it stays known who they were.")
    yes = button(reader.say("Remove"), REMOVE_SURE, Ref("contact", row.id), style="danger")
    return message(title, section(title), context(hint), actions(yes))


def _list(call: Call, tx: Tx, account: AccountRow, wanted: int) -> Message:
    reader, rows = call.reader, list_contacts(tx, account.id)
    name = f"*{shown_name(account)}*"
    if not rows:
        text = reader.say("{account} has no contacts yet. Who is the sponsor, who uses it every day?", account=name)
        hint = reader.say("Type one like `/cs contact acme Jo Doe, Head of Sales, jo@example.com sponsor`.")
        add = add_contact_button(reader, account.id, is_primary=True)
        return message(text, section(text), context(hint), actions(add))
    page = Page(len(rows), _PAGE_LENGTH, wanted)
    title = reader.say_many("{account}: {count} contact", "{account}: {count} contacts", len(rows), account=name)
    lines = [section(contact_line(reader, row), accessory=contact_menu(reader, row)) for row in page.cut(rows)]
    sponsors = [row for row in rows if row.role is ContactRole.SPONSOR]
    is_gone = bool(sponsors) and all(row.left_on for row in sponsors)
    warning = [context(sponsor_line(reader, sponsors))] if is_gone else []
    turns = page.turns(reader, BACK, MORE, Ref("account", account.id))
    return message(title, section(title), *warning, *lines, *turns, actions(add_contact_button(reader, account.id)))


SLICE = Slice(
    name="contacts",
    commands=(
        Command("contacts", "[ACCOUNT]", "The people at a customer", contacts, "reads", ("contacts acme",)),
        Command(
            "contact",
            "[ACCOUNT] NAME, TITLE, E-MAIL [sponsor|champion|decision maker|user|technical|billing]",
            "Add a contact",
            contact,
            writes_if_typed,
            ("contact acme Jo Doe, Head of Sales, jo@example.com sponsor", "contact acme"),
        ),
    ),
    buttons=(
        Button(CONTACTS, show_contacts, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(MORE, turn_page, "reads"),
        Button(ADD_CONTACT, open_add, "reads"),
        Button(DO, choose, "reads"),
        Button(REMOVE_SURE, remove, "writes"),
        Button(UNDO, undo, "writes"),
        Button(UNDO_CHANGE, undo_change, "writes"),
        Button(UNDO_REMOVE, undo_remove, "writes"),
    ),
    forms=(Form(CONTACT_FORM, submit),),
)
