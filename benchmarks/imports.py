"""How fast usage comes in from a file: `uv run python -m benchmarks.imports`.

Rows per second of CPU, first import and the same file again. The floor is Python's own csv.reader over that file.
"""

from __future__ import annotations

import csv
import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random
from time import perf_counter, process_time

from benchmarks.company import FEATURES, NOW, TODAY, Company, open_company
from benchmarks.report import Report, read_arguments
from pipeline.imports.mapping import Kind
from pipeline.imports.run import Job, run_import

_ACCOUNTS = 500


def write_usage(path: Path, rows: int, seed: int) -> None:
    """A file of use, by account, team, person and day."""
    random = Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("message_id", "account", "team", "metric", "person", "day", "value"))
        for number in range(rows):
            account, metric = f"acc-{random.randrange(40):06}", FEATURES[number % len(FEATURES)]
            day = TODAY - timedelta(1 + random.randrange(30))
            person = f"user{random.randrange(30)}"
            writer.writerow((f"m{number}", account, f"team {number % 3}", metric, person, day, random.randrange(1, 9)))


def read_bare(path: Path) -> float:
    """Seconds of CPU for csv.reader alone."""
    began = process_time()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            assert row
    return process_time() - began


def import_once(company: Company, path: Path) -> tuple[float, float, dict[str, int]]:
    """Seconds of CPU and of the wall clock, and how many rows came of it."""
    began, began_wall = process_time(), perf_counter()
    report = run_import(company.database, company.workspace_id, Job(Kind.USAGE, path), NOW)
    counts = {outcome.value: count for outcome, count in report.outcomes.items()}
    return process_time() - began, perf_counter() - began_wall, {**counts, "rejected": len(report.rejects)}


def main() -> None:
    """Make the file, import it twice, print."""
    parser = read_arguments(__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the file (default 100000)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other rows")
    given = parser.parse_args()
    columns = ("what", "rows per second of CPU", "seconds of CPU", "seconds", "times the floor")
    report = Report(f"Importing {given.rows} rows of usage", columns)
    with tempfile.TemporaryDirectory(prefix="milepost-benchmark-") as folder, open_company(_ACCOUNTS) as company:
        path = Path(folder) / "usage.csv"
        write_usage(path, given.rows, given.seed)
        floor = read_bare(path)
        report.rows.append(("csv.reader alone", round(given.rows / floor), round(floor, 3), round(floor, 3), 1.0))
        for name in ("first import", "the same again"):
            cpu, wall, counts = import_once(company, path)
            report.rows.append((name, round(given.rows / cpu), round(cpu, 2), round(wall, 2), round(cpu / floor, 1)))
            report.notes.append(f"{name}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    report.show(is_json=given.json)


if __name__ == "__main__":
    main()
