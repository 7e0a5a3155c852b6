"""One import from beginning to end: check the file, then page by page shape, load, commit and report.

A file that cannot be read at all changes nothing. A row that cannot be taken is reported with line, column and
reason, and written to a file of rejects that can be mended and imported again. Importing a file twice changes nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.imports.loaders import LOADERS
from pipeline.imports.loading import Context, Loader, read_names
from pipeline.imports.mapping import FileMapping, Kind, read_mapping
from pipeline.imports.shape import Item, Reject, Shaper, Skipped, make_shaper
from pipeline.imports.source import Line, Source, open_source
from rules.errors import IngestError
from rules.imports import Outcome
from rules.records import Actor
from storage.accounts import list_named
from storage.db import Database

Progress = Callable[[int], None]
_REJECT_COLUMNS = ("reject_line", "reject_column", "reject_reason")


@dataclass
class ImportReport:
    """What an import did, or would do: rows by outcome, rows skipped by reason, and each reject."""

    kind: Kind
    path: Path
    is_dry_run: bool
    rows: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
    rejects_path: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "kind": self.kind,
            "file": str(self.path),
            "dry_run": self.is_dry_run,
            "rows": self.rows,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "skipped": dict(self.skipped),
            "rejected": len(self.rejects),
            "rejects": [
                {"line": each.line.number, "column": each.column, "reason": each.reason} for each in self.rejects
            ],
            "ignored_columns": list(self.ignored_columns),
            "rejects_file": str(self.rejects_path) if self.rejects_path else None,
        }


@dataclass(frozen=True)
class Job:
    """One import to run: what, from where, how."""

    kind: Kind
    path: Path
    map_path: Path | None = None
    is_dry_run: bool = False
    rejects_path: Path | None = None


def run_import(
    database: Database,
    workspace_id: str,
    job: Job,
    now: datetime,
    *,
    progress: Progress = lambda _count: None,
) -> ImportReport:
    """Import one file. `progress` is told the number of rows done after each page.

    Raises:
        IngestError: the file or the mapping cannot be used at all; nothing was written.
        BusyError: another writer held the database for too long; pages committed so far stay, run it again.
    """
    mapping = read_mapping(job.map_path, job.kind) if job.map_path else FileMapping()
    loader = LOADERS[job.kind]
    source = open_source(job.path, encoding=mapping.encoding, delimiter=mapping.delimiter)
    shaper = make_shaper(loader.model, mapping, source, job.map_path.parent if job.map_path else job.path.parent)
    context = Context(shaper, mapping, Actor("import", f"{job.kind} {job.path.name}"[:80], "import"), now)
    with database.reading(workspace_id) as tx:
        context.named = list_named(tx)
        context.names = read_names(context.named)
    report = ImportReport(job.kind, job.path, job.is_dry_run, ignored_columns=_ignored(shaper))
    for page in _pages(_shaped(source, shaper, loader, report), loader.page):
        _load_page(database, workspace_id, page, loader, context, report)
        progress(report.rows)
    progress(report.rows)
    if report.rejects:
        report.rejects_path = _write_rejects(job, source, report.rejects)
    return report


def _ignored(shaper: Shaper) -> tuple[str, ...]:
    return tuple(name for name in shaper.ignored if name not in _REJECT_COLUMNS)


def _shaped(source: Source, shaper: Shaper, loader: Loader, report: ImportReport) -> Iterator[Item]:
    """The valid rows; rejected and skipped ones go to the report. A second row with the first one's key is passed
    over if it says the same, and rejected if it does not.
    """
    seen: dict[str, tuple[int, int]] = {}
    for line in source.lines():
        report.rows += 1
        shaped = shaper.shape(line)
        if isinstance(shaped, Reject):
            report.rejects.append(shaped)
        elif isinstance(shaped, Skipped):
            report.skipped[shaped.because] += 1
        elif (key := loader.key(shaped.row)) and (first := seen.get(key)):
            _note_double(shaped, first, key, report)
        else:
            if key:
                seen[key] = (line.number, hash(line.cells))
            yield shaped


def _note_double(item: Item, first: tuple[int, int], key: str, report: ImportReport) -> None:
    number, content = first
    if hash(item.line.cells) == content:
        report.outcomes[Outcome.SAME] += 1
        return
    name = key.partition("\n")[0]
    report.rejects.append(Reject(item.line, "", f"{name!r} stands already on line {number}, with other values"))


def _pages(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    page: list[Item] = []
    for item in items:
        page.append(item)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def _load_page(
    database: Database, workspace_id: str, page: Sequence[Item], loader: Loader, context: Context, report: ImportReport
) -> None:
    with database.writing(workspace_id) as tx:
        loaded = loader.load(tx, page, context)
        if report.is_dry_run:
            tx.session.rollback()
            context.metrics.clear()
    report.outcomes += loaded.counts
    report.rejects += loaded.rejects


def _write_rejects(job: Job, source: Source, rejects: Sequence[Reject]) -> Path:
    """The rejected lines with their reasons: beside the file, else in the current folder."""
    name = f"{job.path.stem}.rejected.csv"
    for path in (job.rejects_path,) if job.rejects_path else (job.path.with_name(name), Path(name)):
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                _write_lines(csv.writer(file, delimiter=source.delimiter), source, rejects)
        except OSError:
            continue
        return path.absolute()
    raise IngestError("The rejected rows cannot be written to {path}. Choose a place with --rejects.", path=name)


def _write_lines(writer: Any, source: Source, rejects: Sequence[Reject]) -> None:
    kept = [index for index, name in enumerate(source.header) if name not in _REJECT_COLUMNS]
    writer.writerow([*(source.header[index] for index in kept), *_REJECT_COLUMNS])
    for reject in sorted(rejects, key=lambda each: each.line.number):
        cells = [_cell(reject.line, index) for index in kept]
        writer.writerow([*cells, reject.line.number, reject.column, reject.reason])


def _cell(line: Line, index: int) -> str:
    return line.cells[index] if index < len(line.cells) else ""
