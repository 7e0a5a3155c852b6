"""The list of the team, a page at a time, and below it the accounts that nobody active owns. Owns the page; changes
nothing.
"""

from __future__ import annotations

from datetime import date

from commands.kit import Element, Json, actions, button, esc, message, section
from commands.pages import Page
from commands.people.team_words import absence_line, person_line
from commands.slice import Call, Message, Ref
from rules.people.roles import Permission, may
from storage.db import Tx
from storage.owners import Orphans, count_owned, list_left, list_unmatched
from storage.people.members import MemberRow, get_members
from storage.people.team import count_people, list_people, list_working_times
from words.reader import Reader

PAGE_LENGTH = 10
EDIT, MINE, LIST = "team.edit", "team.mine", "team.list"
PREVIOUS, NEXT = "team.previous", "team.next"
UNMATCHED, GIVE = "team.unmatched", "team.give"
_MOST_LEFT = 5


def render_team(call: Call, tx: Tx, wanted: int, today: date) -> Message:
    """The `wanted`th (from 1) ten people, by name, and whose accounts nobody looks after."""
    reader, page = call.reader, Page(count_people(tx), PAGE_LENGTH, wanted)
    rows = list_people(tx, limit=PAGE_LENGTH, offset=page.offset)
    title = reader.say_many("Team: {count} person", "Team: {count} people", page.total)
    return message(
        title,
        section(f"*{title}*"),
        *_lines(call, tx, rows, today),
        *page.place_line(reader),
        *_orphan_lines(call, tx),
        *_buttons(call, page),
    )


def give_button(reader: Reader, orphans: Orphans) -> Element:
    """The button that asks who looks after these accounts from now on."""
    ref = Ref("owners", orphans.email) if orphans.email else Ref("left", orphans.owner_id)
    return button(reader.say("Give to…"), GIVE, ref)


def _lines(call: Call, tx: Tx, rows: list[MemberRow], today: date) -> list[Json]:
    times, owned = list_working_times(tx, [row.id for row in rows]), count_owned(tx)
    covers = get_members(tx, [row.cover_id for row in rows if row.cover_id])
    lines = []
    for row in rows:
        line = person_line(call.reader, row, times[row.id], owned.get(row.id, 0), call.now)
        absence = absence_line(call.reader, row, covers.get(row.cover_id or ""), today)
        permission = Permission.OWN_TIME if row.id == call.person.id else Permission.TEAM
        edit = button(call.reader.say("Edit"), EDIT, Ref("member", row.id))
        shown = f"{line}\n{absence}" if absence else line
        lines.append(section(shown, accessory=edit if may(call.person.role, permission) else None))
    return lines


def _orphan_lines(call: Call, tx: Tx) -> list[Json]:
    reader, is_leading = call.reader, may(call.person.role, Permission.TEAM)
    unmatched, lines = list_unmatched(tx), []
    for left in list_left(tx)[:_MOST_LEFT]:
        name = esc(left.name) or reader.say("somebody without a name")
        text = reader.say_many(
            "{person} left: {count} account without an active owner",
            "{person} left: {count} accounts without an active owner",
            left.count,
            person=name,
        )
        lines.append(section(text, accessory=give_button(reader, left) if is_leading else None))
    if unmatched:
        text = reader.say_many(
            "{count} address of imported owners belongs to nobody here",
            "{count} addresses of imported owners belong to nobody here",
            len(unmatched),
        )
        count = sum(each.count for each in unmatched)
        shown = reader.say_many("{count} account", "{count} accounts", count)
        see = button(reader.say("Show"), UNMATCHED, Ref("team", ""))
        lines.append(section(f"{text}: {shown}", accessory=see))
    return lines


def _buttons(call: Call, page: Page) -> list[Json]:
    own = button(call.reader.say("My working time"), MINE, Ref("team", ""))
    mine = [own] if may(call.person.role, Permission.OWN_TIME) else []
    elements = [*page.buttons(call.reader, PREVIOUS, NEXT, Ref("page", "")), *mine]
    return [actions(*elements)] if elements else []
