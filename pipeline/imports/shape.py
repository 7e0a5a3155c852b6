"""From the cells of a line to a valid row of ours, or to the reason why not. Owns the use of a mapping file:
columns, values, defaults, skips, joins to files and derived dates; refuses the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, NamedTuple, TypeVar

from dateutil.relativedelta import relativedelta
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.imports.cells import read_moment
from pipeline.imports.mapping import Derived, FileMapping
from pipeline.imports.records import RowIn
from pipeline.imports.source import Line
from words.errors import excerpt

RowT = TypeVar("RowT", bound=RowIn)

# Our words for what pydantic finds; the named fields are its own.
_REASONS = {
    "greater_than_equal": "{text!r} is less than {ge:g}",
    "less_than_equal": "{text!r} is more than {le:g}",
    "string_too_long": "it has more than {max_length} characters",
    "enum": "{text!r} is none of {expected}",
    "literal_error": "{text!r} is none of {expected}",
    "string_pattern_mismatch": "{text!r} does not look like it should ({pattern})",
    **dict.fromkeys(
        ("missing", "string_too_short", "decimal_type", "date_type", "datetime_type", "int_type", "float_type"),
        "it is empty, and needed",
    ),
}


class Item(NamedTuple, Generic[RowT]):
    """A valid row and the line it stands on."""

    line: Line
    row: RowT


class Reject(NamedTuple):
    """A row that was not taken: its line, the column at fault ("" for the row as a whole), and why."""

    line: Line
    column: str
    reason: str


class Skipped(NamedTuple):
    """A row the mapping leaves out on purpose."""

    because: str


@dataclass(frozen=True)
class Shaper(Generic[RowT]):
    """Turns lines of one source into rows of `model`. `places`: our field → index of its cell; `skips`: index of a
    cell, what it says, and why its row is left out; `lookups`: per field, their value → ours.
    """

    model: type[RowT]
    mapping: FileMapping
    header: tuple[str, ...]
    places: Mapping[str, int]
    skips: tuple[tuple[int, str, str], ...]
    lookups: Mapping[str, Mapping[str, str]]

    @property
    def fields(self) -> frozenset[str]:
        """Our fields that the file, or the mapping, has something to say about."""
        return frozenset(self.places) | set(self.mapping.defaults) | set(self.mapping.derive)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The file's columns nobody asked for."""
        used = set(self.places.values()) | {index for index, _, _ in self.skips}
        return tuple(name for index, name in enumerate(self.header) if name and index not in used)

    def shape(self, line: Line) -> Item[RowT] | Reject | Skipped:
        """Read one line."""
        if len(line.cells) != len(self.header):
            return Reject(line, "", self._count_cells(line))
        for index, equals, because in self.skips:
            if line.cells[index] == equals:
                return Skipped(because)
        cells = self._cells(line)
        for field, known in self.lookups.items():
            if field in cells and cells[field] not in known:
                place = self.mapping.joins[field].file
                return Reject(line, self.column(field), f"{excerpt(cells[field])!r} is not in {place}")
            if field in cells:
                cells[field] = known[cells[field]]
        return self._validate(line, cells)

    def column(self, field: str) -> str:
        """The file's name for one of our fields."""
        index = self.places.get(field)
        return self.header[index] if index is not None else field

    def _count_cells(self, line: Line) -> str:
        count, wanted = len(line.cells), len(self.header)
        why = f"it has {count} cells, the header names {wanted} columns"
        return f"{why}; left over: {excerpt(' | '.join(line.cells[wanted:]))}" if count > wanted else why

    def _cells(self, line: Line) -> dict[str, str]:
        cells = dict(self.mapping.defaults)
        for field, index in self.places.items():
            if cell := line.cells[index]:
                cells[field] = cell
        for field, known in self.mapping.values.items():
            if field in cells:
                cells[field] = known.get(cells[field], cells[field])
        return cells

    def _validate(self, line: Line, cells: dict[str, str]) -> Item[RowT] | Reject:
        try:
            for field, derived in self.mapping.derive.items():
                if field not in cells and derived.start in cells:
                    cells[field] = self._derive(derived, cells[derived.start]).isoformat()
            row = self.model.model_validate(cells, context={"dates": self.mapping.dates})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            return Reject(line, self.column(str(first["loc"][0])) if first["loc"] else "", _reason(first))
        except (ValueError, OverflowError) as error:
            return Reject(line, "", str(error))
        return Item(line, row)

    def _derive(self, derived: Derived, start: str) -> date:
        day = read_moment(start, self.mapping.dates).date()
        return day + relativedelta(months=derived.months) + timedelta(days=derived.days)


def _reason(error: ErrorDetails) -> str:
    form = _REASONS.get(error["type"])
    if form is None:
        return error["msg"].removeprefix("Value error, ")
    return form.format(text=excerpt(str(error["input"])), **error.get("ctx", {}))
