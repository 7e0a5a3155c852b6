"""Mutes to look at: the list, one in words, the form. Owns their layout; refuses to mute (`commands.alerts.mutes`)."""

from __future__ import annotations

from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.timeline import alert_words
from commands.kit import (
    Element,
    Json,
    actions,
    button,
    clip,
    context,
    date_picker,
    esc,
    form_field,
    loaded_menu,
    mention,
    menu,
    message,
    section,
    text_input,
)
from commands.naming import ACCOUNT_MENU
from commands.pages import Page
from commands.slice import Call, FormView, Message, Ref
from rules.alerts.mutes import LONGEST_MUTE, REASON_LENGTH
from rules.records import AlertKind
from storage.accounts.accounts import AccountRow, get_accounts
from storage.alerts.mutes import MuteRow, count_mutes, list_mutes
from storage.db import Tx
from storage.people.members import get_members
from words.reader import Reader

LIST, BACK, NEXT = "mutes.list", "mutes.back", "mutes.next"
MUTE, UNMUTE, FORM = "mutes.add", "mutes.end", "mutes.form"
ALL = "all"
LENGTH = 10


def render_mutes(call: Call, tx: Tx, wanted: int) -> Message:
    """The `wanted`th page (from 1) of what is muted, what ends first before the rest."""
    reader, page = call.reader, Page(count_mutes(tx), LENGTH, wanted)
    add = button(reader.say("Mute…"), MUTE, Ref("mutes", ""))
    if not page.total:
        hint = reader.say("Mute what you know about: `/cs alerts mute acme until 1 Sep merger under way`")
        title = reader.say("Nothing is muted.")
        return message(title, section(title), context(hint), actions(add))
    rows = list_mutes(tx, limit=LENGTH, offset=page.offset)
    title = reader.say_many("{count} mute", "{count} mutes", page.total)
    turns = page.buttons(reader, BACK, NEXT, Ref("mutes", ""))
    lines = _list_lines(call, tx, rows)
    return message(title, section(f"*{title}*"), *lines, *page.place_line(reader), actions(*turns, add))


def _list_lines(call: Call, tx: Tx, rows: list[MuteRow]) -> list[Json]:
    reader = call.reader
    accounts = get_accounts(tx, sorted({row.account_id for row in rows if row.account_id}))
    people = get_members(tx, [row.created_by for row in rows])
    lines = []
    for row in rows:
        what = _words(reader, row, accounts.get(row.account_id or ""))
        parts = [f"*{what}*", reader.say("until {time}", time=reader.moment(row.until))]
        if row.created_by in people:
            parts.append(mention(people[row.created_by].slack_id))
        why = f"\n{esc(clip(row.reason, REASON_LENGTH))}" if row.reason else ""
        lines.append(section(" · ".join(parts) + why, accessory=unmute_button(reader, row.id)))
    return lines


def scope_words(call: Call, tx: Tx, row: MuteRow) -> str:
    """What a mute is about."""
    accounts = get_accounts(tx, [row.account_id] if row.account_id else [])
    return _words(call.reader, row, accounts.get(row.account_id or ""))


def _words(reader: Reader, row: MuteRow, account: AccountRow | None) -> str:
    kind = alert_words(reader, AlertKind(row.kind)) if row.kind else ""
    if account is None:
        return kind or reader.say("every alert of the workspace")
    name = shown_name(account)
    return f"{name}: {kind}" if kind else reader.say("every alert of {name}", name=name)


def unmute_button(reader: Reader, mute_id: str) -> Element:
    """The button that ends a mute."""
    return button(reader.say("Unmute"), UNMUTE, Ref("mute", mute_id))


def mute_form(
    reader: Reader, account: AccountRow | None, kind: AlertKind | None, until: date, reason: str = ""
) -> FormView:
    """What, until when and why; an account that is known stands there, else it may be chosen."""
    kinds = [(ALL, reader.say("every kind")), *((each.value, alert_words(reader, each)) for each in AlertKind)]
    days = reader.say_many("{count} day at most", "{count} days at most", LONGEST_MUTE.days)
    blocks = (
        _account_block(reader, account),
        form_field("kind", reader.say("Which alerts"), menu("value", "…", kinds, initial=kind or ALL)),
        form_field("until", reader.say("Until the morning of"), date_picker(initial=until), hint=days),
        form_field(
            "note",
            reader.say("Why"),
            text_input(is_long=True, max_length=REASON_LENGTH, initial=reason),
            is_optional=True,
        ),
    )
    ref = Ref("account", account.id) if account else None
    return FormView(FORM, reader.say("Mute alerts"), blocks, reader.say("Mute"), ref)


def _account_block(reader: Reader, account: AccountRow | None) -> Json:
    if account is not None:
        return section(f"*{shown_name(account)}*")
    return form_field(
        "account",
        reader.say("Account"),
        loaded_menu(ACCOUNT_MENU, reader.say("Type a name")),
        hint=reader.say("Empty: of every account. That needs a lead."),
        is_optional=True,
    )
