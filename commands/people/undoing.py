"""Undo of what was changed about the workspace or its people. Owns the one button; each subject's storage says whether
it can still be taken back, and does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from commands.kit import Element, button, message
from commands.slice import Button, Call, Ref, Reply, answer_in_place
from rules.people.roles import Permission
from rules.records import Actor
from rules.undo import Done, check_undo
from storage.accounts import owners
from storage.audit import AuditRow, find_change, find_line
from storage.db import Tx
from storage.errors import NotFoundError
from storage.people import team_writes, workspaces
from words.reader import Reader

UNDO = "people.undo"


@dataclass(frozen=True)
class _Subject:
    is_changed_since: Callable[[Tx, AuditRow], bool]
    take_back: Callable[[Tx, AuditRow, Actor, datetime], object]


_SUBJECTS = {
    workspaces.CHANGED: _Subject(workspaces.is_changed_since, workspaces.take_back),
    team_writes.CHANGED: _Subject(team_writes.is_changed_since, team_writes.take_back),
    owners.GIVEN: _Subject(owners.is_given_since, owners.take_accounts_back),
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
    subject.take_back(tx, line, call.person.actor, call.now)
    return [answer_in_place(call, message(call.reader.say("Undone: everything is as it was before.")))]


BUTTON = Button(UNDO, undo, "writes")
