"""Targets, their dated steps and the measurements of their metrics: tables, look-ups and facts for the rules.

Who changes them goes through `storage.success.target_writes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, exists, func, or_
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Field, Index, SQLModel, col, select

from rules.records import TargetKind
from rules.success.curves import Point
from rules.success.targets import TargetFacts
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, exact, key, moment, workspace
from storage.lookup import is_among
from storage.people.workspaces import get_workspace


class TargetRow(SQLModel, table=True):
    """Metric + kind + baseline + goal + dates + owners. `agreed_on` None means draft; `removed_at` means undone or
    taken away. `version` grows with every change by a person.
    """

    __tablename__ = "targets"

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    external_id: str | None = None
    metric_key: str
    kind: TargetKind = choice(TargetKind, default=TargetKind.LEVEL)
    unit: str = ""
    baseline: Decimal | None = exact(default=None, nullable=True)
    goal: Decimal = exact()
    start_on: date
    due_on: date
    cadence_days: int = 30
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    customer_owner: str = ""
    agreed_on: date | None = None
    paused_on: date | None = None
    replaced_by: str | None = None
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


class TargetStepRow(SQLModel, table=True):
    """One dated step of a target: the value expected on that day."""

    __tablename__ = "target_steps"

    workspace_id: str = workspace(has_index=False)
    target_id: str = Field(foreign_key="targets.id", primary_key=True, ondelete="CASCADE")
    day: date = Field(primary_key=True)
    value: Decimal = exact()


class MeasurementRow(SQLModel, table=True):
    """One value of an account's metric, dated when it was measured (never in the future). `version` grows with every
    change by a person.
    """

    __tablename__ = "measurements"
    __table_args__ = (Index("ix_measurements_curve", "workspace_id", "account_id", "metric_key", "measured_on"),)

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    metric_key: str
    value: Decimal = exact()
    measured_on: date
    note: str = ""
    source: str = "slack"
    author_id: str | None = Field(default=None, foreign_key="members.id")
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


_MOST_PEERS = 500

Curve = dict[tuple[str, str], list[Point]]
"""Measured values by (account, metric), sorted by day and by when they were saved."""


# Put together once, because all that shows accounts or works through them asks these.
_HERE: BindParameter[str] = bindparam("workspace_id")
_IDS: BindParameter[Sequence[str]] = bindparam("account_ids", expanding=True)
_TARGETS = (
    select(TargetRow)
    .where(TargetRow.workspace_id == _HERE, col(TargetRow.account_id).in_(_IDS), col(TargetRow.removed_at).is_(None))
    .order_by(col(TargetRow.due_on), col(TargetRow.created_at), col(TargetRow.id))
)
_STEPS = (
    select_columns(col(TargetStepRow.target_id), col(TargetStepRow.day), col(TargetStepRow.value))
    .join(TargetRow, col(TargetRow.id) == col(TargetStepRow.target_id))
    .where(
        col(TargetStepRow.workspace_id) == _HERE,
        col(TargetRow.workspace_id) == _HERE,
        col(TargetRow.account_id).in_(_IDS),
    )
    .order_by(col(TargetStepRow.day))
)
_POINT = (MeasurementRow.account_id, MeasurementRow.metric_key, MeasurementRow.measured_on, MeasurementRow.value)
_CURVES = (
    select_columns(*map(col, _POINT))
    .where(
        col(MeasurementRow.workspace_id) == _HERE,
        col(MeasurementRow.account_id).in_(_IDS),
        col(MeasurementRow.measured_on) <= bindparam("on_or_before"),
        col(MeasurementRow.removed_at).is_(None),
    )
    .order_by(col(MeasurementRow.measured_on), col(MeasurementRow.created_at), col(MeasurementRow.id))
)


def get_target(tx: Tx, target_id: str) -> TargetRow:
    """The target, also one that was taken back. Raises `NotFoundError`."""
    row = tx.session.exec(
        select(TargetRow).where(TargetRow.workspace_id == tx.workspace_id, TargetRow.id == target_id)
    ).first()
    if row is None:
        raise NotFoundError("This target no longer exists. See `/cs target` with the account's name.")
    return row


def get_measurement(tx: Tx, measurement_id: str) -> MeasurementRow:
    """The measurement, also one that was taken back. Raises `NotFoundError`."""
    row = tx.session.exec(
        select(MeasurementRow).where(
            MeasurementRow.workspace_id == tx.workspace_id, MeasurementRow.id == measurement_id
        )
    ).first()
    if row is None:
        raise NotFoundError("This value no longer exists.")
    return row


def list_measurements_of(tx: Tx, ids: Sequence[str]) -> list[MeasurementRow]:
    """Measurements by id in the order given, also those that were taken back; one query. Raises `NotFoundError`."""
    wanted = (MeasurementRow.workspace_id == tx.workspace_id, is_among(tx, col(MeasurementRow.id), ids))
    found = {row.id: row for row in tx.session.exec(select(MeasurementRow).where(*wanted))} if ids else {}
    if any(id_ not in found for id_ in ids):
        raise NotFoundError("This value no longer exists.")
    return [found[id_] for id_ in ids]


def list_targets(tx: Tx, account_ids: Sequence[str]) -> list[TargetRow]:
    """The targets of some accounts that were not taken back, by due date."""
    return list(tx.session.exec(_TARGETS, params={"workspace_id": tx.workspace_id, "account_ids": account_ids}))


def list_target_facts(
    tx: Tx, account_ids: Sequence[str], on_or_before: date
) -> dict[str, list[tuple[TargetRow, TargetFacts]]]:
    """The targets of a page of accounts with all that `rules.success.targets` needs, in four queries.

    Measurements dated until `on_or_before`; only accounts that have targets are keys.
    """
    targets = list_targets(tx, account_ids)
    if not targets:
        return {}
    steps = _list_steps(tx, account_ids)
    curves = _list_curves(tx, sorted({target.account_id for target in targets}), on_or_before)
    zone = get_workspace(tx).zone
    facts: dict[str, list[tuple[TargetRow, TargetFacts]]] = {}
    for target in targets:
        curve = curves.get((target.account_id, target.metric_key), [])
        known = make_facts(target, steps.get(target.id, []), curve, zone)
        facts.setdefault(target.account_id, []).append((target, known))
    return facts


def make_facts(target: TargetRow, steps: Sequence[Point], curve: Sequence[Point], zone: str) -> TargetFacts:
    """The row as the rules see it; it was created on a day of the workspace's `zone`."""
    return TargetFacts(
        kind=target.kind,
        baseline=target.baseline,
        goal=target.goal,
        start_on=target.start_on,
        due_on=target.due_on,
        steps=tuple(steps),
        cadence_days=target.cadence_days,
        agreed_on=target.agreed_on,
        paused_on=target.paused_on,
        is_replaced=target.replaced_by is not None,
        created_on=target.created_at.astimezone(ZoneInfo(zone)).date(),
        measurements=tuple(curve),
    )


def find_latest_measurement(
    tx: Tx, account_id: str, metric_key: str, on_or_before: date, *, without: str = ""
) -> MeasurementRow | None:
    """The latest value of a metric by its measured date, then by when it was saved; `without` leaves one id out."""
    return tx.session.exec(
        select(MeasurementRow)
        .where(
            *_is_counted(tx, [account_id], on_or_before),
            MeasurementRow.metric_key == metric_key,
            MeasurementRow.id != without,
        )
        .order_by(
            col(MeasurementRow.measured_on).desc(),
            col(MeasurementRow.created_at).desc(),
            col(MeasurementRow.id).desc(),
        )
        .limit(1)
    ).first()


def list_peer_values(tx: Tx, metric_key: str, without: str, on_or_before: date) -> list[Decimal]:
    """The latest value of a metric of each account but one, at most of 500 accounts."""
    newer: Any = aliased(MeasurementRow)
    is_newer = exists().where(
        newer.workspace_id == tx.workspace_id,
        newer.account_id == col(MeasurementRow.account_id),
        newer.metric_key == metric_key,
        newer.removed_at.is_(None),
        newer.measured_on <= on_or_before,
        or_(
            newer.measured_on > col(MeasurementRow.measured_on),
            and_(newer.measured_on == col(MeasurementRow.measured_on), newer.id > col(MeasurementRow.id)),
        ),
    )
    rows = tx.session.execute(
        select_columns(col(MeasurementRow.value))
        .where(
            col(MeasurementRow.workspace_id) == tx.workspace_id,
            col(MeasurementRow.metric_key) == metric_key,
            col(MeasurementRow.account_id) != without,
            col(MeasurementRow.measured_on) <= on_or_before,
            col(MeasurementRow.removed_at).is_(None),
            ~is_newer,
        )
        .limit(_MOST_PEERS)
    )
    return list(rows.scalars())


def list_values(
    tx: Tx, account_id: str, metric_key: str, on_or_before: date, *, limit: int = 5, offset: int = 0
) -> list[MeasurementRow]:
    """The values of one metric of an account, newest first."""
    rows = tx.session.exec(
        select(MeasurementRow)
        .where(*_is_counted(tx, [account_id], on_or_before), MeasurementRow.metric_key == metric_key)
        .order_by(
            col(MeasurementRow.measured_on).desc(),
            col(MeasurementRow.created_at).desc(),
            col(MeasurementRow.id).desc(),
        )
        .limit(limit)
        .offset(offset)
    )
    return list(rows)


def count_values(tx: Tx, account_id: str, metric_key: str, on_or_before: date) -> int:
    """How many values `list_values` has in all."""
    statement = select(func.count()).where(
        *_is_counted(tx, [account_id], on_or_before), MeasurementRow.metric_key == metric_key
    )
    return tx.session.exec(statement).one()


def list_recent_measurements(tx: Tx, account_id: str, on_or_before: date, limit: int = 5) -> list[MeasurementRow]:
    """The last values of an account, newest first."""
    return list(
        tx.session.exec(
            select(MeasurementRow)
            .where(*_is_counted(tx, [account_id], on_or_before))
            .order_by(col(MeasurementRow.measured_on).desc(), col(MeasurementRow.created_at).desc())
            .limit(limit)
        )
    )


def _list_steps(tx: Tx, account_ids: Sequence[str]) -> dict[str, list[Point]]:
    rows = tx.session.execute(_STEPS, {"workspace_id": tx.workspace_id, "account_ids": account_ids})
    steps: dict[str, list[Point]] = {}
    for target_id, day, value in rows:
        steps.setdefault(target_id, []).append((day, value))
    return steps


def _list_curves(tx: Tx, account_ids: Sequence[str], on_or_before: date) -> Curve:
    asked = {"workspace_id": tx.workspace_id, "account_ids": account_ids, "on_or_before": on_or_before}
    rows = tx.session.execute(_CURVES, asked)
    curves: Curve = {}
    for account_id, metric_key, day, value in rows:
        curves.setdefault((account_id, metric_key), []).append((day, value))
    return curves


def _is_counted(tx: Tx, account_ids: Sequence[str], on_or_before: date) -> tuple[ColumnElement[bool], ...]:
    return (
        col(MeasurementRow.workspace_id) == tx.workspace_id,
        col(MeasurementRow.account_id).in_(account_ids),
        col(MeasurementRow.measured_on) <= on_or_before,
        col(MeasurementRow.removed_at).is_(None),
    )
