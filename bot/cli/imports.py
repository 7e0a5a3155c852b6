"""`milepost import`: bring a CSV file in, and tell what became of it. Owns the words and the exit codes; the work is in
`pipeline.imports`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.cli.moments import read_moment
from bot.cli.plain import plain
from bot.cli.workspaces import find_workspace
from bot.wiring import wire
from pipeline.imports.mapping import Kind
from pipeline.imports.report import ImportReport
from pipeline.imports.run import Job, run_import
from pipeline.imports.run import Progress as Tell
from rules.accounts.imports import Outcome
from rules.errors import UserError

SHOWN_REJECTS = 10
SOME_REJECTED = 1
NOTHING_IMPORTED = 2
_KINDS = ", ".join(Kind)


def import_file(  # noqa: PLR0913  # one argument for each option
    kind: Annotated[str, typer.Argument(help=f"What the file holds: {_KINDS}.")],
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    *,
    map_path: Annotated[Path | None, typer.Option("--map", help="A mapping file; see docs/import.md.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count, write nothing.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go; beside FILE if not given.")] = None,
    workspace: Annotated[str, typer.Option(help="Id of the workspace, where there are several.")] = "",
    at: Annotated[str, typer.Option(help="Import as of this moment: 2026-03-14 or 2026-03-14T09:30.")] = "",
) -> None:
    """Import a CSV file: accounts, contracts, targets, usage or tickets.

    Exit code 0: all rows are in. 1: some were rejected. 2: nothing was imported.
    """
    if kind not in set(Kind):
        raise UserError("There is no kind {kind}. Kinds: {kinds}.", kind=kind, kinds=_KINDS)
    wiring = wire()
    workspace_id, zone = find_workspace(wiring, workspace)
    now = read_moment(at, zone) if at else wiring.clocks.business()
    job = Job(Kind(kind), file, map_path, is_dry_run=dry_run, rejects_path=rejects)
    with _progress(file.name, is_json=is_json) as tell:
        report = run_import(wiring.database, workspace_id, job, now, progress=tell)
    if is_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        show_report(report, Console(soft_wrap=True))
    if code := find_exit_code(report):
        raise typer.Exit(code)


def find_exit_code(report: ImportReport) -> int:
    """0 for a file that is in, also one without rows; see `import_file`."""
    if not report.rejects:
        return 0
    return SOME_REJECTED if report.taken else NOTHING_IMPORTED


def show_report(report: ImportReport, console: Console) -> None:
    """The counts, the first rejects, and what to do next. What stands in the file is printed as plain text."""
    console.print(_sum_up(report), markup=False, highlight=False)
    for reason, rows in report.skipped.items():
        console.print(f"Skipped {rows:,}: {reason}", markup=False, highlight=False)
    if report.ignored_columns:
        console.print(f"Columns not used: {', '.join(report.ignored_columns)}", markup=False, highlight=False)
    if report.rejects:
        console.print(_tabulate(report))
        console.print(_advise(report), markup=False, highlight=False)


def _sum_up(report: ImportReport) -> str:
    if not report.rows:
        return f"{report.path.name}: only a header, no rows; nothing to import."
    counts = [f"{report.outcomes[outcome]:,} {outcome.value}" for outcome in Outcome]
    if report.skipped:
        counts.append(f"{report.skipped.total():,} skipped")
    if report.rejects:
        counts.append(f"{len(report.rejects):,} rejected")
    opening = "Dry run, nothing was written. " if report.is_dry_run else ""
    return f"{opening}{report.path.name}: {report.rows:,} rows of {report.kind.value}: {', '.join(counts)}."


def _tabulate(report: ImportReport) -> Table:
    table = Table("line", "column", "reason", title=f"First {min(len(report.rejects), SHOWN_REJECTS)} rejects")
    for reject in report.rejects[:SHOWN_REJECTS]:
        table.add_row(str(reject.line.number), plain(reject.column), plain(reject.reason))
    return table


def _advise(report: ImportReport) -> str:
    if report.rejects_path is not None:
        return f"Rejected rows, with reasons: {report.rejects_path}\nMend them there and import that file the same way."
    if report.is_dry_run:
        return "Import without --dry-run, or name a file with --rejects, to get the rejected rows with their reasons."
    return "The rejected rows could not be written to a file. Choose a place with --rejects and import again."


@contextmanager
def _progress(name: str, *, is_json: bool) -> Iterator[Tell]:
    """A bar on a terminal, nothing elsewhere."""
    if is_json or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(plain(name), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
