"""Forgetting what only served the machinery: finished runs of schedules, and
which payloads were seen. Owns how long they are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.report import JobReport
from storage.db import Database
from storage.delivery.deliveries import forget_deliveries
from storage.delivery.schedules import forget_runs

KEPT = timedelta(days=30)
KEPT_PAYLOADS = timedelta(days=1)
"""Slack sends a payload again within minutes."""


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Delete finished runs older than 30 days, and keys of payloads older than a day. Safe to repeat."""
    with database.writing(workspace_id) as tx:
        runs = forget_runs(tx, now - KEPT)
        payloads = forget_deliveries(tx, now - KEPT_PAYLOADS)
    return JobReport("cleanup", {"runs_forgotten": runs, "payloads_forgotten": payloads})
