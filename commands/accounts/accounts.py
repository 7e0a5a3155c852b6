"""Accounts: `/cs list`, `/cs show`, `/cs add`, their forms, pages and undo; with `account_edits` and `account_archive`
all that people do with the accounts themselves. Refuses targets, health and alerts beyond showing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from commands.accounts import account_archive, account_edits, contacts, timeline
from commands.accounts.account_card import (
    ALERTS,
    CHANGE,
    HEALTH,
    MORE,
    PUT_AWAY,
    SHOW_CONTACTS,
    SHOW_TIMELINE,
    render_card,
)
from commands.accounts.account_edits import change_account
from commands.accounts.account_forms import ACCOUNT_FORM, open_account_form, read_account, read_account_form
from commands.accounts.account_list import ADD, NEXT, PREVIOUS, render_list
from commands.accounts.asking import ask_which, get_pressed
from commands.alerts.alert_lists import show_account
from commands.blocks.accounts import SHOW, shown_name
from commands.health.health_card import render_health
from commands.kit import actions, button, message, section
from commands.naming import ACCOUNT_CHOICE, ACCOUNT_MENU, find_only_account
from commands.pages import wanted_page
from commands.slice import Button, Call, Command, Form, Handler, Message, Ref, Reply, Slice, Whisper, answer_in_place
from commands.typed import get_today, writes_if_typed
from rules.accounts.accounts import AccountDraft, RemoveAccount, decide_add
from rules.errors import StaleError, UserError
from rules.people.roles import Permission
from rules.undo import Done, check_undo
from storage.accounts.account_writes import apply_accounts, is_account_needed
from storage.accounts.accounts import AccountRow, find_account, find_same, get_account
from storage.audit import find_change
from storage.db import Tx

UNDO = "accounts.undo"


def list_(call: Call, tx: Tx) -> list[Reply]:
    """`/cs list [mine|red|A …]`: the first page."""
    call.require(Permission.READ)
    return [Whisper(render_list(call, tx, call.text, 1, get_today(call, tx)))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next: the page the button names, in place of the one it sits on."""
    call.require(Permission.READ)
    extra: Mapping[str, str] = call.ref.extra if call.ref else {}
    shown = render_list(call, tx, extra.get("text", ""), wanted_page(call), get_today(call, tx))
    return [answer_in_place(call, shown)]


def show(call: Call, tx: Tx) -> list[Reply]:
    """`/cs show ACCOUNT`: one account on one page; without a name, a menu to choose from."""
    call.require(Permission.READ)
    account = find_only_account(call, tx)
    if account is None:
        return [Whisper(ask_which(call))]
    return [Whisper(render_card(call.reader, tx, account, get_today(call, tx)))]


def show_pressed(call: Call, tx: Tx) -> list[Reply]:
    """The button or menu: the account it is about."""
    call.require(Permission.READ)
    return [Whisper(render_card(call.reader, tx, get_pressed(call, tx), get_today(call, tx)))]


def show_health(call: Call, tx: Tx) -> list[Reply]:
    """The button: how healthy the account is and what moved it."""
    call.require(Permission.READ)
    return [Whisper(render_health(call.reader, tx, get_pressed(call, tx), get_today(call, tx)))]


def show_alerts(call: Call, tx: Tx) -> list[Reply]:
    """The button: the account's open alerts."""
    return show_account(call, tx, get_pressed(call, tx).id)


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The menu at the end of the card."""
    acts: Mapping[str, Handler] = {
        SHOW_CONTACTS: contacts.show_contacts,
        SHOW_TIMELINE: timeline.show,
        CHANGE: account_edits.open_edit,
        PUT_AWAY: account_archive.ask_archive,
    }
    do = call.ref.extra.get("do", "") if call.ref else ""
    return list(acts.get(do, show_pressed)(call, tx))


def add(call: Call, tx: Tx) -> list[Reply]:
    """`/cs add NAME …`: an account stored; without a name, the form."""
    call.require(Permission.ACCOUNT_ADD)
    if not call.text.strip():
        return [open_account_form(call, tx, AccountDraft("", owner_id=call.person.id))]
    draft = read_account(call.text, tx, get_today(call, tx))
    return [Whisper(_add(call, tx, replace(draft, owner_id=draft.owner_id or call.person.id)))]


def open_add(call: Call, tx: Tx) -> list[Reply]:
    """The button: the empty form."""
    call.require(Permission.ACCOUNT_ADD)
    return [open_account_form(call, tx, AccountDraft("", owner_id=call.person.id))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: an account added or changed, or the field at fault named."""
    draft = read_account_form(call, tx)
    if call.ref is not None and call.ref.id:
        return [Whisper(change_account(call, tx, get_account(tx, call.ref.id), draft))]
    call.require(Permission.ACCOUNT_ADD)
    return [Whisper(_add(call, tx, draft))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes an account back that nothing depends on, within the time and by whom `rules.undo` allows."""
    account_id = call.ref.id if call.ref else ""
    row = find_account(tx, account_id)
    if row is None and find_change(tx, "account.undone", account_id) is not None:
        raise StaleError("This was already undone.")
    account = get_account(tx, account_id)
    added = find_change(tx, "account.added", account_id)
    author_id = added.actor_id if added else ""
    done = Done(account.created_at, author_id, is_needed=is_account_needed(tx, account_id))
    check_undo(done, call.person.id, call.person.role, call.now)
    said = call.reader.say("Undone: {account} was removed.", account=shown_name(account))
    apply_accounts(tx, [RemoveAccount(account_id)], call.person.actor, call.now)
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- writing


def _add(call: Call, tx: Tx, draft: AccountDraft) -> Message:
    intents = decide_add(draft)
    same = find_same(tx, draft.name, draft.external_id)
    if same is not None:
        return _exists(call, tx, same)
    (row,) = apply_accounts(tx, intents, call.person.actor, call.now)
    text = call.reader.say("Added {account}.", account=f"*{shown_name(row)}*")
    taken_back = button(call.reader.say("Undo"), UNDO, Ref("account", row.id))
    card = render_card(call.reader, tx, row, get_today(call, tx))
    return message(text, section(text), actions(taken_back), *card.blocks)


def _exists(call: Call, tx: Tx, same: AccountRow) -> Message:
    if same.archived_at is not None:
        sentence = "{account} exists, but was archived. Bring it back with `/cs restore` and its name."
        raise UserError(sentence, account=same.name)
    text = call.reader.say("{account} exists already; nothing was added.", account=f"*{shown_name(same)}*")
    return message(text, section(text), *render_card(call.reader, tx, same, get_today(call, tx)).blocks)


SLICE = Slice(
    name="accounts",
    commands=(
        Command(
            "list",
            "[mine] [red|yellow|green] [A|B|C|D]",
            "List accounts with health and renewal",
            list_,
            "reads",
            ("list mine red", "list A", "list trial"),
        ),
        Command(
            "show",
            "ACCOUNT",
            "One account on one page: targets, health, alerts, renewal",
            show,
            "reads",
            ("show acme",),
        ),
        Command(
            "add",
            "NAME [tier A] [seats 60] [country DE] [since …] [industry …] [id …] [aka …] [@owner] [#channel]",
            "Add an account",
            add,
            writes_if_typed,
            ("add Acme Corp tier A seats 60 aka ACM", "add"),
        ),
        account_edits.COMMAND,
        *account_archive.COMMANDS,
    ),
    buttons=(
        Button(PREVIOUS, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
        Button(SHOW, show_pressed, "reads"),
        Button(ACCOUNT_MENU, show_pressed, "reads"),
        Button(HEALTH, show_health, "reads"),
        Button(ALERTS, show_alerts, "reads"),
        Button(MORE, choose_more, "reads"),
        Button(ADD, open_add, "reads"),
        Button(UNDO, undo, "writes"),
        *account_edits.BUTTONS,
        *account_archive.BUTTONS,
    ),
    forms=(Form(ACCOUNT_FORM, submit),),
    choices=(ACCOUNT_CHOICE,),
)
