"""Targets and measurements from files: matched by external id and by day, and merged. Owns the bulk way in; the
one-by-one way is in `storage.success.target_writes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, delete, select

from rules.accounts.imports import Outcome, strongest
from rules.records import Actor
from rules.success.curves import Point
from storage.db import Tx
from storage.lookup import is_among
from storage.merge import merge_rows
from storage.people.members import list_member_ids
from storage.success.targets import MeasurementRow, TargetRow, TargetStepRow
from storage.types import new_id
from storage.upsert import upsert


def import_targets(
    tx: Tx, targets: Sequence[tuple[Mapping[str, Any], Sequence[Point]]], actor: Actor, now: datetime
) -> list[Outcome]:
    """Merge targets by `external_id`, each with its steps, which take the place of the old ones.

    A row may have `owner_email`, which links a member where one is known. Returns the outcome of each.
    """
    known = _find_targets(tx, [row["external_id"] for row, _ in targets])
    owners = list_member_ids(tx, [row.get("owner_email", "") for row, _ in targets])
    merged = [_merge(row, known.get(row["external_id"]), owners) for row, _ in targets]
    outcomes = merge_rows(tx, TargetRow, merged, key="id", actor=actor, now=now)
    steps = {row["id"]: tuple(points) for row, (_, points) in zip(merged, targets, strict=True)}
    stepped = _replace_steps(tx, steps)
    return [
        strongest(outcome, Outcome.CHANGED if row["id"] in stepped else Outcome.SAME)
        for outcome, row in zip(outcomes, merged, strict=True)
    ]


def _find_targets(tx: Tx, external_ids: Sequence[str]) -> dict[str, TargetRow]:
    found = tx.session.exec(
        select(TargetRow).where(
            TargetRow.workspace_id == tx.workspace_id, is_among(tx, col(TargetRow.external_id), external_ids)
        )
    )
    return {row.external_id: row for row in found if row.external_id}


def _merge(row: Mapping[str, Any], old: TargetRow | None, owners: Mapping[str, str]) -> dict[str, Any]:
    """The columns to store; what only Slack knows of an old target (owner, when it was made) stays."""
    merged = {name: value for name, value in row.items() if name != "owner_email"}
    merged["id"] = old.id if old else new_id()
    merged["created_at"] = old.created_at if old else row["created_at"]
    if "owner_email" in row:
        merged["owner_id"] = owners.get(row["owner_email"], old.owner_id if old else None)
    return merged


def _replace_steps(tx: Tx, steps: Mapping[str, tuple[Point, ...]]) -> set[str]:
    """Write the steps that differ from the stored ones; returns the targets concerned."""
    old: dict[str, list[Point]] = {}
    stored = select(TargetStepRow).where(
        TargetStepRow.workspace_id == tx.workspace_id, is_among(tx, col(TargetStepRow.target_id), steps)
    )
    for step in tx.session.exec(stored.order_by(col(TargetStepRow.day))):
        old.setdefault(step.target_id, []).append((step.day, step.value))
    differing = {id_ for id_, points in steps.items() if old.get(id_, []) != sorted(points)}
    tx.session.execute(
        delete(TargetStepRow).where(
            col(TargetStepRow.workspace_id) == tx.workspace_id, is_among(tx, col(TargetStepRow.target_id), differing)
        )
    )
    rows = [{"target_id": id_, "day": day, "value": value} for id_ in differing for day, value in steps[id_]]
    upsert(tx, TargetStepRow, rows, keys=["target_id", "day"])
    return differing


def import_measurements(tx: Tx, rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    """Merge measurements: one per account, metric and day from files; what people logged stays untouched."""
    ids = [_measurement_id(tx, row) for row in rows]
    stored = select(MeasurementRow.id, MeasurementRow.created_at).where(
        MeasurementRow.workspace_id == tx.workspace_id, is_among(tx, col(MeasurementRow.id), ids)
    )
    made = dict(tx.session.exec(stored).all())
    merged = [
        {**row, "id": id_, "source": "file", "created_at": made.get(id_, now)}
        for row, id_ in zip(rows, ids, strict=True)
    ]
    return merge_rows(tx, MeasurementRow, merged, key="id", actor=actor, now=now)


def _measurement_id(tx: Tx, row: Mapping[str, Any]) -> str:
    """The same account, metric and day always get the same id, so that a second import finds the first."""
    about = "\n".join((tx.workspace_id, row["account_id"], row["metric_key"], row["measured_on"].isoformat()))
    return hashlib.sha256(about.encode()).hexdigest()[:32]
