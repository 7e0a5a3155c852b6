"""Undo of what was changed about the workspace or its people. Owns the one button, and that undoing needs the rights
that doing needs; each subject's storage says whether it can still be taken back, and does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from commands.kit import Element, button, message
from commands.people.covering import tell_covers
from commands.people.team_forms import to_teammate
from commands.slice import Button, Call, Ref, Reply, answer_in_place
from rules.people.roles import Permission
from rules.people.team import Teammate, decide_role
from rules.records import Actor
from rules.undo import Done, check_undo
from storage import owners
from storage.audit import AuditRow, find_change, find_line
from storage.db import Tx
from storage.errors import NotFoundError
from storage.people import team_writes, workspaces
from storage.people.members import get_member
from words.reader import Reader

UNDO = "people.undo"


def _require_member(call: Call, tx: Tx, line: AuditRow) -> None:
    """What it would take to give the person the values from before, as things stand now."""
    call.require(Permission.OWN_TIME if line.object_id == call.person.id else Permission.TEAM)
    before = team_writes.read_values(line.before or {})
    if "role" in before:
        target = to_teammate(tx, get_member(tx, line.object_id))
        decide_role(Teammate(call.person.id, call.person.role), target, before["role"])


def _take_member_back(tx: Tx, line: AuditRow, actor: Actor, now: datetime) -> None:
    tell_covers(tx, team_writes.take_back(tx, line, actor, now), now)


@dataclass(frozen=True)
class _Subject:
    require: Callable[[Call, Tx, AuditRow], object]
    is_changed_since: Callable[[Tx, AuditRow], bool]
    take_back: Callable[[Tx, AuditRow, Actor, datetime], object]


_SUBJECTS = {
    workspaces.CHANGED: _Subject(
        lambda call, _tx, _line: call.require(Permission.SETUP), workspaces.is_changed_since, workspaces.take_back
    ),
    team_writes.CHANGED: _Subject(_require_member, team_writes.is_changed_since, _take_member_back),
    owners.GIVEN: _Subject(
        lambda call, _tx, _line: call.require(Permission.TEAM), owners.is_given_since, owners.take_accounts_back
    ),
}


def undo_button(reader: Reader, line_id: str) -> Element:
    """The button that takes back what the audit's line tells of."""
    return button(reader.say("Undo"), UNDO, Ref("change", line_id))


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a change back, within the time and by whom `rules.undo` allows, unless somebody changed it since."""
    call.require(Permission.OWN_TIME)
    line = find_line(tx, call.ref.id if call.ref else "")
    subject = _SUBJECTS.get(line.verb) if line else None
    if line is None or subject is None:
        raise NotFoundError("There is nothing to undo here any more.")
    is_undone = find_change(tx, "change.undone", line.id) is not None
    is_needed = not is_undone and subject.is_changed_since(tx, line)
    done = Done(line.at, line.actor_id, is_undone=is_undone, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    subject.require(call, tx, line)
    subject.take_back(tx, line, call.person.actor, call.now)
    return [answer_in_place(call, message(call.reader.say("Undone: everything is as it was before.")))]


BUTTON = Button(UNDO, undo, "writes")
