"""Changes of targets and values that exist: compared with the version they were decided on, audited, undone.

How they are made is in `storage.success.target_writes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from rules.errors import StaleError
from rules.records import Actor, Change
from rules.success.curves import Point
from rules.success.plans import TargetDraft
from rules.success.target_changes import ChangeTarget, ChangeValue, Known, TargetTerms, ValueTerms
from storage.audit import record
from storage.db import Tx
from storage.success.targets import (
    MeasurementRow,
    TargetRow,
    TargetStepRow,
    get_target,
)

VERSION = "version"
_PLAIN = ("goal", "due_on", "cadence_days", "owner_id", "customer_owner", "agreed_on", "paused_on")


def get_known(tx: Tx, target_id: str) -> Known:
    """The target as `rules.success.target_changes` sees it, also a removed one. Raises `NotFoundError`."""
    row = get_target(tx, target_id)
    steps = tuple(list_steps(tx, target_id))
    terms = TargetTerms(
        goal=row.goal,
        due_on=row.due_on,
        cadence_days=row.cadence_days,
        owner_id=row.owner_id,
        customer_owner=row.customer_owner,
        steps=steps,
        agreed_on=row.agreed_on,
        paused_on=row.paused_on,
        is_removed=row.removed_at is not None,
    )
    draft = TargetDraft(
        account_id=row.account_id,
        metric="",
        metric_key=row.metric_key,
        kind=row.kind,
        unit=row.unit,
        baseline=row.baseline,
        goal=row.goal,
        start_on=row.start_on,
        due_on=row.due_on,
    )
    return Known(row.id, row.version, terms, draft, is_replaced=row.replaced_by is not None)


def list_steps(tx: Tx, target_id: str) -> list[Point]:
    """The dated steps of one target, in order."""
    return [(row.day, row.value) for row in _select_steps(tx, target_id)]


def _select_steps(tx: Tx, target_id: str) -> list[TargetStepRow]:
    query = select(TargetStepRow).where(
        TargetStepRow.workspace_id == tx.workspace_id, TargetStepRow.target_id == target_id
    )
    return list(tx.session.exec(query.order_by(col(TargetStepRow.day))))


def to_terms(row: MeasurementRow) -> ValueTerms:
    """The measurement as its changes see it."""
    return ValueTerms(row.value, row.measured_on, row.note, row.removed_at is not None)


def apply_target_changes(tx: Tx, intents: Sequence[ChangeTarget], actor: Actor, now: datetime) -> list[TargetRow]:
    """Carry the changes out, with audit. Returns the targets as they are now.

    Raises `StaleError` where somebody else changed one since; then nothing may be committed.
    """
    return [_change_target(tx, intent, actor, now) for intent in intents]


def apply_value_changes(tx: Tx, intents: Sequence[ChangeValue], actor: Actor, now: datetime) -> list[MeasurementRow]:
    """As `apply_target_changes`, for measurements."""
    return [_change_value(tx, intent, actor, now) for intent in intents]


def _change_target(tx: Tx, intent: ChangeTarget, actor: Actor, now: datetime) -> TargetRow:
    after = intent.after
    query = select(TargetRow).where(TargetRow.workspace_id == tx.workspace_id, TargetRow.id == intent.target_id)
    row = tx.session.exec(query.with_for_update().execution_options(populate_existing=True)).first()
    if row is None or row.version != intent.version:
        raise StaleError("Somebody changed this target just now. Nothing was changed: look at it again.")
    for name in _PLAIN:
        setattr(row, name, getattr(after, name))
    row.removed_at = now if after.is_removed else None
    row.version += 1
    if after.steps != intent.before.steps:
        _replace_steps(tx, row.id, after.steps)
    tx.session.flush()
    said = after.dump() | {VERSION: row.version}
    change = Change(intent.verb, "target", row.id, row.account_id, before=intent.before.dump(), after=said)
    record(tx, change, actor, now)
    return row


def _replace_steps(tx: Tx, target_id: str, steps: Sequence[Point]) -> None:
    for row in _select_steps(tx, target_id):
        tx.session.delete(row)
    tx.session.flush()
    for day, value in steps:
        tx.session.add(TargetStepRow(workspace_id=tx.workspace_id, target_id=target_id, day=day, value=value))


def _change_value(tx: Tx, intent: ChangeValue, actor: Actor, now: datetime) -> MeasurementRow:
    after = intent.after
    query = select(MeasurementRow).where(
        MeasurementRow.workspace_id == tx.workspace_id, MeasurementRow.id == intent.measurement_id
    )
    row = tx.session.exec(query.with_for_update().execution_options(populate_existing=True)).first()
    if row is None or row.version != intent.version:
        raise StaleError("Somebody changed this value just now. Nothing was changed: look at it again.")
    row.value, row.measured_on, row.note = after.value, after.measured_on, after.note
    row.removed_at = now if after.is_removed else None
    row.version += 1
    tx.session.flush()
    said = after.dump() | {VERSION: row.version}
    change = Change(intent.verb, "measurement", row.id, row.account_id, before=intent.before.dump(), after=said)
    record(tx, change, actor, now)
    return row
