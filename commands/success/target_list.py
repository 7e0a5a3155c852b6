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
from commands.kit import Json, actions, button, context, message, section
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
    page = call.ref.extra.get("page", "1") if call.ref else "1"
    shown = render_list(call, tx, account, int(page) if page.isdecimal() else 1, get_today(call, tx))
    return [answer_in_place(call, shown)]


def render_list(call: Call, tx: Tx, account: AccountRow, page: int, today: date) -> Message:
    """The `page`th (from 1) ten targets: those in force by due date, then those that were replaced."""
    reader = call.reader
    require_on(call, tx, Permission.READ, account)
    known = list_target_facts(tx, [account.id], today).get(account.id, [])
    if not known:
        return _empty(reader, account)
    known.sort(key=lambda each: each[1].is_replaced)
    pages = -(-len(known) // LIST_LENGTH)
    page = max(1, min(page, pages))
    shown = known[(page - 1) * LIST_LENGTH : page * LIST_LENGTH]
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
    place = reader.say("page {page} of {pages}", page=reader.number(page), pages=reader.number(pages))
    return message(
        title,
        section(title),
        *lines,
        *([context(place)] if pages > 1 else []),
        actions(log_button(reader, account.id), add_target_button(reader, account.id), metrics_button(reader)),
        *_turns(reader, account, page, pages),
    )


def _turns(reader: Reader, account: AccountRow, page: int, pages: int) -> list[Json]:
    buttons = [
        button(label, action, Ref("account", account.id, {"page": str(to)}))
        for action, label, to in ((PREVIOUS, reader.say("Previous"), page - 1), (NEXT, reader.say("Next"), page + 1))
        if 1 <= to <= pages
    ]
    return [actions(*buttons)] if buttons else []


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
