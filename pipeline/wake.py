"""Waking snoozed alerts: each whose time has come opens again, or is closed if its condition ended meanwhile. Owns the
pages; refuses to decide (`rules.alerts.alerts`).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pipeline.announcing import announce
from pipeline.report import JobReport
from rules.alerts.alerts import Woke, decide
from rules.records import Actor
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.alerts.conditions import AccountConditions, list_conditions
from storage.alerts.watching import list_due_snoozes
from storage.db import Database, Tx

ACTOR = Actor.job("wake")


def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
    """Wake what is due, in pages. Safe to repeat."""
    counts: Counter[str] = Counter()
    while True:
        with database.writing(workspace_id) as tx:
            woken = _wake_page(tx, now)
        if not woken:
            break
        counts += woken
    if counts["woke"]:
        announce(database, workspace_id, now)
    return JobReport("wake", dict(counts))


def _wake_page(tx: Tx, now: datetime) -> Counter[str]:
    rows = list_due_snoozes(tx, now)
    conditions = list_conditions(tx, sorted({row.account_id for row in rows}))
    intents = [
        each
        for row in rows
        for each in decide(to_episode(row), Woke(_is_firing(row, conditions.get(row.account_id, {}))), now)
    ]
    changed = apply_alerts(tx, intents, ACTOR, now)
    return Counter("woke" if row.closed_at is None else "cleared" for row in changed)


def _is_firing(row: EpisodeRow, conditions: AccountConditions) -> bool:
    condition = conditions.get((row.kind, row.subject))
    return condition is not None and condition.is_on
