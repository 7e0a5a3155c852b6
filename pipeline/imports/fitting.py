"""Fitting a mapping to a file's header: which of our fields stands in which column. Owns the errors of a mapping that
does not fit; refuses to read rows (`pipeline.imports.shape`), except those of a file that is joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.imports.mapping import FileMapping, Join
from pipeline.imports.shape import RowT, Shaper
from pipeline.imports.source import Source, open_source
from rules.errors import IngestError

_JOINS_ON = "account"


def make_shaper(model: type[RowT], mapping: FileMapping, source: Source, folder: Path) -> Shaper[RowT]:
    """Fit a mapping to a file's header. `folder` is where the mapping file is.

    Raises `IngestError` if the mapping names a field of ours or a column of theirs that does not exist, or if a
    needed field has neither column, default nor derivation.
    """
    _check_fields(model, mapping)
    places = _find_places(model, mapping, source)
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    missing = [name for name in model.model_fields if name in needed - set(places) - _supplied(mapping)]
    if missing:
        raise _missing(source, missing)
    skips = tuple((_index(source, each.column), each.equals, each.because) for each in mapping.skip)
    lookups = {
        field: _read_join(join, (folder, source.path.parent), mapping.encoding)
        for field, join in mapping.joins.items()
        if join.file
    }
    return Shaper(model, mapping, source.header, places, skips, lookups)


def _supplied(mapping: FileMapping) -> set[str]:
    return {*mapping.defaults, *mapping.derive}


def _missing(source: Source, missing: Sequence[str]) -> IngestError:
    if len(source.header) == 1:
        return IngestError(
            "{path} was read as one single column, {header}. Which sign stands between the cells? Set `delimiter` in a "
            "mapping file (--map). Nothing was imported.",
            path=source.path.name,
            header=source.header[0],
        )
    return IngestError(
        "{path} has no column {missing}. Its columns are: {header}. Name the right one in a mapping file (--map): "
        "`columns: {{{first}: their name}}`. Nothing was imported.",
        path=source.path.name,
        missing=", ".join(missing),
        first=missing[0],
        header=", ".join(source.header),
    )


def _check_fields(model: type[RowT], mapping: FileMapping) -> None:
    known = model.model_fields
    starts = (each.start for each in mapping.derive.values())
    named = (*mapping.columns, *mapping.values, *mapping.defaults, *mapping.derive, *mapping.joins, *starts)
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        raise IngestError(
            "The mapping names a field we do not have: {unknown}. Fields: {known}.",
            unknown=unknown,
            known=", ".join(known),
        )
    odd = next((field for field, join in mapping.joins.items() if join.through and field != _JOINS_ON), None)
    if odd is not None:
        raise IngestError("Only `account` can be joined through contracts, not {field}.", field=odd)


def _find_places(model: type[RowT], mapping: FileMapping, source: Source) -> dict[str, int]:
    """Named columns, and those that have our own names in any case, with spaces or hyphens for underscores."""
    own = {_plain(name): index for index, name in reversed(list(enumerate(source.header)))}
    free = {name: own[name] for name in model.model_fields if name in own and name not in mapping.columns}
    return free | {field: _index(source, column) for field, column in mapping.columns.items()}


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "_").replace("-", "_")


def _index(source: Source, column: str) -> int:
    if column not in source.header:
        raise IngestError(
            "{path} has no column {column}, which the mapping names. Its columns are: {header}. Nothing was imported.",
            path=source.path.name,
            column=column,
            header=", ".join(source.header),
        )
    return source.header.index(column)


def _read_join(join: Join, folders: tuple[Path, ...], encoding: str) -> dict[str, str]:
    path = next((folder / join.file for folder in folders if (folder / join.file).is_file()), folders[0] / join.file)
    source = open_source(path, encoding=encoding)
    match, take = _index(source, join.match), _index(source, join.take)
    return {line.cells[match]: line.cells[take] for line in source.lines() if len(line.cells) == len(source.header)}
