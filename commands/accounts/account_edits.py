"""Changing an account: `/cs edit`, its form, what changed told field by field, taking that back. Owns these acts;
refuses to add accounts and to put them away.
"""

from __future__ import annotations

from commands.access import require_on
from commands.accounts.account_changes import change_words
from commands.accounts.account_channel import channel_note
from commands.accounts.account_forms import open_account_form
from commands.accounts.asking import ask_which, get_pressed
from commands.accounts.versions import ACCOUNT, get_undoable, require_unchanged, seen_now, undo_ref
from commands.blocks.accounts import EDIT, show_button, shown_name
from commands.kit import actions, button, context, esc, message, section
from commands.naming import find_only_account
from commands.slice import Button, Call, Command, Message, OpenForm, Reply, Whisper, answer_in_place
from rules.accounts.accounts import AccountDraft, decide_change, put_back
from rules.people.roles import Permission
from storage.accounts.account_writes import apply_accounts
from storage.accounts.accounts import AccountRow, to_draft
from storage.alerts.alerts import enqueue_refresh
from storage.alerts.announcements import decide_holds_afresh
from storage.db import Tx

UNDO_CHANGE = "accounts.undo_change"
_CHANGED = "account.changed"


def edit(call: Call, tx: Tx) -> list[Reply]:
    """`/cs edit ACCOUNT`: its form, with everything in it."""
    call.require(Permission.ACCOUNT_WRITE)
    account = find_only_account(call, tx)
    return [Whisper(ask_which(call)) if account is None else _open(call, tx, account)]


def open_edit(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form of an account that exists."""
    return [_open(call, tx, get_pressed(call, tx))]


def change_account(call: Call, tx: Tx, account: AccountRow, wanted: AccountDraft) -> Message:
    """Write what differs and tell it. Raises `StaleError` where somebody else changed it after the form was opened."""
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    if wanted.owner_id != account.owner_id:
        require_on(call, tx, Permission.ASSIGN, account)
    require_unchanged(call, tx, ACCOUNT, account.id)
    present = to_draft(tx, account)
    intents = decide_change(account.id, present, wanted)
    if not intents:
        return message(call.reader.say("Nothing was changed."))
    (row,) = apply_accounts(tx, intents, call.person.actor, call.now)
    _show_alerts(call, tx, present, wanted, row.id)
    what = change_words(call.reader, tx, present, wanted)
    said = call.reader.say("Changed {account}: {what}", account=f"*{shown_name(row)}*", what=what)
    back = button(call.reader.say("Undo"), UNDO_CHANGE, undo_ref(tx, "account", row.id, _CHANGED, ACCOUNT))
    note = channel_note(call.reader, tx, wanted.channel_id) if wanted.channel_id != present.channel_id else ""
    hint = [context(esc(note))] if note else []
    return message(said, section(said), *hint, actions(back, show_button(call.reader, row.id)))


def undo_change(call: Call, tx: Tx) -> list[Reply]:
    """Puts the fields of a change back as they were, within the time and by whom `rules.undo` allows."""
    account = get_pressed(call, tx)
    call.require(Permission.ACCOUNT_WRITE)
    change = get_undoable(call, tx, _CHANGED, ACCOUNT)
    present = to_draft(tx, account)
    wanted = put_back(present, change.before or {})
    intents = decide_change(account.id, present, wanted, undoes=change.id)
    apply_accounts(tx, intents, call.person.actor, call.now)
    _show_alerts(call, tx, present, wanted, account.id)
    what = change_words(call.reader, tx, present, wanted)
    said = call.reader.say("Undone for {account}: {what}", account=f"*{shown_name(account)}*", what=what)
    return [answer_in_place(call, message(said))]


def _show_alerts(call: Call, tx: Tx, present: AccountDraft, wanted: AccountDraft, account_id: str) -> None:
    """Anew, and where they were held for the hours of another owner, by those of the present one."""
    if wanted.owner_id != present.owner_id:
        decide_holds_afresh(tx, [account_id])
    enqueue_refresh(tx, account_id, call.now)


def _open(call: Call, tx: Tx, account: AccountRow) -> OpenForm:
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return open_account_form(call, tx, to_draft(tx, account), account.id, seen_now(tx, ACCOUNT, account.id))


COMMAND = Command(
    "edit",
    "[ACCOUNT]",
    "Change an account: name, tier, owner, country …",
    edit,
    "reads",
    ("edit acme", "edit"),
)
BUTTONS = (Button(EDIT, open_edit, "reads"), Button(UNDO_CHANGE, undo_change, "writes"))
