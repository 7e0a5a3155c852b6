"""`/cs alerts log ACCOUNT`: everything that ever happened to an account's alerts, newest first, a page at a time. Owns
this list; refuses to explain an alert (`commands.alerts.why`).
"""

from __future__ import annotations

from collections.abc import Mapping

from commands.blocks.accounts import shown_name
from commands.blocks.alert_words import event_words
from commands.blocks.alerts import open_button
from commands.blocks.timeline import alert_words
from commands.kit import context, mention, message, section
from commands.naming import resolve_account
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Message, Ref, Reply, Whisper, answer_in_place
from rules.people.roles import Permission
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.alerts.history import count_events, list_events
from storage.db import Tx
from storage.people.members import get_members
from words.reader import Reader

LOG_BACK, LOG_MORE = "alerts.log_back", "alerts.log_more"
LENGTH = 12


def show_log(call: Call, tx: Tx, words: str) -> list[Reply]:
    """The latest page."""
    call.require(Permission.READ)
    account, _rest = resolve_account(call, tx, words)
    return [Whisper(_page(call, tx, account, 1))]


def turn_log(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next."""
    call.require(Permission.READ)
    account = get_account(tx, call.ref.id if call.ref and call.ref.kind == "account" else "")
    return [answer_in_place(call, _page(call, tx, account, wanted_page(call)))]


def _page(call: Call, tx: Tx, account: AccountRow, wanted: int) -> Message:
    reader = call.reader
    page = Page(count_events(tx, account.id), LENGTH, wanted)
    title = reader.say_many(
        "{name}: {count} entry about its alerts",
        "{name}: {count} entries about its alerts",
        page.total,
        name=f"*{shown_name(account)}*",
    )
    if not page.total:
        return message(
            title, section(title), context(reader.say("It never had an alert. See also `/cs alerts rules`."))
        )
    found = list_events(tx, account.id, limit=LENGTH, offset=page.offset)
    people = get_members(tx, [line.actor_id for line, _row in found])
    names = {id_: mention(member.slack_id) for id_, member in people.items()}
    lines = [section(_line(reader, line, row, names), accessory=open_button(reader, row.id)) for line, row in found]
    return message(title, section(title), *lines, *page.turns(reader, LOG_BACK, LOG_MORE, Ref("account", account.id)))


def _line(reader: Reader, line: AlertEventRow, row: EpisodeRow, names: Mapping[str, str]) -> str:
    who = names.get(line.actor_id) or "Milepost"
    return f"{reader.moment(line.at)} · {alert_words(reader, row.kind)} · {event_words(reader, line)} · {who}"


BUTTONS = (Button(LOG_BACK, turn_log, "reads"), Button(LOG_MORE, turn_log, "reads"))
