"""Forgetting what only served the machinery: finished runs of schedules. Owns how long they are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.report import JobReport
from storage.db import Database
from storage.delivery.schedules import forget_runs

KEPT = timedelta(days=30)


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Delete finished runs older than 30 days. Safe to repeat."""
    with database.writing(workspace_id) as tx:
        count = forget_runs(tx, now - KEPT)
    return JobReport("cleanup", {"runs_forgotten": count})
