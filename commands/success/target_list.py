"""An account's targets, a page at a time: what `/cs target ACCOUNT` says. Changes nothing."""

from __future__ import annotations

from datetime import date

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.targets import (
    ALL_TARGETS,
    add_target_button,
    log_button,
    metrics_button,
    show_target_button,
    target_lines,
)
from commands.kit import Json, actions, context, message, section
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Message, Ref, Reply, answer_in_place
from commands.success.target_words import EXAMPLE
from commands.typed import get_today
from rules.people.roles import Permission
from rules.success.targets import assess
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.success.metrics import name_metrics
from storage.success.targets import list_target_facts
from words.reader import Reader

PREVIOUS, NEXT = "targets.previous", "targets.next"
LIST_LENGTH = 10


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """The list of the call's account, and the buttons under it."""
    account = get_account(tx, call.ref.id if call.ref else "")
    return [answer_in_place(call, render_list(call, tx, account, wanted_page(call), get_today(call, tx)))]


def render_list(call: Call, tx: Tx, account: AccountRow, wanted: int, today: date) -> Message:
    """The `wanted`th (from 1) ten targets: those in force by due date, then those that were replaced."""
    reader = call.reader
    require_on(call, tx, Permission.READ, account)
    known = list_target_facts(tx, [account.id], today).get(account.id, [])
    if not known:
        return _empty(reader, account)
    known.sort(key=lambda each: each[1].is_replaced)
    page = Page(len(known), LIST_LENGTH, wanted)
    shown = page.cut(known)
    names = name_metrics(tx, {row.metric_key for row, _facts in shown}, reader.locale)
    title = reader.say_many(
        "{account}: {count} target", "{account}: {count} targets", len(known), account=f"*{shown_name(account)}*"
    )
    lines: list[Json] = [
        section(
            target_lines(reader, row, assess(facts, today), names[row.metric_key]),
            accessory=show_target_button(reader, row.id),
        )
        for row, facts in shown
    ]
    return message(
        title,
        section(title),
        *lines,
        *page.turns(reader, PREVIOUS, NEXT, Ref("account", account.id)),
        actions(log_button(reader, account.id), add_target_button(reader, account.id), metrics_button(reader)),
    )


def _empty(reader: Reader, account: AccountRow) -> Message:
    text = reader.say("{account} has no targets yet.", account=f"*{shown_name(account)}*")
    hint = reader.say("Agree on one: {example}", example=EXAMPLE)
    return message(
        text, section(text), context(hint), actions(add_target_button(reader, account.id), metrics_button(reader))
    )


BUTTONS = (
    Button(ALL_TARGETS, turn_page, "reads"),
    Button(PREVIOUS, turn_page, "reads"),
    Button(NEXT, turn_page, "reads"),
)
