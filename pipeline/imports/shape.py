"""From the cells of a line to a valid row of ours, or to the reason why not. Owns the use of a mapping file:
columns, values, defaults, skips, joins to files and derived dates; refuses the database.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.imports.mapping import Derived, FileMapping, Join
from pipeline.imports.records import RowIn, read_moment
from pipeline.imports.source import Line, Source, open_source
from rules.errors import IngestError

_EMPTY = frozenset({"missing", "string_too_short", "decimal_type", "date_type", "datetime_type"})


@dataclass(frozen=True)
class Item:
    """A valid row and the line it stands on."""

    line: Line
    row: RowIn


@dataclass(frozen=True)
class Reject:
    """A row that was not taken: its line, the column at fault ("" for the row as a whole), and why."""

    line: Line
    column: str
    reason: str


@dataclass(frozen=True)
class Skipped:
    """A row the mapping leaves out on purpose."""

    because: str


@dataclass(frozen=True)
class Shaper:
    """Turns lines of one source into rows of `model`. `places`: our field → index of its cell."""

    model: type[RowIn]
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
        return tuple(name for index, name in enumerate(self.header) if index not in used)

    def shape(self, line: Line) -> Item | Reject | Skipped:
        """Read one line."""
        if len(line.cells) != len(self.header):
            return Reject(line, "", f"it has {len(line.cells)} cells, the header names {len(self.header)} columns")
        for index, equals, because in self.skips:
            if line.cells[index] == equals:
                return Skipped(because)
        cells = self._cells(line)
        for field, known in self.lookups.items():
            if field in cells and cells[field] not in known:
                return Reject(line, self.column(field), f"{cells[field]!r} is not in {self.mapping.joins[field].file}")
            if field in cells:
                cells[field] = known[cells[field]]
        return self._validate(line, cells)

    def column(self, field: str) -> str:
        """The file's name for one of our fields."""
        index = self.places.get(field)
        return self.header[index] if index is not None else field

    def _cells(self, line: Line) -> dict[str, str]:
        cells = dict(self.mapping.defaults)
        for field, index in self.places.items():
            if line.cells[index]:
                cells[field] = line.cells[index]
        for field, known in self.mapping.values.items():
            if field in cells:
                cells[field] = known.get(cells[field], cells[field])
        return cells

    def _validate(self, line: Line, cells: dict[str, str]) -> Item | Reject:
        try:
            for field, derived in self.mapping.derive.items():
                if field not in cells and derived.start in cells:
                    cells[field] = self._derive(derived, cells[derived.start]).isoformat()
            return Item(line, self.model.model_validate(cells, context={"dates": self.mapping.dates}))
        except ValidationError as error:
            first = error.errors()[0]
            return Reject(line, self.column(str(first["loc"][0])) if first["loc"] else "", _reason(first))
        except ValueError as error:
            return Reject(line, "", str(error))

    def _derive(self, derived: Derived, start: str) -> date:
        day = read_moment(start, self.mapping.dates).date()
        months = day.year * 12 + day.month - 1 + derived.months
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=derived.days)


def make_shaper(model: type[RowIn], mapping: FileMapping, source: Source, folder: Path) -> Shaper:
    """Fit a mapping to a file's header. `folder` is where the mapping file is.

    Raises `IngestError` if the mapping names a field of ours or a column of theirs that does not exist, or if a
    needed field has neither column, default nor derivation.
    """
    _check_fields(model, mapping)
    places = _places(model, mapping, source)
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    missing = sorted(needed - set(places) - set(mapping.defaults) - set(mapping.derive))
    if missing:
        raise IngestError(
            "{path} has no column {missing}. Its columns are: {header}. Name the right one in a mapping file (--map): "
            "`columns: {{{first}: their name}}`.",
            path=source.path.name,
            missing=", ".join(missing),
            first=missing[0],
            header=", ".join(source.header),
        )
    skips = tuple((_index(source, each.column), each.equals, each.because) for each in mapping.skip)
    lookups = {
        field: _read_join(join, (folder, source.path.parent)) for field, join in mapping.joins.items() if join.file
    }
    return Shaper(model, mapping, source.header, places, skips, lookups)


def _check_fields(model: type[RowIn], mapping: FileMapping) -> None:
    named = {*mapping.columns, *mapping.values, *mapping.defaults, *mapping.derive, *mapping.joins}
    unknown = sorted(named - set(model.model_fields))
    if unknown:
        raise IngestError(
            "The mapping names a field we do not have: {unknown}. Fields: {known}.",
            unknown=unknown[0],
            known=", ".join(model.model_fields),
        )


def _places(model: type[RowIn], mapping: FileMapping, source: Source) -> dict[str, int]:
    named = {field: _index(source, column) for field, column in mapping.columns.items()}
    own = {name: source.header.index(name) for name in model.model_fields if name in source.header}
    return own | named


def _index(source: Source, column: str) -> int:
    if column not in source.header:
        raise IngestError(
            "{path} has no column {column}, which the mapping names. Its columns are: {header}.",
            path=source.path.name,
            column=column,
            header=", ".join(source.header),
        )
    return source.header.index(column)


def _read_join(join: Join, folders: tuple[Path, ...]) -> dict[str, str]:
    path = next((folder / join.file for folder in folders if (folder / join.file).is_file()), folders[0] / join.file)
    source = open_source(path)
    match, take = _index(source, join.match), _index(source, join.take)
    return {line.cells[match]: line.cells[take] for line in source.lines() if len(line.cells) == len(source.header)}


def _reason(error: ErrorDetails) -> str:
    if error["type"] in _EMPTY:
        return "it is empty, and needed"
    return error["msg"].removeprefix("Value error, ")
