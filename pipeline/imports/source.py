"""Reading the CSV: encoding, delimiter, header, lines. Streams; refuses to know what the columns mean."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

from rules.errors import IngestError
from words.errors import excerpt

_DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Line(NamedTuple):
    """One data row: the line of the file it begins on (the header is line 1) and its cells, stripped."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A CSV file that was read to its end once: all of it decodes and every quote is closed. No two columns have one
    name; "" stands for a column without. `rows`: how many lines hold data.
    """

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int

    def lines(self) -> Iterator[Line]:
        """The rows below the header; blank ones are passed over. Cells may be fewer or more than the header's."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            walk = _walk(file, self.path, self.delimiter)
            next(walk)
            yield from walk


def open_source(path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> Source:
    """Read the whole file once, before anything is written. Raises `IngestError` if it is no readable CSV."""
    if not path.is_file():
        raise IngestError("There is no file {path}.", path=path)
    encoding = _find_encoding(path, encoding)
    try:
        with path.open(encoding=encoding, newline="") as file:
            delimiter = delimiter or _find_delimiter(file.readline())
            file.seek(0)
            walk = _walk(file, path, delimiter)
            header = next(walk, None)
            rows = sum(1 for _line in walk)
    except UnicodeError as error:
        raise IngestError(
            "{path}, line {line}: this is not {encoding}. Set `encoding` in the mapping file, for instance cp1252 or "
            "gb18030. Nothing was imported.",
            path=path.name,
            line=_find_undecodable(path, encoding),
            encoding=encoding,
        ) from error
    if header is None or header.number > 1:
        raise IngestError("{path} is empty: its first line must name the columns.", path=path.name)
    _check_header(path, header.cells)
    return Source(path, encoding, delimiter, header.cells, rows)


def _walk(file: TextIO, path: Path, delimiter: str) -> Iterator[Line]:
    """Every line that is not blank, the header first."""
    reader = csv.reader(_refuse_nul(file, path), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            stripped = tuple(map(str.strip, cells))
            if any(stripped):
                yield Line(begins, stripped)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise IngestError(
            "{path}, line {line}: {why}. Nothing was imported.", path=path.name, line=begins, why=_explain(error)
        ) from error


def _refuse_nul(lines: Iterable[str], path: Path) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise IngestError(
                "{path} holds NUL bytes: it is no text file, or it is UTF-16. Save it as UTF-8, or set "
                "`encoding: utf-16-le` in the mapping file. Nothing was imported.",
                path=path.name,
            )
        yield line


def _explain(error: csv.Error) -> str:
    why = str(error)
    if "unexpected end of data" in why:
        return 'a quote (") is opened here and never closed'
    if "expected after" in why:
        return 'text follows a closing quote ("); a quote inside a cell is written twice ("")'
    if "field limit" in why:
        return f'a cell holds more than {csv.field_size_limit():,} characters; is a quote (") not closed?'
    return why


def _find_encoding(path: Path, wanted: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=wanted)
    except LookupError:
        raise IngestError("There is no encoding {name}. Common ones: utf-8, cp1252, gb18030.", name=wanted) from None
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for bom, name in _BOMS if start.startswith(bom)), wanted)


def _find_delimiter(first: str) -> str:
    """The sign that separates most columns of the header."""
    return max(_DELIMITERS, key=first.count)


def _find_undecodable(path: Path, encoding: str) -> int:
    """The line of the first byte that does not decode; exact where line ends look as in ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)()
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                decoder.decode(line)
            except UnicodeError:
                return number
    return number


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    double = sorted({name for name in header if name and header.count(name) > 1})
    if double:
        raise IngestError(
            "{path} has the column {name} twice; rename one of them. Nothing was imported.",
            path=path.name,
            name=excerpt(double[0]),
        )
