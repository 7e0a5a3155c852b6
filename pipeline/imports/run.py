"""One import from beginning to end: check the file, then page by page shape, check, store and report.

A file that cannot be read at all changes nothing. A row that cannot be taken is reported with line, column and
reason, and written to a file of rejects that can be mended and imported again. Importing a file twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.imports.fitting import make_shaper
from pipeline.imports.loaders import LOADERS
from pipeline.imports.loading import Context, Loader
from pipeline.imports.mapping import FileMapping, Kind, read_mapping
from pipeline.imports.names import AccountNames
from pipeline.imports.rejects import REJECT_COLUMNS, name_rejects, write_rejects
from pipeline.imports.report import ImportReport
from pipeline.imports.shape import Item, Reject, Shaper, Skipped
from pipeline.imports.source import Line, Source, open_source
from rules.accounts.imports import Outcome
from rules.errors import IngestError
from rules.records import Actor
from storage.accounts.accounts import list_named
from storage.db import Database, Tx
from storage.people.workspaces import get_workspace
from words.dates import find_zone

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


@dataclass(frozen=True)
class Job:
    """One import to run: what, from where, how. A dry run writes nothing, but a file of rejects where one is named."""

    kind: Kind
    path: Path
    map_path: Path | None = None
    is_dry_run: bool = False
    rejects_path: Path | None = None


def run_import(
    database: Database, workspace_id: str, job: Job, now: datetime, *, progress: Progress = lambda _done, _all: None
) -> ImportReport:
    """Import one file.

    Raises:
        IngestError: the file or the mapping cannot be used at all; nothing was written.
        BusyError: another writer held the database for too long; pages committed so far stay, run it again.
    """
    _check_rejects_path(job)
    mapping = read_mapping(job.map_path, job.kind) if job.map_path else FileMapping()
    source = open_source(job.path, encoding=mapping.encoding, delimiter=mapping.delimiter)
    loader = LOADERS[job.kind]
    shaper = make_shaper(loader.model, mapping, source, (job.map_path or job.path).parent)
    report = ImportReport(job.kind, job.path, job.is_dry_run, ignored_columns=_ignored(shaper))
    with database.reading(workspace_id) as tx:
        context = _make_context(tx, shaper, job, now)
    lines = source.lines()
    while page := list(islice(lines, loader.page)):
        _load_page(database, workspace_id, page, loader, context, report)
        progress(report.rows, source.rows)
    _write_rejects(job, source, report)
    return report


def _check_rejects_path(job: Job) -> None:
    path = job.rejects_path
    if path is None:
        return
    if path.is_dir() or not path.parent.is_dir():
        raise IngestError("{path} is no file that can be written.", path=path)
    if path.exists() and job.path.exists() and path.samefile(job.path):
        raise IngestError("The rejects must not overwrite the file itself, {path}.", path=path)


def _make_context(tx: Tx, shaper: Shaper[Any], job: Job, now: datetime) -> Context:
    workspace = get_workspace(tx)
    return Context(
        shaper=shaper,
        mapping=shaper.mapping,
        actor=Actor("import", f"{job.kind.value} {job.path.name}"[:80], "import"),
        now=now,
        today=now.astimezone(find_zone(workspace.zone) or UTC).date(),
        currency=workspace.currency,
        names=AccountNames(list_named(tx)),
    )


def _ignored(shaper: Shaper[Any]) -> tuple[str, ...]:
    return tuple(name for name in shaper.ignored if name not in REJECT_COLUMNS)


def _load_page(
    database: Database,
    workspace_id: str,
    page: list[Line],
    loader: Loader[Any, Any],
    context: Context,
    report: ImportReport,
) -> None:
    """Decide about the page outside the write transaction, so that other writers wait only while rows are stored."""
    rejects: list[Reject] = []
    items = list(_shape(page, context.shaper, report, rejects))
    with database.reading(workspace_id) as tx:
        checked = loader.check(tx, items, context)
    if checked.ready:
        with database.writing(workspace_id) as tx:
            report.outcomes += loader.store(tx, checked.ready, context)
            if report.is_dry_run:
                tx.session.rollback()
                context.metrics.clear()
    report.outcomes[Outcome.SAME] += checked.same
    report.rejects += sorted(rejects + checked.rejects, key=lambda each: each.line.number)
    report.rows += len(page)


def _shape(page: list[Line], shaper: Shaper[Any], report: ImportReport, rejects: list[Reject]) -> Iterator[Item[Any]]:
    for shaped in map(shaper.shape, page):
        if isinstance(shaped, Item):
            yield shaped
        elif isinstance(shaped, Reject):
            rejects.append(shaped)
        elif isinstance(shaped, Skipped):
            report.skipped[shaped.because] += 1


def _write_rejects(job: Job, source: Source, report: ImportReport) -> None:
    if not report.rejects or (job.is_dry_run and not job.rejects_path):
        return
    places = (job.rejects_path,) if job.rejects_path else name_rejects(job.path)
    report.rejects_path = write_rejects(places, source, report.rejects)
