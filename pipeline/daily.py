"""The day's work in its order: sum the usage, see whether it still comes, score health, scan for alerts, and see what
became of them. Owns the order only.
"""

from __future__ import annotations

from datetime import datetime

from pipeline import feeds, ledger, rollup, scan, score
from pipeline.report import JobReport
from storage.db import Database

STEPS = (rollup.run, feeds.run, score.run, scan.run, ledger.run)


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Run the steps; each may be run again on the same day without changing anything."""
    reports = [step(database, workspace_id, now) for step in STEPS]
    return JobReport(
        "daily",
        {f"{report.name}.{name}": count for report in reports for name, count in report.counts.items()},
        tuple(line for report in reports for line in report.lines),
    )
