"""Loading targets, and the measurements their rows bring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.imports.cells import read_moment, read_quantity
from pipeline.imports.loading import Checked, Context, contradiction, place
from pipeline.imports.records import TargetIn
from pipeline.imports.shape import Item
from rules.accounts.imports import Outcome, strongest
from rules.errors import UserError
from rules.success.curves import Point
from rules.success.plans import AddTarget, TargetDraft, decide_add_target
from storage.db import Tx
from storage.success.metrics import ensure_metric
from storage.success.target_imports import import_measurements, import_targets
from words.names import slug

_MEASUREMENT = frozenset({"value", "measured_on"})
_RENAMED = _MEASUREMENT | {"account", "metric", "steps"}


@dataclass(frozen=True)
class Ready:
    """What a row says: `columns` of the target with its `steps` where it is the file's first row of this target, and
    the `measurement`, if there is one that no earlier row brought.
    """

    metric: str
    unit: str
    columns: dict[str, Any] | None
    steps: tuple[Point, ...]
    measurement: dict[str, Any] | None


def check_targets(tx: Tx, items: Sequence[Item[TargetIn]], context: Context) -> Checked[Ready]:
    """Rows of one target must describe it alike; a day has one value of a metric."""
    checked: Checked[Ready] = Checked()
    for item, account_id in place(tx, items, context, checked):
        try:
            steps = _read_steps(item.row, account_id)
            _check_measured(item.row, context.today)
            ready = _claim(item, account_id, steps, context)
        except UserError as error:
            checked.rejects.append(context.reject(item, error.field or "", str(error)))
            continue
        if ready.columns is None and ready.measurement is None:
            checked.same += 1
        else:
            checked.ready.append(ready)
    return checked


def _claim(item: Item[TargetIn], account_id: str, steps: tuple[Point, ...], context: Context) -> Ready:
    """Raises `UserError` where an earlier line says something else."""
    row, claims = item.row, context.claims
    target = (("target", row.external_id), row.model_dump_json(exclude=set(_MEASUREMENT)))
    value = (("value", account_id, slug(row.metric), row.measured_on), row.value)
    for about, content in (target, value):
        if (line := claims.contradicts(about, content)) is not None:
            what = "target" if about == target[0] else "value"
            raise UserError(contradiction(line, what))
    is_first = claims.add(*target, item.line)
    is_measured = row.value is not None and claims.add(*value, item.line)
    return Ready(
        row.metric,
        row.unit,
        _columns(row, account_id, context) if is_first else None,
        steps,
        _measurement(row, account_id) if is_measured else None,
    )


def _columns(row: TargetIn, account_id: str, context: Context) -> dict[str, Any]:
    made_at = datetime.combine(row.agreed_on or row.start_on, time(), UTC)
    return {
        **context.values(row, without=_RENAMED),
        "account_id": account_id,
        "metric_key": slug(row.metric),
        "created_at": min(context.now, made_at),
    }


def _measurement(row: TargetIn, account_id: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "metric_key": slug(row.metric),
        "measured_on": row.measured_on,
        "value": row.value,
    }


def _read_steps(row: TargetIn, account_id: str) -> tuple[Point, ...]:
    """The typed steps, else generated ones; checked as if the target were made on the day it starts."""
    draft = TargetDraft(
        account_id=account_id,
        metric=row.metric,
        kind=row.kind,
        unit=row.unit,
        baseline=row.baseline,
        goal=row.goal,
        start_on=row.start_on,
        due_on=row.due_on,
        cadence_days=row.cadence_days,
        agreed_on=row.agreed_on,
        steps=tuple(_read_step(text, row.unit) for text in row.steps) or None,
    )
    (intent,) = decide_add_target(draft, row.start_on)
    return (intent.draft.steps or ()) if isinstance(intent, AddTarget) else ()


def _read_step(text: str, unit: str) -> Point:
    day, _, value = text.partition("=")
    try:
        return read_moment(day.strip(), ()).date(), read_quantity(value.strip(), unit)
    except ValueError as error:
        raise UserError("{text} is not a step like 2026-06-30=6", field="steps", text=text) from error


def _check_measured(row: TargetIn, today: date) -> None:
    if row.measured_on is not None and row.measured_on > today:
        raise UserError(
            "{day} is in the future; a value is measured today at the latest", field="measured_on", day=row.measured_on
        )


def store_targets(tx: Tx, ready: Sequence[Ready], context: Context) -> Counter[Outcome]:
    """Merge a page of targets and measurements; a row counts as the strongest of the two."""
    for name, unit in {each.metric: each.unit for each in ready}.items():
        if name not in context.metrics:
            ensure_metric(tx, name, unit)
            context.metrics.add(name)
    targets = [(each.columns, each.steps) for each in ready if each.columns is not None]
    of_targets = iter(import_targets(tx, targets, context.actor, context.now))
    measured = [each.measurement for each in ready if each.measurement is not None]
    of_values = iter(import_measurements(tx, measured, context.actor, context.now))
    return Counter(
        strongest(
            *([next(of_targets)] if each.columns is not None else []),
            *([next(of_values)] if each.measurement is not None else []),
        )
        for each in ready
    )
