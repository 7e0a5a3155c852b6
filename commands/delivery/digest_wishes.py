"""When and how often one's own digest comes: `/cs digest off | daily | weekly | at 8:30`. Owns these words and the
answer; what may be chosen is `rules.people.team`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands.kit import Json, actions, button, message, section
from commands.people.team_words import member_change_lines
from commands.people.undoing import undo_button
from commands.slice import Access, Call, Message, Ref, Reply, Whisper, answer_in_place
from commands.typed import get_today
from rules.errors import UserError
from rules.people.roles import Permission
from rules.people.team import PersonalTime, decide_time
from rules.records import DigestWish
from storage.db import Tx
from storage.people.members import MemberRow, get_member
from storage.people.team import read_working_time
from storage.people.team_writes import apply_team
from storage.people.workspaces import get_workspace
from words.reader import Reader

WISH = "digests.wish_"
"""With the wish behind it: the action of its button."""
_WORDS = {
    "off": DigestWish.OFF, "never": DigestWish.OFF, "stop": DigestWish.OFF, "关": DigestWish.OFF,
    "daily": DigestWish.DAILY, "on": DigestWish.DAILY, "每天": DigestWish.DAILY,
    "weekly": DigestWish.WEEKLY, "每周": DigestWish.WEEKLY,
}  # fmt: skip
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.：](?P<minute>\d{2}))?\s*(?P<half>am|pm)?", re.IGNORECASE)
_AT = re.compile(r"at\b\s*", re.IGNORECASE)
_NOON, _MINUTES = 12, 60


def get_access(text: str) -> Access:
    """Only a wish changes anything."""
    first = text.split(maxsplit=1)[0].casefold() if text.strip() else ""
    return "writes" if first in _WORDS or first == "at" else "reads"


def choose(call: Call, tx: Tx) -> list[Reply]:
    """A typed wish: `weekly`, `at 8:30`, or both."""
    return [Whisper(_change(call, tx, _read(call.text)))]


def press(call: Call, tx: Tx) -> list[Reply]:
    """The buttons below one's wish."""
    call.require(Permission.OWN_TIME)
    wish = call.ref.extra.get("wish", "") if call.ref else ""
    if wish not in set(DigestWish):
        raise UserError("Type how often: `/cs digest daily`, `weekly` or `off`.")
    return [answer_in_place(call, _change(call, tx, {"digest_wish": DigestWish(wish)}))]


def wish_words(reader: Reader, tx: Tx, member: MemberRow) -> str:
    """When the member's digest comes."""
    times = read_working_time(member, get_workspace(tx))
    at = f"{times.digest_at:%H:%M}"
    match member.digest_wish:
        case DigestWish.OFF:
            return reader.say("You get no digest. `/cs digest` shows one when you ask.")
        case DigestWish.WEEKLY:
            day = reader.weekday(times.weekly_on)
            return reader.say("Your digest comes once a week, {weekday} at {time}.", weekday=day, time=at)
        case DigestWish.DAILY:
            return reader.say("Your digest comes each working day at {time}, when there is something to say.", time=at)


def wish_blocks(reader: Reader, tx: Tx, member: MemberRow) -> list[Json]:
    """One's wish, and buttons for the other ones."""
    labels = {
        DigestWish.DAILY: reader.say("Daily"),
        DigestWish.WEEKLY: reader.say("Weekly"),
        DigestWish.OFF: reader.say("Off"),
    }
    others = [each for each in DigestWish if each is not member.digest_wish]
    buttons = [button(labels[each], f"{WISH}{each.value}", Ref("digest", "", {"wish": each.value})) for each in others]
    return [section(wish_words(reader, tx, member)), actions(*buttons)]


def _read(text: str) -> Mapping[str, Any]:
    """The columns that the words name. Raises `UserError`."""
    first, _, rest = text.strip().partition(" ")
    wish = _WORDS.get(first.casefold())
    words = _AT.sub("", rest if wish else text.strip())
    changes: dict[str, Any] = {"digest_wish": wish} if wish else {}
    return changes | {"digest_at": _read_time(words)} if words else changes


def _read_time(text: str) -> str:
    """`8:30`, `8`, `8.30 pm` as "HH:MM". Raises `UserError`."""
    found = _TIME.fullmatch(text.strip())
    hour, minute = (int(found["hour"]), int(found["minute"] or 0)) if found else (_MINUTES, 0)
    if found and found["half"]:
        hour = hour % _NOON + _NOON * (found["half"].lower() == "pm") if 1 <= hour <= _NOON else _MINUTES
    if hour >= 2 * _NOON or minute >= _MINUTES:
        raise UserError("“{text}” is no time of day. Type it like `/cs digest at 8:30`.", text=text)
    return f"{hour:02}:{minute:02}"


def _change(call: Call, tx: Tx, changes: Mapping[str, Any]) -> Message:
    call.require(Permission.OWN_TIME)
    reader, member = call.reader, get_member(tx, call.person.id)
    names = PersonalTime.__dataclass_fields__
    present = PersonalTime(**{name: getattr(member, name) for name in names})
    intents = decide_time(member.id, present, replace(present, **changes))
    if not intents:
        return message(reader.say("Nothing was changed. {wish}", wish=wish_words(reader, tx, member)))
    before = {name: getattr(member, name) for name in intents[0].changes}
    (line_id,) = apply_team(tx, intents, call.person.actor, call.now)
    changed = member_change_lines(reader, tx, before, intents[0].changes, get_today(call, tx))
    said = wish_words(reader, tx, member)
    return message(said, section(f"{' · '.join(changed)}\n{said}"), actions(undo_button(reader, line_id)))
