"""How the daily jobs grow with the company: `uv run python -m benchmarks.jobs`.

Rollup (of the day that just came in for every account), score and scan, one after the other, over companies of several
sizes. The floor is reading each account's usage once, with plain sqlite3. Peak memory is by how much the process's
resident set grew during the job, at most; it needs Linux.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import event

from benchmarks.company import NOW, Company, mark_last_day, open_company
from benchmarks.memory import forget_peak, read_peak_mb, read_resident_mb
from benchmarks.report import Report, read_arguments
from pipeline import rollup, scan, score
from storage.db import Database

PAGE = 200
JOBS = {"rollup": rollup.run, "score": score.run, "scan": scan.run}


@dataclass
class Run:
    """One job over one company."""

    accounts: int
    seconds: float
    queries: int
    peak_mb: float
    floor_seconds: float


@dataclass
class Statements:
    """Counts the statements a database is sent."""

    count: int = 0
    _engines: list[Any] = field(default_factory=list)

    def add(self, *_arguments: Any) -> None:
        """One more."""
        self.count += 1


@contextmanager
def counted(database: Database) -> Iterator[Statements]:
    """Count all statements but the transaction's own."""
    statements = Statements()
    engines = {id(each): each for each in (database.engine, _reader(database))}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", statements.add)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", statements.add)


def _reader(database: Database) -> Any:
    with database.read() as session:
        return session.get_bind()


def measure(company: Company) -> dict[str, Run]:
    """Run each job once; the first statement of each transaction (its BEGIN) counts too."""
    mark_last_day(company)
    floor = read_once(Path(company.database.url.removeprefix("sqlite:///")))
    runs = {}
    for name, job in JOBS.items():
        before = read_resident_mb()
        forget_peak()
        with counted(company.database) as statements:
            began = perf_counter()
            job(company.database, company.workspace_id, NOW)
            seconds = perf_counter() - began
        peak = max(0.0, read_peak_mb() - before)
        runs[name] = Run(len(company.names), seconds, statements.count, peak, floor)
    return runs


def read_once(path: Path) -> float:
    """Seconds to read the usage that a score looks at, account by account page, with nothing around it."""
    began = perf_counter()
    with closing(sqlite3.connect(path)) as connection:
        for row in connection.execute(
            "SELECT account_id, metric_key, day, value FROM usage_days WHERE day > '2026-01-13'"
        ):
            assert row
    return perf_counter() - began


def find_exponent(points: Sequence[tuple[int, float]]) -> float:
    """The slope of log seconds over log accounts: 1 is linear, 2 quadratic."""
    xs, ys = ([math.log(point[at]) for point in points] for at in (0, 1))
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    below = sum((x - middle_x) ** 2 for x in xs)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / below if below else math.nan


def main() -> None:
    """Measure each size, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 5_000, 20_000], help="accounts of each company")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other figures in the company")
    given = parser.parse_args()
    found: dict[str, list[Run]] = {name: [] for name in JOBS}
    for size in given.sizes:
        with open_company(size, seed=given.seed) as company:
            for name, run in measure(company).items():
                found[name].append(run)
    columns = ("job", "accounts", "seconds", "times the floor", f"statements per {PAGE}", "peak MB")
    report = Report("The daily jobs", columns)
    for name, runs in found.items():
        for run in runs:
            per_page = round(run.queries / math.ceil(run.accounts / PAGE), 1)
            ratio = round(run.seconds / run.floor_seconds, 1)
            report.rows.append((name, run.accounts, round(run.seconds, 2), ratio, per_page, round(run.peak_mb, 1)))
        if len(runs) > 1:
            exponent = find_exponent([(run.accounts, run.seconds) for run in runs])
            report.notes.append(f"{name} grows with accounts to the power of {exponent:.2f}")
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
