"""The timeline: `/cs timeline ACCOUNT`, what happened to an account, newest first, a page at a time. Owns which lines
are told and what they name; the sentences are in `commands.blocks.timeline`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from commands.accounts.account_changes import difference_words
from commands.accounts.asking import ask_which, get_pressed
from commands.blocks.accounts import TIMELINE, note_button, show_button, shown_name
from commands.blocks.notes import quoted
from commands.blocks.timeline import Entry, alert_words, entry_line
from commands.kit import actions, context, mention, message, section
from commands.naming import find_account_here
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Command, Message, Ref, Reply, Slice, Whisper, answer_in_place
from commands.typed import get_today
from rules.accounts.accounts import AccountDraft, put_back
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import AlertKind
from storage.accounts.accounts import AccountRow
from storage.audit import AuditRow, count_of_account, list_of_account
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from storage.success.metrics import name_metrics
from storage.timeline import read_titles, read_units
from words.reader import Reader

BACK, MORE = "timeline.back", "timeline.more"
PAGE_LENGTH = 12
_KINDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "notes": ("note",),
    "contacts": ("contact",),
    "targets": ("target", "measurement", "targets", "measurements"),
    "alerts": ("episode",),
    "journey": ("journey", "milestone"),
    "checkins": ("checkin", "offer"),
    "tasks": ("task", "risk"),
    "renewals": ("renewal", "contract", "contracts"),
    "account": ("account", "accounts", "account_aliases"),
    "全部": (),
    "笔记": ("note",),
    "联系人": ("contact",),
    "目标": ("target", "measurement", "targets", "measurements"),
    "警报": ("episode",),
}


def timeline(call: Call, tx: Tx) -> list[Reply]:
    """`/cs timeline ACCOUNT [notes|targets|alerts|…]`: the latest page."""
    call.require(Permission.READ)
    account, rest = find_account_here(call, tx, call.text, is_free_text=True)
    if account is None:
        return [Whisper(ask_which(call))]
    return [Whisper(_page(call, tx, account, _read_kind(rest), 1))]


def show(call: Call, tx: Tx) -> list[Reply]:
    """The button: the latest page of its account."""
    call.require(Permission.READ)
    return [Whisper(_page(call, tx, get_pressed(call, tx), "all", 1))]


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous and Next."""
    call.require(Permission.READ)
    kind = call.ref.extra.get("kind", "all") if call.ref else "all"
    account = get_pressed(call, tx)
    return [answer_in_place(call, _page(call, tx, account, _read_kind(kind), wanted_page(call)))]


def _read_kind(text: str) -> str:
    word = text.strip().lower().replace("-", "")
    found = word or "all"
    found = found if found in _KINDS else f"{found}s"
    if found not in _KINDS:
        sentence = (
            "I cannot tell of “{word}”. Use notes, contacts, targets, alerts, journey, checkins, tasks or renewals."
        )
        raise UserError(sentence, word=text)
    return found


def _page(call: Call, tx: Tx, account: AccountRow, kind: str, wanted: int) -> Message:
    reader, name = call.reader, f"*{shown_name(account)}*"
    page = Page(count_of_account(tx, account.id, _KINDS[kind]), PAGE_LENGTH, wanted)
    buttons = actions(note_button(reader, account.id), show_button(reader, account.id))
    if not page.total:
        text = reader.say("{account}: nothing of this kind has happened yet.", account=name)
        return message(text, section(text), buttons)
    rows = list_of_account(tx, account.id, _KINDS[kind], limit=PAGE_LENGTH, offset=page.offset)
    title = reader.say_many("{account}: {count} entry", "{account}: {count} entries", page.total, account=name)
    today = get_today(call, tx)
    lines = [context(entry_line(reader, entry, today)) for entry in _read_entries(reader, tx, rows)]
    turns = page.turns(reader, BACK, MORE, Ref("account", account.id, {"kind": kind}))
    return message(title, section(title), *lines, *turns, buttons)


def _read_entries(reader: Reader, tx: Tx, rows: Sequence[AuditRow]) -> list[Entry]:
    """The lines with all they name, in a fixed number of queries."""
    titles = read_titles(tx, rows)
    keys = [str(titles[row.object_id]) for row in rows if row.object_kind in _MEASURED and row.object_id in titles]
    keys += filter(None, map(_imported_metric, rows))
    names, units = name_metrics(tx, keys, reader.locale), read_units(tx, keys)
    metrics = {key: (names[key], units.get(key, "")) for key in names}
    owners = [each.get("owner_id") for row in rows for each in (row.before or {}, row.after or {})]
    actors = [row.actor_id for row in rows if row.actor_kind == "member"]
    people = get_members(tx, [*actors, *(id_ for id_ in owners if isinstance(id_, str))])
    return [
        Entry(row, _who(reader, row, people), *_name(reader, row, titles.get(row.object_id), metrics, people))
        for row in rows
    ]


_MEASURED = frozenset({"target", "measurement"})


def _who(reader: Reader, row: AuditRow, people: Mapping[str, MemberRow]) -> str:
    if row.actor_kind != "member":
        return reader.say("An import") if row.actor_kind == "import" else "Milepost"
    member = people.get(row.actor_id)
    return mention(member.slack_id) if member else reader.say("somebody who left")


def _name(
    reader: Reader,
    row: AuditRow,
    title: Any,
    metrics: Mapping[str, tuple[str, str]],
    people: Mapping[str, MemberRow],
) -> tuple[str, str]:
    """What the object of a line is called, and the details of the change; "" where there are none."""
    if row.object_kind == "account":
        return "", _difference(reader, row, people)
    if row.object_kind in _MEASURED or _imported_metric(row):
        key = _imported_metric(row) or str(title or "")
        name, unit = metrics.get(key, (key, ""))
        return quoted(name), _figures(reader, row, unit)
    if isinstance(title, AlertKind):
        return alert_words(reader, title), ""
    if isinstance(title, date):
        return reader.date(title), ""
    facts = row.after or row.before or {}
    is_gone_note = row.object_kind == "note"
    return quoted(str(title or ("" if is_gone_note else facts.get("name") or ""))), ""


def _imported_metric(row: AuditRow) -> str:
    """The key of the metric that an imported value or target is about; "" for any other line."""
    return str((row.after or {}).get("metric_key") or "") if row.verb == "import" else ""


def _difference(reader: Reader, row: AuditRow, people: Mapping[str, MemberRow]) -> str:
    blank = AccountDraft("")
    return difference_words(reader, people, put_back(blank, row.before or {}), put_back(blank, row.after or {}))


def _figures(reader: Reader, row: AuditRow, unit: str) -> str:
    """The value logged, or where a target goes: "from 5 % to 10 % by 31 Dec 2026"."""
    facts = row.after or row.before or {}
    unit = str(facts.get("unit") or unit)
    if "value" in facts:
        return reader.quantity(Decimal(str(facts["value"])), unit)
    if not facts.get("goal") or not facts.get("due_on"):
        return ""
    goal, due = reader.quantity(Decimal(str(facts["goal"])), unit), reader.date(date.fromisoformat(facts["due_on"]))
    return reader.say("{goal} by {day}", goal=goal, day=due)


SLICE = Slice(
    name="timeline",
    commands=(
        Command(
            "timeline",
            "[ACCOUNT] [notes|contacts|targets|alerts|journey|checkins|tasks|renewals]",
            "What happened to an account, newest first",
            timeline,
            "reads",
            ("timeline acme", "timeline acme notes"),
        ),
    ),
    buttons=(
        Button(TIMELINE, show, "reads"),
        Button(BACK, turn_page, "reads"),
        Button(MORE, turn_page, "reads"),
    ),
)
