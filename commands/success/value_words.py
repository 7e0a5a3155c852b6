"""A measured value as people type it: "7.5% on 3 Mar after the new page". Owns the grammar only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from commands.typed import find_quantity, read_date, read_quantity, split_date
from words.currencies import find_currency
from words.dates import parse_date
from words.errors import WordsError
from words.numbers import Quantity

_MOST_VALUE_WORDS = 3
_BARE_DAYS = frozenset({"yesterday", "today", "昨天", "今天", "前天"})
_ON = re.compile(r"(?:on|at|于|於)\s+", re.IGNORECASE)
_LAST_ON = re.compile(r"(?:^|\s)on\s+(?P<day>\S+(?:\s+\S+){0,3})$", re.IGNORECASE)
_EDGES = " -–—:,;，：；"


@dataclass(frozen=True)
class Entry:
    """A value, the day it was measured (None: not said), a note."""

    quantity: Quantity
    measured_on: date | None
    note: str


def read_entry(text: str, today: date, *, unit: str, home: str) -> Entry:
    """Value first, then the day and the note in either order. `unit` is the one the value is kept in.

    Raises `UserError` for a value or day that cannot be read.
    """
    quantity, rest = _split_quantity(text, unit, home)
    measured_on, note = _split_day(rest, today)
    return Entry(quantity, measured_on, note.strip(_EDGES))


def begins_with_value(text: str, home: str) -> bool:
    """Whether the first word is a number."""
    return bool(text.split()) and find_quantity(text.split(maxsplit=1)[0], home) is not None


def _split_quantity(text: str, unit: str, home: str) -> tuple[Quantity, str]:
    ends = [word.end() for word in re.finditer(r"\S+", text)][:_MOST_VALUE_WORDS]
    for end in reversed(ends):
        found = find_quantity(text[:end], home)
        if found is not None and _is_expected(found.unit, unit):
            return found, text[end:].strip()
    end = ends[0] if ends else 0
    return read_quantity(text[:end], field="value", home=home), text[end:].strip()


def _split_day(rest: str, today: date) -> tuple[date | None, str]:
    first = rest.split(maxsplit=1)[0].strip(_EDGES).lower() if rest.split() else ""
    if first in _BARE_DAYS:
        return parse_date(first, today), rest.split(maxsplit=1)[1] if " " in rest else ""
    if (on := _ON.match(rest)) is not None:
        return _split_day_after_on(rest, on.end(), today)
    if (last := _LAST_ON.search(rest)) is not None:
        try:
            return parse_date(last["day"], today, prefer="past"), rest[: last.start()]
        except WordsError:
            return None, rest
    return None, rest


def _split_day_after_on(rest: str, start: int, today: date) -> tuple[date | None, str]:
    """After "on": "3 Mar ..." is a day, "the new page" a note; "31 Feb" is refused rather than kept as a note."""
    day, note = split_date(rest[start:], today, prefer="past")
    if day is not None:
        return day, note
    if rest[start : start + 1].isdigit():
        return read_date(" ".join(rest[start:].split()[:2]), today, prefer="past", field="measured_on"), ""
    return None, rest


def _is_expected(found: str, unit: str) -> bool:
    return found in ("", "%") or find_currency(found) == found or found.casefold() == unit.casefold()
