"""`/cs team`: who is there, with which role, where and when they work, who stands in for whom. Owns the command and the
form of a person; whose accounts nobody looks after is `commands.people.owners`'s.
"""

from __future__ import annotations

from dataclasses import replace

from commands.kit import actions, message, section
from commands.pages import wanted_page
from commands.people import owners, undoing
from commands.people.covering import COVER, render_cover, tell_covers
from commands.people.places import read_zone
from commands.people.team_forms import (
    MEMBER_FORM,
    open_member_form,
    read_member_form,
    to_absence,
    to_teammate,
    to_time,
)
from commands.people.team_list import EDIT, LIST, MINE, NEXT, PREVIOUS, UNMATCHED, render_team
from commands.people.team_typed import EXAMPLES, Do, TypedTeam, read_span, read_team, team_access
from commands.people.team_words import member_change_lines, shown_person
from commands.slice import Button, Call, Command, Form, Message, Reply, Slice, Whisper, answer_in_place
from commands.typed import get_person, get_today, get_worker
from rules.errors import UserError
from rules.people.roles import Permission
from rules.people.team import (
    Absence,
    ChangeMember,
    Teammate,
    decide_absence,
    decide_role,
    decide_time,
    merge,
)
from storage.audit import find_line
from storage.db import Tx
from storage.errors import NotFoundError
from storage.people.members import MemberRow, find_by_slack_id, get_member
from storage.people.team_writes import apply_team, read_values


def team(call: Call, tx: Tx) -> list[Reply]:
    """`/cs team …`: the list, somebody's form, or a role, an absence or a zone written at once."""
    call.require(Permission.READ)
    typed = read_team(call.text)
    match typed.do:
        case Do.LIST:
            return [Whisper(render_team(call, tx, 1, get_today(call, tx)))]
        case Do.UNMATCHED:
            return owners.show_unmatched(call, tx)
        case Do.EDIT:
            return _open(call, tx, _find_person(call, tx, typed))
        case Do.ROLE:
            return _set_role(call, tx, typed)
        case Do.ZONE:
            return _set_zone(call, tx, typed)
        case Do.AWAY | Do.BACK:
            return _set_absence(call, tx, typed)


def turn_page(call: Call, tx: Tx) -> list[Reply]:
    """Previous, Next and the button that brings the list: the page it names."""
    call.require(Permission.READ)
    return [answer_in_place(call, render_team(call, tx, wanted_page(call), get_today(call, tx)))]


def open_edit(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form of the person it names."""
    return _open(call, tx, get_member(tx, call.ref.id if call.ref else ""))


def open_own(call: Call, tx: Tx) -> list[Reply]:
    """The button: one's own form."""
    return _open(call, tx, get_member(tx, call.person.id))


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: role, working time and absence together, or the field at fault named."""
    row = get_member(tx, call.ref.id if call.ref else "")
    _require(call, row)
    today = get_today(call, tx)
    filled = read_member_form(call, tx, today)
    version = call.ref.extra.get("version", "") if call.ref else ""
    roles = decide_role(_actor(call), to_teammate(tx, row), filled.role) if filled.role else []
    times = decide_time(row.id, to_time(row), filled.time)
    absences = decide_absence(row.id, to_absence(row, today), filled.absence, today)
    merged = merge([*roles, *times, *absences], int(version) if version.isdecimal() else None)
    return [Whisper(_change(call, tx, row, merged))]


# ---------------------------------------------------------------- writing


def _set_role(call: Call, tx: Tx, typed: TypedTeam) -> list[Reply]:
    if typed.role is None or not typed.person:
        raise UserError("Whose role? Name the person: `/cs team @ada lead`.")
    call.require(Permission.TEAM)
    row = get_person(tx, typed.person)
    return [Whisper(_change(call, tx, row, decide_role(_actor(call), to_teammate(tx, row), typed.role)))]


def _set_zone(call: Call, tx: Tx, typed: TypedTeam) -> list[Reply]:
    row = _get_person(call, tx, typed)
    _require(call, row)
    if not typed.words:
        return _open(call, tx, row)
    zone = "" if typed.words.lower() in {"slack", "none", "off"} else read_zone(typed.words)
    present = to_time(row)
    return [Whisper(_change(call, tx, row, decide_time(row.id, present, replace(present, own_zone=zone))))]


def _set_absence(call: Call, tx: Tx, typed: TypedTeam) -> list[Reply]:
    row, today = _get_person(call, tx, typed), get_today(call, tx)
    _require(call, row)
    if typed.do is Do.BACK:
        wanted = Absence()
    elif not typed.words:
        return _open(call, tx, row)
    else:
        start, end = read_span(typed.words, today)
        wanted = Absence(start, end, get_worker(tx, typed.cover, field="cover").id if typed.cover else None)
    return [Whisper(_change(call, tx, row, decide_absence(row.id, to_absence(row, today), wanted, today)))]


def _change(call: Call, tx: Tx, row: MemberRow, intents: list[ChangeMember]) -> Message:
    reader = call.reader
    if not intents:
        return message(reader.say("Nothing was changed."))
    (line_id,) = apply_team(tx, intents, call.person.actor, call.now)
    line = find_line(tx, line_id)
    if line is None:
        raise NotFoundError("That person is no longer a member here.")
    before, after = read_values(line.before or {}), read_values(line.after or {})
    tell_covers(tx, line_id, call.now)
    title = reader.say("Changed {person}:", person=f"*{shown_person(row)}*")
    lines = "\n".join([title, *member_change_lines(reader, tx, before, after, get_today(call, tx))])
    return message(lines, section(lines), actions(undoing.undo_button(reader, line_id)))


# ---------------------------------------------------------------- small things


def _open(call: Call, tx: Tx, row: MemberRow) -> list[Reply]:
    _require(call, row)
    return [open_member_form(call, tx, row, get_today(call, tx))]


def _require(call: Call, row: MemberRow) -> None:
    call.require(Permission.OWN_TIME if row.id == call.person.id else Permission.TEAM)


def _actor(call: Call) -> Teammate:
    return Teammate(call.person.id, call.person.role)


def _get_person(call: Call, tx: Tx, typed: TypedTeam) -> MemberRow:
    return get_person(tx, typed.person) if typed.person else get_member(tx, call.person.id)


def _find_person(call: Call, tx: Tx, typed: TypedTeam) -> MemberRow:
    """As `_get_person`, for reading only: somebody never met is refused."""
    row = find_by_slack_id(tx, typed.person) if typed.person else get_member(tx, call.person.id)
    if row is None:
        raise NotFoundError("I have not met that person yet. Give them a role first: `/cs team @ada csm`.")
    return row


SLICE = Slice(
    name="team",
    commands=(
        Command(
            "team",
            "[@who viewer|csm|lead|admin | away until DATE [cover @who] | back | zone CITY | hours | unmatched]",
            "The team: roles, time zones, who is away and who covers",
            team,
            team_access,
            EXAMPLES,
        ),
    ),
    buttons=(
        Button(LIST, turn_page, "reads"),
        Button(PREVIOUS, turn_page, "reads"),
        Button(NEXT, turn_page, "reads"),
        Button(EDIT, open_edit, "reads"),
        Button(MINE, open_own, "reads"),
        Button(UNMATCHED, owners.show_unmatched, "reads"),
        *owners.BUTTONS,
    ),
    forms=(Form(MEMBER_FORM, submit), owners.FORM),
    renders={COVER: render_cover},
)
