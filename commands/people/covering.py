"""Who stands in for somebody away is told: that they do, when its dates change, and when it is over. Owns that message
and who gets it; what may change is `rules.people.team`'s to decide.
"""

from __future__ import annotations

from datetime import date, datetime

from commands.kit import context, message, section
from commands.people.team_words import shown_person
from commands.slice import Message
from rules.records import Enqueue
from storage.audit import AuditRow, find_line
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.people.members import MemberRow, find_member, get_members
from storage.people.team_writes import read_values
from words.reader import Reader

COVER = "team.cover"
_ABSENCE = ("away_from", "away_until", "cover_id")


def tell_covers(tx: Tx, line_id: str, now: datetime) -> None:
    """Tell whoever covers after the change that the audit's line tells of, and whoever did before; nobody where it is
    about something else.
    """
    line = find_line(tx, line_id)
    row = _find_subject(tx, line)
    if line is None or row is None or not set(_ABSENCE) & set(line.after or {}):
        return
    before = {name: getattr(row, name) for name in _ABSENCE} | read_values(line.before or {})
    was_covering = before["cover_id"] if _is_ahead(before["away_until"], now.date()) else None
    wanted = list(dict.fromkeys(id_ for id_ in (row.cover_id, was_covering) if id_))
    people = get_members(tx, wanted)
    told = [Enqueue(COVER, f"{line_id}:{id_}", people[id_].slack_id) for id_ in wanted if id_ in people]
    enqueue(tx, told, now)


def render_cover(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """What the person who stands in, or did, is told; nothing where that was changed since."""
    line_id, _colon, cover_id = reference.partition(":")
    line = find_line(tx, line_id)
    row = _find_subject(tx, line)
    if line is None or row is None or _is_changed_since(row, line):
        return None
    if row.cover_id != cover_id or row.away_until is None:
        return message(reader.say("You no longer look after {person}'s accounts.", person=shown_person(row)))
    text = reader.say(
        "You look after {person}'s accounts from {start} to {end}.",
        person=shown_person(row),
        start=reader.date(row.away_from) if row.away_from else "",
        end=reader.date(row.away_until),
    )
    hint = reader.say("What needs somebody there comes with your own digest. `/cs team` shows who is away.")
    return message(text, section(text), context(hint))


def _find_subject(tx: Tx, line: AuditRow | None) -> MemberRow | None:
    """Who is away: the line tells of a change to them, or of one that was taken back."""
    if line is not None and line.object_kind == "change":
        line = find_line(tx, line.object_id)
    return find_member(tx, line.object_id) if line is not None and line.object_kind == "member" else None


def _is_changed_since(row: MemberRow, line: AuditRow) -> bool:
    values = read_values(line.after or {})
    return any(getattr(row, name) != values[name] for name in _ABSENCE if name in values)


def _is_ahead(until: date | None, today: date) -> bool:
    return until is not None and until >= today
