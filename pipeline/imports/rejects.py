"""The file of rejects: the lines that were not taken, with their reasons, to be mended and imported again.

The cells stand as they came, also those a spreadsheet would take for a formula: they must import unchanged, and they
are the reader's own. What we add (line, column, reason) is passed over by an import, and neutralised.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.imports.shape import Reject
from pipeline.imports.source import Line, Source

REJECT_COLUMNS = ("reject_line", "reject_column", "reject_reason")
_FORMULA = ("=", "+", "-", "@", "\t")


def name_rejects(path: Path) -> tuple[Path, ...]:
    """Where the rejects of a file may go: beside it, else into the current folder."""
    name = f"{path.stem}.rejected.csv"
    return path.with_name(name), Path(name)


def write_rejects(places: Iterable[Path], source: Source, rejects: Sequence[Reject]) -> Path | None:
    """Write to the first place that takes it; None if none does. UTF-8 with a mark, so that spreadsheets and a mapping
    with another `encoding` read it; the delimiter is the source's.
    """
    for path in places:
        try:
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file, delimiter=source.delimiter).writerows(_rows(source, rejects))
        except OSError:
            continue
        return path.absolute()
    return None


def _rows(source: Source, rejects: Sequence[Reject]) -> Iterator[Sequence[object]]:
    kept = [index for index, name in enumerate(source.header) if name not in REJECT_COLUMNS]
    yield [*(source.header[index] for index in kept), *REJECT_COLUMNS]
    for line, column, reason in rejects:
        yield [*(_cell(line, index) for index in kept), line.number, _neutral(column), _neutral(reason)]


def _cell(line: Line, index: int) -> str:
    return line.cells[index] if index < len(line.cells) else ""


def _neutral(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
