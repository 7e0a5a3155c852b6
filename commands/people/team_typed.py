"""What people type after `/cs team`, read into who and what. Owns the words of that command; looks nobody up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import Enum

from commands.slice import Access
from commands.typed import read_date, split_mentions
from rules.errors import UserError
from rules.records import Role

EXAMPLES = ("team", "team @ada lead", "team away @ada until 12 Dec cover @bo", "team zone Berlin", "team unmatched")
_COVER = re.compile(r"(?:^|\s)(?:cover(?:ed)?(?:\s+by)?|covers|代理)(?=\s|<|$)", re.IGNORECASE)
_SPAN = re.compile(
    r"(?:from\s+(?P<start>.+?)\s+)?(?:(?:until|till|to|through|到|至)\s*)(?P<end>.+)", re.IGNORECASE | re.DOTALL
)


class Do(Enum):
    """What is to be done."""

    LIST = "list"
    ROLE = "role"
    AWAY = "away"
    BACK = "back"
    ZONE = "zone"
    EDIT = "edit"
    UNMATCHED = "unmatched"


_VERBS = {
    "list": Do.LIST, "all": Do.LIST, "away": Do.AWAY, "off": Do.AWAY, "absent": Do.AWAY, "休假": Do.AWAY,
    "back": Do.BACK, "here": Do.BACK, "回来": Do.BACK, "zone": Do.ZONE, "timezone": Do.ZONE, "时区": Do.ZONE,
    "hours": Do.EDIT, "edit": Do.EDIT, "me": Do.EDIT, "time": Do.EDIT, "unmatched": Do.UNMATCHED,
}  # fmt: skip
_READING = frozenset({Do.LIST, Do.EDIT, Do.UNMATCHED})


@dataclass(frozen=True)
class TypedTeam:
    """What was typed: `person` and `cover` are Slack ids ("" for none), `words` what follows the verb."""

    do: Do
    person: str = ""
    cover: str = ""
    words: str = ""
    role: Role | None = None


def read_team(text: str) -> TypedTeam:
    """`@ada lead`, `away @ada until 12 Dec cover @bo`, `back`, `zone Berlin`, `hours`, `unmatched`.

    Raises `UserError` for any other word.
    """
    parts = _COVER.split(text, maxsplit=1)
    person, _channel, rest = split_mentions(parts[0])
    cover, _channel, more = split_mentions(parts[1]) if len(parts) > 1 else ("", "", "")
    first, _, words = f"{rest} {more}".strip().partition(" ")
    verb = first.lower()
    if not verb:
        return TypedTeam(Do.EDIT if person else Do.LIST, person)
    if verb in _VERBS:
        return TypedTeam(_VERBS[verb], person, cover, words.strip())
    role = verb if verb != "is" else words.strip().lower()
    if role in list(Role):
        return TypedTeam(Do.ROLE, person, role=Role(role))
    raise UserError(
        "I do not know what “{word}” means here. Try `/cs team @ada lead`, `/cs team away until 12 Dec cover @bo` or "
        "`/cs team zone Berlin`; choose people from the list that Slack offers after the @.",
        word=first,
    )


def read_span(words: str, today: date) -> tuple[date | None, date | None]:
    """The first and last day away of `[from 1 Dec] until 12 Dec`; (None, None) where nothing is typed. Raises
    `UserError`.
    """
    if not words:
        return None, None
    span = _SPAN.fullmatch(words)
    start, end = (span["start"], span["end"]) if span else (None, words)
    first = read_date(start, today, prefer="future", field="away_from") if start else None
    return first, read_date(end, first or today, prefer="future", field="away_until")


def team_access(text: str) -> Access:
    """What the command needs: lists and forms only read."""
    try:
        typed = read_team(text)
    except UserError:
        return "reads"
    return "reads" if typed.do in _READING else "writes"
