"""Targets and measurements from files: matched by external id and by day, and merged. Owns the bulk way in; the
one-by-one way is in `storage.target_writes`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, delete, select

from rules.curves import Point
from rules.imports import Outcome
from rules.records import Actor
from storage.db import Tx
from storage.merge import merge_rows
from storage.targets import MeasurementRow, TargetRow, TargetStepRow
from storage.types import new_id
from storage.upsert import upsert


def import_targets(
    tx: Tx,
    rows: Sequence[Mapping[str, Any]],
    steps: Mapping[str, Sequence[Point]],
    actor: Actor,
    now: datetime,
) -> Counter[Outcome]:
    """Merge targets by `external_id`, and put `steps` (by external id) in the place of their old ones."""
    stored = tx.session.exec(
        select(TargetRow).where(
            TargetRow.workspace_id == tx.workspace_id,
            col(TargetRow.external_id).in_([row["external_id"] for row in rows]),
        )
    ).all()
    known = {row.external_id: row for row in stored}
    merged = []
    for row in rows:
        old = known.get(row["external_id"])
        merged.append(
            {**row, "id": old.id if old else new_id(), "created_at": old.created_at if old else row["created_at"]}
        )
    counts = merge_rows(tx, TargetRow, merged, key="id", actor=actor, now=now)
    _replace_steps(tx, {row["id"]: steps[row["external_id"]] for row in merged})
    return counts


def _replace_steps(tx: Tx, steps: Mapping[str, Sequence[Point]]) -> None:
    tx.session.execute(
        delete(TargetStepRow).where(
            col(TargetStepRow.workspace_id) == tx.workspace_id, col(TargetStepRow.target_id).in_(steps)
        )
    )
    rows = [{"target_id": id_, "day": day, "value": value} for id_, points in steps.items() for day, value in points]
    upsert(tx, TargetStepRow, rows, keys=["target_id", "day"])


def import_measurements(tx: Tx, rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> Counter[Outcome]:
    """Merge measurements: one per account, metric and day from files; what people logged stays untouched."""
    named = [{**row, "id": _measurement_id(tx, row)} for row in rows]
    stored = tx.session.exec(
        select(MeasurementRow).where(
            MeasurementRow.workspace_id == tx.workspace_id, col(MeasurementRow.id).in_([row["id"] for row in named])
        )
    ).all()
    made = {row.id: row.created_at for row in stored}
    merged = [{**row, "source": "file", "created_at": made.get(row["id"], now)} for row in named]
    return merge_rows(tx, MeasurementRow, merged, key="id", actor=actor, now=now)


def _measurement_id(tx: Tx, row: Mapping[str, Any]) -> str:
    """The same account, metric and day always get the same id, so that a second import finds the first."""
    about = "\n".join((tx.workspace_id, row["account_id"], row["metric_key"], row["measured_on"].isoformat()))
    return hashlib.sha256(about.encode()).hexdigest()[:32]
