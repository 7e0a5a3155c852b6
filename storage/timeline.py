"""What the objects of an account's timeline are called: its notes, contacts, milestones and so on, looked up for a page
of the audit in one query per kind of object. Owns no table; refuses sentences (`commands.blocks.timeline`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import SQLModel, col, select

from storage.accounts.contacts import ContactRow
from storage.accounts.notes import NoteRow
from storage.alerts.alerts import EpisodeRow
from storage.audit import AuditRow
from storage.db import Tx
from storage.fields import table_of
from storage.renewals.renewals import RenewalRow
from storage.success.journeys import JourneyRow, MilestoneRow
from storage.success.metrics import MetricRow
from storage.success.risks import RiskRow
from storage.success.targets import MeasurementRow, TargetRow
from storage.success.tasks import TaskRow

_TITLES: dict[str, tuple[type[SQLModel], str]] = {
    "note": (NoteRow, "text"),
    "contact": (ContactRow, "name"),
    "journey": (JourneyRow, "name"),
    "milestone": (MilestoneRow, "name"),
    "task": (TaskRow, "text"),
    "risk": (RiskRow, "text"),
    "target": (TargetRow, "metric_key"),
    "measurement": (MeasurementRow, "metric_key"),
    "episode": (EpisodeRow, "kind"),
    "renewal": (RenewalRow, "ends_on"),
}


def read_titles(tx: Tx, lines: Sequence[AuditRow]) -> dict[str, Any]:
    """By object id what the object is called: a text, an alert's kind, a renewal's day, the key of a target's metric.

    Notes that were taken back are left out: nobody shall read them any more.
    """
    found: dict[str, Any] = {}
    for kind in {line.object_kind for line in lines} & _TITLES.keys():
        table, column = _TITLES[kind]
        columns = table_of(table).columns
        query = select(columns.id, columns[column]).where(
            columns.workspace_id == tx.workspace_id,
            columns.id.in_([line.object_id for line in lines if line.object_kind == kind]),
        )
        if kind == "note":
            query = query.where(columns.removed_at.is_(None))
        found |= {row.id: row[1] for row in tx.session.execute(query)}
    return found


def read_units(tx: Tx, keys: Sequence[str]) -> dict[str, str]:
    """The unit of these metrics, by key; those outside the workspace's catalogue are left out."""
    rows = tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, col(MetricRow.key).in_(keys))
    )
    return {row.key: row.unit for row in rows}
