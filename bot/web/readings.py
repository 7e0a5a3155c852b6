"""Figures that stand in the database, read when somebody asks: messages by state, how late the jobs are.

The same whichever process is asked. Sums over all workspaces, so that no label names one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily

from bot.clocks import Clocks
from storage.db import Database, Tx
from storage.delivery.figures import QUEUE_STATES, Queue, find_most_overdue, read_queues
from storage.people.workspaces import list_workspaces


def read_figures(database: Database, clocks: Clocks) -> list[GaugeMetricFamily]:
    """Queues and lateness over all workspaces that are not paused; the paused ones are counted."""
    with database.read() as session:
        rows = list_workspaces(session)
    queues, dues = [], []
    for row in rows:
        if not row.is_paused:
            with database.reading(row.id) as tx:
                queues.append(read_queues(tx, clocks.wall()))
                dues.append(_read_due(tx))
    paused = _gauge("milepost_workspaces_paused", "Workspaces that Slack no longer lets us into.")
    paused.add_metric((), float(sum(row.is_paused for row in rows)))
    return [*_tell_queues(queues, clocks.wall()), _tell_lateness(dues, clocks.business()), paused]


def _read_due(tx: Tx) -> datetime | None:
    return find_most_overdue(tx)


def _tell_queues(queues: list[dict[str, Queue]], now: datetime) -> Iterator[GaugeMetricFamily]:
    counts = _gauge("milepost_outbox_messages", "Messages by state; sent ones are not counted.", "state")
    ages = _gauge("milepost_outbox_oldest_seconds", "How long the oldest of them could have gone out.", "state")
    for state in QUEUE_STATES:
        counts.add_metric((state,), float(sum(each[state].count for each in queues)))
        oldest = [each[state].oldest for each in queues]
        ages.add_metric((state,), max((_seconds(now, each) for each in oldest if each is not None), default=0.0))
    yield counts
    yield ages


def _tell_lateness(dues: list[datetime | None], now: datetime) -> GaugeMetricFamily:
    late = _gauge("milepost_schedule_overdue_seconds", "How long the longest waiting job has been due.")
    late.add_metric((), max((_seconds(now, due) for due in dues if due is not None), default=0.0))
    return late


def _seconds(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels)
