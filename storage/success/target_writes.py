"""Writes of targets and measurements: each intent with its audit, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, update
from sqlmodel import col, select

from rules.records import Actor, Change
from rules.success.plans import AddMeasurement, AddTarget, RemoveMeasurement, RemoveTarget, TargetDraft, TargetIntent
from storage.audit import record
from storage.db import Tx
from storage.success.metrics import ensure_known, ensure_metric
from storage.success.targets import MeasurementRow, TargetRow, TargetStepRow, get_measurement, get_target

_SAME = ("account_id", "kind", "unit", "baseline", "goal", "start_on", "due_on", "cadence_days", "owner_id")


def apply_targets(
    tx: Tx, intents: Sequence[TargetIntent], actor: Actor, now: datetime
) -> list[TargetRow | MeasurementRow]:
    """Carry the intents out, with audit. Returns the rows added, changed or taken back, one per intent.

    Raises `NotFoundError` for a target or measurement that is gone.
    """
    return [_apply(tx, intent, actor, now) for intent in intents]


def is_target_needed(tx: Tx, target: TargetRow) -> bool:
    """Whether a value was logged for it since it was made, or a newer target took its place."""
    logged = exists().where(
        col(MeasurementRow.workspace_id) == tx.workspace_id,
        col(MeasurementRow.account_id) == target.account_id,
        col(MeasurementRow.metric_key) == target.metric_key,
        col(MeasurementRow.created_at) >= target.created_at,
        col(MeasurementRow.removed_at).is_(None),
    )
    return target.replaced_by is not None or bool(tx.session.execute(select(logged)).scalar_one())


def is_measurement_needed(tx: Tx, measurement: MeasurementRow) -> bool:
    """Whether a target made since then starts from this value."""
    return is_any_needed(tx, [measurement])


def is_any_needed(tx: Tx, measurements: Sequence[MeasurementRow]) -> bool:
    """As `is_measurement_needed`, of any of some; one query."""
    if not measurements:
        return False
    made = tx.session.exec(
        select(TargetRow).where(
            TargetRow.workspace_id == tx.workspace_id,
            col(TargetRow.account_id).in_({each.account_id for each in measurements}),
            col(TargetRow.metric_key).in_({each.metric_key for each in measurements}),
            col(TargetRow.removed_at).is_(None),
        )
    ).all()
    return any(_starts_from(target, each) for target in made for each in measurements)


def _starts_from(target: TargetRow, measurement: MeasurementRow) -> bool:
    is_of_it = (target.account_id, target.metric_key) == (measurement.account_id, measurement.metric_key)
    return is_of_it and target.created_at >= measurement.created_at and target.baseline == measurement.value


def _apply(tx: Tx, intent: TargetIntent, actor: Actor, now: datetime) -> TargetRow | MeasurementRow:
    if isinstance(intent, AddTarget):
        return _add_target(tx, intent, actor, now)
    if isinstance(intent, RemoveTarget):
        return _remove_target(tx, intent, actor, now)
    if isinstance(intent, AddMeasurement):
        return _add_measurement(tx, intent, actor, now)
    return _remove_measurement(tx, intent, actor, now)


def _add_target(tx: Tx, intent: AddTarget, actor: Actor, now: datetime) -> TargetRow:
    draft = intent.draft
    if draft.metric_key:
        ensure_known(tx, draft.metric_key, draft.unit)
    metric_key = draft.metric_key or ensure_metric(tx, draft.metric, draft.unit).key
    row = TargetRow(
        workspace_id=tx.workspace_id,
        metric_key=metric_key,
        customer_owner=draft.customer_owner,
        agreed_on=draft.agreed_on,
        created_at=now,
        **{name: getattr(draft, name) for name in _SAME},
    )
    tx.session.add(row)
    tx.session.flush()
    _add_steps(tx, row.id, draft)
    tx.session.execute(
        update(TargetRow)
        .where(col(TargetRow.workspace_id) == tx.workspace_id, col(TargetRow.id).in_(intent.replaces))
        .values(replaced_by=row.id)
    )
    after = _describe(row) | {"replaces": list(intent.replaces)}
    record(tx, Change("target.added", "target", row.id, row.account_id, after=after), actor, now)
    return row


def _add_steps(tx: Tx, target_id: str, draft: TargetDraft) -> None:
    for day, value in draft.steps or ():
        tx.session.add(TargetStepRow(workspace_id=tx.workspace_id, target_id=target_id, day=day, value=value))
    tx.session.flush()


def _remove_target(tx: Tx, intent: RemoveTarget, actor: Actor, now: datetime) -> TargetRow:
    row = get_target(tx, intent.target_id)
    row.removed_at = now
    tx.session.execute(
        update(TargetRow)
        .where(col(TargetRow.workspace_id) == tx.workspace_id, col(TargetRow.replaced_by) == row.id)
        .values(replaced_by=None)
    )
    tx.session.flush()
    record(tx, Change("target.undone", "target", row.id, row.account_id, before=_describe(row)), actor, now)
    return row


def _add_measurement(tx: Tx, intent: AddMeasurement, actor: Actor, now: datetime) -> MeasurementRow:
    draft = intent.draft
    row = MeasurementRow(workspace_id=tx.workspace_id, created_at=now, **vars(draft))
    tx.session.add(row)
    tx.session.flush()
    record(
        tx, Change("measurement.added", "measurement", row.id, row.account_id, after=_describe_value(row)), actor, now
    )
    return row


def _remove_measurement(tx: Tx, intent: RemoveMeasurement, actor: Actor, now: datetime) -> MeasurementRow:
    row = get_measurement(tx, intent.measurement_id)
    row.removed_at = now
    tx.session.flush()
    record(
        tx,
        Change("measurement.undone", "measurement", row.id, row.account_id, before=_describe_value(row)),
        actor,
        now,
    )
    return row


def _describe(row: TargetRow) -> dict[str, object]:
    return {
        "metric": row.metric_key,
        "kind": row.kind.value,
        "unit": row.unit,
        "baseline": None if row.baseline is None else str(row.baseline),
        "goal": str(row.goal),
        "start_on": row.start_on.isoformat(),
        "due_on": row.due_on.isoformat(),
        "agreed_on": row.agreed_on.isoformat() if row.agreed_on else None,
    }


def _describe_value(row: MeasurementRow) -> dict[str, object]:
    return {
        "metric": row.metric_key,
        "value": str(row.value),
        "measured_on": row.measured_on.isoformat(),
        "note": row.note,
    }
