"""`milepost job`: run one job by hand, now, as of a moment, or day by day over a past on a scratch copy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.cli.moments import read_moment
from bot.cli.plain import plain
from bot.cli.workspaces import find_workspace
from bot.registry import JOBS
from bot.wiring import Wiring, wire
from pipeline.replay import Replay, replay
from pipeline.report import JobReport
from rules.errors import UserError
from rules.records import Band
from storage.copies import copy_database, forget_judgements
from storage.db import Database

_TABLE_ROWS = 40


def job(
    name: Annotated[str, typer.Argument(help="One of: " + ", ".join(JOBS))],
    *,
    at: Annotated[str, typer.Option(help="Run as of this moment: 2026-03-14 (06:00 there) or 2026-03-14T09:30.")] = "",
    since: Annotated[str, typer.Option("--from", help="First day to replay, on a scratch copy of the data.")] = "",
    until: Annotated[str, typer.Option("--to", help="Last day to replay.")] = "",
) -> None:
    """Run a job by hand. With --from and --to, replay it day by day on a copy: nothing is changed, nothing is sent."""
    if name not in JOBS:
        raise UserError("There is no job {name}. Jobs: {jobs}.", name=name, jobs=", ".join(JOBS))
    wiring = wire()
    workspace_id, zone = find_workspace(wiring)
    console = Console(soft_wrap=True)
    if since or until:
        _replay(wiring, workspace_id, name, _days(since, until), ZoneInfo(zone), console)
        return
    now = read_moment(at, zone) if at else wiring.clocks.business()
    _show(JOBS[name](wiring.database, workspace_id, now), console)


def _days(since: str, until: str) -> list[date]:
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until or since)
    except ValueError:
        raise UserError("Give both days like this: --from 2026-03-01 --to 2026-03-14.") from None
    if last < first:
        raise UserError("The last day, {last}, is before the first, {first}.", last=last, first=first)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _show(report: JobReport, console: Console) -> None:
    console.print(
        f"[bold]{report.name}[/bold] " + " · ".join(f"{name} {count}" for name, count in report.counts.items())
    )
    for line in report.lines:
        console.print(line, highlight=False, markup=False)


def _replay(wiring: Wiring, workspace_id: str, name: str, days: list[date], zone: ZoneInfo, console: Console) -> None:
    with _scratch(wiring.database, workspace_id) as scratch, Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"{name}, {days[0]} to {days[-1]}", total=len(days))
        walked = replay(scratch, workspace_id, JOBS[name], days, zone, progress=lambda: bar.advance(task))
    console.print(_tabulate_days(walked))
    console.print(_tabulate_kinds(walked))
    console.print(_tabulate_alerts(walked) if walked.alerts else "No alert would have come in these days.")
    console.print("This ran on a scratch copy: nothing was changed and nothing was sent.")


def _tabulate_days(walked: Replay) -> Table:
    bands = (Band.RED, Band.YELLOW, Band.GREEN, Band.UNKNOWN)
    table = Table("day", *(band.value for band in bands), "alerts opened", "closed", title="Accounts by health")
    step = max(1, len(walked.days) // _TABLE_ROWS)
    for at, each in enumerate(walked.days):
        if at % step == 0 or each.opened or each is walked.days[-1]:
            counts = [str(each.bands.get(band, 0)) for band in bands]
            table.add_row(str(each.day), *counts, str(each.opened), str(each.closed))
    return table


def _tabulate_kinds(walked: Replay) -> Table:
    """How many of each kind: those of the first two days tell how things stood, the others what happened."""
    table = Table("alert", "severity", "at the beginning", "later", "closed by themselves", title="Alerts by kind")
    begun = [day.day for day in walked.days[:2]]
    kinds = sorted({(each.kind, each.severity) for each in walked.alerts})
    for kind, severity in kinds:
        found = [each for each in walked.alerts if (each.kind, each.severity) == (kind, severity)]
        first = sum(each.day in begun for each in found)
        closed = sum(each.closed_on is not None for each in found)
        table.add_row(kind.value.replace("_", " "), severity, str(first), str(len(found) - first), str(closed))
    return table


def _tabulate_alerts(walked: Replay) -> Table:
    table = Table("day", "account", "alert", "severity", "score", "closed", title=f"{len(walked.alerts)} alerts")
    for each in walked.alerts[:_TABLE_ROWS]:
        score = "" if each.before is None or each.after is None else f"{each.before:.0f} → {each.after:.0f}"
        closed = str(each.closed_on) if each.closed_on else "still open"
        kind, name = each.kind.value.replace("_", " "), plain(each.account)
        table.add_row(str(each.day), name, kind, each.severity, score, closed)
    if len(walked.alerts) > _TABLE_ROWS:
        table.caption = f"and {len(walked.alerts) - _TABLE_ROWS} more"
    return table


@contextmanager
def _scratch(database: Database, workspace_id: str) -> Iterator[Database]:
    """A copy that is thrown away, without the scores and alerts of the original. Raises `UserError` on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="milepost-scratch-") as folder:
        path = Path(folder) / "scratch.db"
        copy_database(database, path)
        scratch = Database(f"sqlite:///{path}")
        try:
            with scratch.writing(workspace_id) as tx:
                forget_judgements(tx)
            yield scratch
        finally:
            scratch.close()
