"""How a scan grows with the company: `uv run python -m benchmarks.scan`, or with `--sizes 1000 3000 10000`.

Each size is scored and then scanned on a copy of a company (`benchmarks.kept`), each job in a process of its own, so
that its peak memory is its own. The floor is reading the rows that a scan looks at once, with plain sqlite3 and without
making anything of them. CPU is what counts: seconds on the clock depend on who else uses the machine. A company of
100,000 accounts takes 10 GB, and its copy as much again; peak memory needs Linux.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from time import perf_counter, process_time

from benchmarks.company import NOW, TODAY
from benchmarks.jobs import PAGE, counted, find_exponent
from benchmarks.kept import open_copy, read_company
from benchmarks.memory import read_peak_mb
from benchmarks.report import Must, Report, read_arguments
from pipeline import scan, score
from pipeline.report import JobReport
from rules.alerts.health_signals import list_days
from storage.db import Database

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
MOST_EXPONENT, MOST_MB = 1.1, 400.0
JOBS: dict[str, Callable[[Database, str, datetime], JobReport]] = {"score": score.run, "scan": scan.run}
_COLUMNS = ("job", "accounts", "CPU ms each", "ms each", "times the floor", f"statements per {PAGE}", "peak MB")
_LOOKED_AT = (
    "SELECT id, country, tier FROM accounts",
    "SELECT account_id, rule, subject, state, streak, since, observed_on, openings FROM conditions",
    "SELECT account_id, kind, subject, facts FROM alert_episodes WHERE closed_at IS NULL",
    "SELECT account_id, metric_key, baseline, goal, start_on, due_on, cadence_days FROM targets",
    "SELECT account_id, metric_key, measured_on, value FROM measurements",
    "SELECT id, account_id, stage_key FROM journeys WHERE closed_at IS NULL",
    "SELECT journey_id, key, planned_days FROM journey_stages",
    "SELECT journey_id, stage_key, name, due_on, state, settled_on FROM milestones",
    "SELECT account_id, external_id, start_on, end_on, notice_by, notice_received_on FROM contracts",
    "SELECT account_id, contract_id, ends_on, outcome FROM renewals",
)
_SCORES = "SELECT account_id, day, score, band, coverage, capped_by, present FROM health_scores WHERE day = ?"


@dataclass(frozen=True)
class Run:
    """One job over one company. `floor_seconds` is the CPU of reading what a scan looks at, bare."""

    job: str
    accounts: int
    seconds: float
    cpu_seconds: float
    queries: int
    peak_mb: float
    floor_seconds: float

    def show(self) -> tuple[str | float, ...]:
        """A row of the report."""
        each = (round(1000 * taken / self.accounts, 2) for taken in (self.cpu_seconds, self.seconds))
        ratio = round(self.cpu_seconds / self.floor_seconds, 1)
        per_page = round(self.queries / math.ceil(self.accounts / PAGE), 1)
        return self.job, self.accounts, *each, ratio, per_page, round(self.peak_mb, 1)


def measure(job: str, url: str, accounts: int) -> Run:
    """Run the job once, in this process; the first statement of each transaction (its BEGIN) counts too."""
    with closing(Database(url)) as database:
        company = read_company(database, 0)
        with counted(database) as statements:
            began, used = perf_counter(), process_time()
            JOBS[job](database, company.workspace_id, NOW)
            seconds, cpu = perf_counter() - began, process_time() - used
    peak = read_peak_mb()
    return Run(job, accounts, seconds, cpu, statements.count, peak, read_bare(url.removeprefix("sqlite:///")))


def read_bare(path: str) -> float:
    """CPU seconds to read the rows that a scan looks at."""
    began = process_time()
    with closing(sqlite3.connect(path)) as connection:
        for query in _LOOKED_AT:
            for row in connection.execute(query):
                assert row
        for day in list_days(TODAY):
            for row in connection.execute(_SCORES, (day.isoformat(),)):
                assert row
    return process_time() - began


def measure_apart(job: str, url: str, accounts: int) -> Run:
    """`measure` in a fresh process, so that nothing else is in its peak."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, job, url, accounts).result()


def check(runs: Sequence[Run]) -> list[Must]:
    """The promises that these scans can keep or break."""
    largest = runs[-1]
    musts = [Must(f"peak memory at {largest.accounts} accounts < {MOST_MB:g} MB", largest.peak_mb, MOST_MB)]
    if len(runs) > 1:
        exponent = find_exponent([(run.accounts, run.cpu_seconds) for run in runs])
        musts.append(Must(f"CPU grows with accounts to a power < {MOST_EXPONENT:g}", round(exponent, 3), MOST_EXPONENT))
    return musts


def main() -> None:
    """Measure each size, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="accounts of each company")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other figures in the company")
    given = parser.parse_args()
    report, scans = Report("Scans", _COLUMNS), []
    for size in sorted(given.sizes):
        with open_copy(size, given.seed) as company:
            runs = [measure_apart(job, company.database.url, size) for job in JOBS]
        report.rows += [run.show() for run in runs]
        scans.append(runs[-1])
    report.musts += check(scans)
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
