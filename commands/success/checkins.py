"""Check-ins: `/cs checkin` with its form, `/cs checkins`, undo of a whole check-in, and the slice that names them all.
Owns storing one; refuses to read the form (`checkin_forms`), to word it (`checkin_summary`) and offers
(`checkin_offers`).
"""

from __future__ import annotations

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import OPEN_CHECKIN
from commands.kit import actions, button, context, message
from commands.naming import find_only_account
from commands.slice import Button, Call, Command, Form, Message, Ref, Reply, Slice, Whisper, answer_in_place
from commands.success import checkin_lists, checkin_offers
from commands.success.checkin_forms import CHECKIN_FORM, open_checkin_form, read_checkin_form, require_checkin
from commands.success.checkin_summary import render_summary_of, summarise
from commands.typed import get_today
from rules.people.roles import Permission
from rules.success.checkins import RemoveCheckin, decide_checkin
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.alerts.settling import settle_missing_values
from storage.db import Tx
from storage.success.checkin_writes import OFFERS, SUMMARY, apply_checkins, find_summary_channel, is_checkin_needed
from storage.success.checkins import CheckinRow, get_checkin

UNDO = "checkins.undo"


def checkin(call: Call, tx: Tx) -> list[Reply]:
    """`/cs checkin ACCOUNT`: the form; with nothing typed and no account in the channel: those that are due."""
    account = find_only_account(call, tx)
    return checkin_lists.show_list(call, tx) if account is None else _open(call, tx, account)


def open_checkin(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account."""
    return _open(call, tx, get_account(tx, call.ref.id if call.ref else ""))


def submit_checkin(call: Call, tx: Tx) -> list[Reply]:
    """The form: everything in it is stored together, or the field at fault is named and nothing is."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_checkin(call, tx, account)
    whole = read_checkin_form(call, tx, account, get_today(call, tx))
    (row,) = apply_checkins(tx, decide_checkin(whole), call.person.actor, call.now)
    measured = {each.metric_key for each in whole.values}
    settle_missing_values(tx, account.id, measured, call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    return [Whisper(_said(call, tx, account, row))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a check-in back with its values, risk and next step, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_checkin(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    is_undone = row.removed_at is not None
    is_needed = not is_undone and is_checkin_needed(tx, row)
    done = Done(row.created_at, row.author_id or "", is_undone=is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_checkins(tx, [RemoveCheckin(row.id)], call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    said = call.reader.say(
        "Undone: the check-in with {account}, and all that was saved with it.", account=f"*{shown_name(account)}*"
    )
    return [answer_in_place(call, message(said))]


def _open(call: Call, tx: Tx, account: AccountRow) -> list[Reply]:
    require_checkin(call, tx, account)
    return [open_checkin_form(call, tx, account, get_today(call, tx))]


def _said(call: Call, tx: Tx, account: AccountRow, row: CheckinRow) -> Message:
    """The summary for the person who saved it, with the way back."""
    title, blocks = summarise(call.reader, tx, account, row)
    if channel := find_summary_channel(tx, account):
        blocks.append(context(call.reader.say("Posted in {channel}", channel=f"<#{channel}>")))
    return message(title, *blocks, actions(button(call.reader.say("Undo"), UNDO, Ref("checkin", row.id))))


SLICE = Slice(
    "checkins",
    commands=(
        Command(
            "checkin",
            "ACCOUNT",
            "Check in with an account: pulse, values, risk and next step in one form",
            checkin,
            "reads",
            ("checkin acme", "checkin"),
        ),
        Command(
            "checkins",
            "[mine | all | @person]",
            "See which check-ins are due",
            checkin_lists.show_list,
            "reads",
            ("checkins", "checkins all"),
        ),
    ),
    buttons=(
        Button(OPEN_CHECKIN, open_checkin, "reads"),
        Button(UNDO, undo, "writes"),
        *checkin_lists.BUTTONS,
        *checkin_offers.BUTTONS,
    ),
    forms=(Form(CHECKIN_FORM, submit_checkin), *checkin_offers.FORMS),
    renders={OFFERS: checkin_offers.render_batch_of, SUMMARY: render_summary_of},
)
