"""Dated steps as people type them, one per line or with commas between: "6% by 31 Mar, 8% by 30 Jun".

Owns that grammar and writing steps back in it; refuses to make steps (`rules.success.target_steps`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from commands.typed import find_quantity
from rules.errors import UserError
from rules.success.curves import Point
from rules.success.plans import check_unit
from rules.success.target_steps import MOST_TYPED, Load, Rhythm
from words.dates import parse_date
from words.errors import WordsError, excerpt
from words.numbers import Quantity

LENGTH = 1000
_BETWEEN = re.compile(r"[\n;；，、]|,(?=\s)")
_CONNECTOR = re.compile(r"\s+(?:by|until|till|on|before)\s+|\s*[:：=]\s*|\s*(?:截至|截止|→|->)\s*", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*(?:前|之前|以前)$")
_WORDS = {
    "evenly": (Load.LINEAR, None),
    "linear": (Load.LINEAR, None),
    "front-loaded": (Load.FRONT, None),
    "back-loaded": (Load.BACK, None),
    "monthly": (None, Rhythm.MONTH),
    "by month": (None, Rhythm.MONTH),
    "每月": (None, Rhythm.MONTH),
    "quarterly": (None, Rhythm.QUARTER),
    "by quarter": (None, Rhythm.QUARTER),
    "每季": (None, Rhythm.QUARTER),
}


@dataclass(frozen=True)
class Frame:
    """Where steps have to fit: between these days, in this unit. `home` is the currency of a bare sign."""

    start_on: date
    due_on: date
    unit: str
    home: str = ""


def read_steps(text: str, frame: Frame, goal: Decimal) -> tuple[Point, ...]:
    """The steps of `text`; a last one that is the goal itself is left out.

    Raises `UserError` (field "steps") that names the line: not readable, not later than the one before, not between
    start and due.
    """
    lines = [line.strip() for line in _BETWEEN.split(text[:LENGTH]) if line.strip()]
    if len(lines) > MOST_TYPED:
        raise UserError("{limit} steps are enough. Leave some out.", field="steps", limit=MOST_TYPED)
    steps: list[Point] = []
    for number, line in enumerate(lines, 1):
        day, value = _read_step(line, number, frame)
        if number == len(lines) and (day, value) == (frame.due_on, goal):
            break
        _check_day(day, steps[-1][0] if steps else frame.start_on, number, frame)
        steps.append((day, value))
    return tuple(steps)


def read_shape(text: str) -> tuple[Load, Rhythm] | None:
    """Words such as "monthly back-loaded"; None for any other."""
    load, rhythm, rest = Load.LINEAR, Rhythm.EVEN, f" {text.casefold().strip()} "
    for word, (its_load, its_rhythm) in _WORDS.items():
        if f" {word} " in rest:
            rest = rest.replace(f" {word} ", " ")
            load, rhythm = its_load or load, its_rhythm or rhythm
    return None if rest.strip(" ,") else (load, rhythm)


def write_steps(steps: Sequence[Point], unit: str) -> str:
    """The steps as `read_steps` reads them, one per line."""
    return "\n".join(f"{value.normalize():f} {unit}".strip() + f" by {day.isoformat()}" for day, value in steps)


def _read_step(line: str, number: int, frame: Frame) -> Point:
    found = _find_steps(line, frame)
    if len(found) != 1:
        raise UserError(
            "I cannot read step {number}, “{text}”. Type a value and its day, like: 6% by 31 Mar.",
            field="steps",
            number=number,
            text=excerpt(line),
        )
    ((day, quantity),) = found
    check_unit(quantity.unit, frame.unit, field="steps")
    return day, quantity.value


def _find_steps(line: str, frame: Frame) -> set[tuple[date, Quantity]]:
    """Every way to read a line as a value and a day; where a connector parts it there is one at most."""
    plain = _SUFFIX.sub("", line)
    if parts := _CONNECTOR.search(plain):
        cuts = [(parts.start(), parts.end())]
    else:
        cuts = [match.span() for match in re.finditer(r"\s+", plain)]
    sides = [(plain[:start].strip(), plain[end:].strip()) for start, end in cuts]
    both = [*sides, *((right, left) for left, right in sides)]
    read = [(_find_day(day, frame), find_quantity(value, frame.home)) for value, day in both]
    return {(day, quantity) for day, quantity in read if day is not None and quantity is not None}


def _find_day(text: str, frame: Frame) -> date | None:
    try:
        return parse_date(text, frame.start_on, prefer="future")
    except WordsError:
        return None


def _check_day(day: date, after: date, number: int, frame: Frame) -> None:
    if not frame.start_on < day < frame.due_on:
        raise UserError(
            "Step {number} is of {day}. Steps lie between the start, {start}, and the due date, {due}.",
            field="steps",
            number=number,
            day=day,
            start=frame.start_on,
            due=frame.due_on,
        )
    if day <= after and after != frame.start_on:
        raise UserError(
            "Step {number} is of {day}, but the one before is of {before}. Put them in order.",
            field="steps",
            number=number,
            day=day,
            before=after,
        )
