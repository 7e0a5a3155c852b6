"""Reading the CSV: encoding, delimiter, header, lines. Streams; refuses to know what the columns mean."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.errors import IngestError

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FIELD_LIMIT = 1 << 20


@dataclass(frozen=True)
class Line:
    """One data row: its line number in the file (the header is line 1) and its cells, stripped."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A CSV file that was found readable: every byte decodes and the header has no empty or double name."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes, for a progress bar."""
        return self.path.stat().st_size

    def lines(self) -> Iterator[Line]:
        """The rows below the header; blank ones are passed over. Cells may be fewer or more than the header's."""
        csv.field_size_limit(_FIELD_LIMIT)
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            next(reader)
            try:
                for cells in reader:
                    if any(cells):
                        yield Line(reader.line_num, tuple(cell.strip() for cell in cells))
            except csv.Error as error:
                raise IngestError(
                    "{path}, line {line}: {why}. The rows before it were imported; mend the file and import it again.",
                    path=self.path.name,
                    line=reader.line_num,
                    why=error,
                ) from error


def open_source(path: Path, *, encoding: str = "utf-8", delimiter: str = "") -> Source:
    """Check that the whole file can be read, before anything is written. Raises `IngestError`."""
    if not path.is_file():
        raise IngestError("There is no file {path}.", path=path)
    encoding = _find_encoding(path, encoding)
    _check_text(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
    if not first.strip():
        raise IngestError("{path} is empty: the first line must name the columns.", path=path.name)
    delimiter = delimiter or max(_DELIMITERS, key=first.count)
    header = tuple(name.strip() for name in next(csv.reader([first], delimiter=delimiter)))
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise IngestError("{path} has the column {name} twice.", path=path.name, name=double[0] or "(no name)")
    return Source(path, encoding, delimiter, header)


def _find_encoding(path: Path, wanted: str) -> str:
    try:
        codecs.lookup(wanted)
    except LookupError:
        raise IngestError("There is no encoding {name}. Common ones: utf-8, cp1252, gb18030.", name=wanted) from None
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for bom, name in _BOMS if start.startswith(bom)), wanted)


def _check_text(path: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line += chunk[: error.start].count(b"\n")
                raise IngestError(
                    "{path}, about line {line}: this is not {encoding}. Set `encoding` in the mapping file, "
                    "for instance cp1252 or gb18030. Nothing was imported.",
                    path=path.name,
                    line=line,
                    encoding=encoding,
                ) from error
            if "\0" in text:
                raise IngestError(
                    "{path} is not a text file: it holds NUL bytes. Nothing was imported.", path=path.name
                )
            line += text.count("\n")
