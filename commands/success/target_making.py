"""Making a target of what was typed: metric and unit settled, gaps filled from what is known, stored, and said.

Owns the way from `TypedTarget` to a stored target; refuses to ask questions (see `commands.success.targets`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from commands.blocks.accounts import shown_name
from commands.blocks.targets import aim_words, log_button, round_value, show_target_button
from commands.kit import actions, button, context, esc, message, section
from commands.slice import Call, Message, Ref
from commands.success.target_steps import Frame, read_steps
from commands.success.target_words import TypedTarget
from rules.records import TargetKind
from rules.success.plans import TargetDraft, check_draft, check_unit, decide_add_target
from rules.success.target_doubts import Doubt, Surroundings, question_goal
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import enqueue_refresh
from storage.catalogue import MONEY, Benchmark, read_catalogue
from storage.db import Tx
from storage.success.metrics import find_metric, list_named_metrics, name_metrics
from storage.success.target_writes import apply_targets
from storage.success.targets import (
    TargetRow,
    find_latest_measurement,
    get_target,
    list_peer_values,
    list_target_facts,
    list_targets,
)
from words.names import find_name
from words.numbers import Quantity

UNDO_TARGET = "targets.undo"
SURE = frozenset({"id", "name", "alias", "close"})
"""How a metric's name must be found to be the same metric: its beginning alone may be a new one."""

_STEPS_SHOWN = 6
_WHOLE = 100


@dataclass(frozen=True)
class Place:
    """Where a target is made: the account, the day, the currency of a bare sign."""

    account: AccountRow
    today: date
    home: str


def complete(tx: Tx, place: Place, typed: TypedTarget) -> TargetDraft:
    """The draft: metric found or new, one unit, and the last logged value where no start was given.

    Raises `UserError`: units that differ, steps that cannot be read.
    """
    found = find_name(typed.metric, list_named_metrics(tx)) if typed.metric else None
    key = found.match.id if found and found.match and found.how in SURE else ""
    unit = _settle_unit(tx, key, typed, place.home)
    baseline = typed.baseline.value if typed.baseline else None
    if baseline is None and typed.kind is TargetKind.LEVEL and key:
        latest = find_latest_measurement(tx, place.account.id, key, place.today)
        baseline = latest.value if latest else None
    goal = typed.goal.value if typed.goal else Decimal(0)
    frame = Frame(typed.start_on or place.today, typed.due_on or place.today, unit, place.home)
    return TargetDraft(
        account_id=place.account.id,
        metric=found.match.names[0] if found and found.match and key else typed.metric,
        metric_key=key,
        kind=typed.kind,
        unit=unit,
        baseline=baseline if typed.kind in (TargetKind.LEVEL, TargetKind.CUMULATIVE) else None,
        goal=goal,
        start_on=frame.start_on,
        due_on=frame.due_on,
        cadence_days=typed.cadence_days or 30,
        owner_id=typed.owner_id or place.account.owner_id,
        customer_owner=typed.customer_owner,
        agreed_on=None if typed.is_draft else place.today,
        steps=read_steps(typed.steps, frame, goal) if typed.steps and typed.due_on else None,
        load=typed.load,
        rhythm=typed.rhythm,
    )


def _settle_unit(tx: Tx, key: str, typed: TypedTarget, home: str) -> str:
    """The one unit of start and goal: that of the workspace's metric, else the one typed, else the catalogue's."""
    row, entry = (find_metric(tx, key), read_catalogue().find(key)) if key else (None, None)
    goal, start = typed.goal or Quantity(Decimal(0), ""), typed.baseline or Quantity(Decimal(0), "")
    usual = (home if entry.unit == MONEY else entry.unit) if entry else ""
    unit = row.unit if row else goal.unit or start.unit or usual or _guess_unit(typed, start)
    check_unit(goal.unit, unit, field="goal")
    check_unit(start.unit, unit, field="baseline")
    return unit


def find_doubt(tx: Tx, place: Place, draft: TargetDraft) -> Doubt | None:
    """Why the goal should be asked about once more, if it should. Raises `UserError` for a draft that cannot be."""
    check_draft(draft, place.today)
    if not draft.metric_key:
        return None
    entry, unit = read_catalogue().find(draft.metric_key), find_metric(tx, draft.metric_key)
    peers = list_peer_values(tx, draft.metric_key, place.account.id, place.today) if unit else []
    known = Surroundings(peers=tuple(peers))
    if entry is not None and draft.unit == entry.unit:
        bounds = entry.benchmark if isinstance(entry.benchmark, Benchmark) else None
        known = replace(
            known,
            lowest=entry.lowest,
            highest=entry.highest,
            typical=(bounds.low, bounds.high) if bounds else None,
            source=bounds.source if bounds else "",
        )
    return question_goal(draft.kind, draft.baseline, draft.goal, known)


def _guess_unit(typed: TypedTarget, start: Quantity) -> str:
    """Of "from 5 by 10 %": 5 may be a share, so that the meaning is asked; 200 is none."""
    is_share = typed.raise_by is not None and typed.raise_by.unit == "%" and abs(start.value) <= _WHOLE
    return "%" if is_share else ""


def store_target(call: Call, tx: Tx, place: Place, draft: TargetDraft) -> Message:
    """Store the target in place of the running one of the same metric and kind, and say so. Raises `UserError`."""
    running = tuple(
        row.id
        for row in list_targets(tx, [place.account.id])
        if row.metric_key == draft.metric_key and row.kind is draft.kind and _is_running(row, place.today)
    )
    intents = decide_add_target(draft, place.today, running)
    (row,) = apply_targets(tx, intents, call.person.actor, call.now)
    enqueue_refresh(tx, place.account.id, call.now)
    return _added_message(call, tx, place, get_target(tx, row.id), replaced=len(running))


def _is_running(row: TargetRow, today: date) -> bool:
    return row.replaced_by is None and row.due_on >= today


def _added_message(call: Call, tx: Tx, place: Place, row: TargetRow, *, replaced: int) -> Message:
    reader = call.reader
    name = esc(name_metrics(tx, {row.metric_key}, reader.locale)[row.metric_key])
    aim = aim_words(reader, row)
    if row.baseline is not None and row.kind is TargetKind.LEVEL:
        start = reader.quantity(row.baseline, row.unit)
        aim = reader.say("from {start} to {aim}", start=start, aim=aim)
    values = {"account": f"*{shown_name(place.account)}*", "metric": name, "aim": aim}
    said = (
        reader.say("Agreed for {account}: {metric} {aim}.", **values)
        if row.agreed_on
        else reader.say("Draft for {account}: {metric} {aim}.", **values)
    )
    notes = [_steps_words(call, tx, place, row)]
    if replaced:
        notes.append(reader.say("It replaces the target that was running."))
    buttons = actions(
        log_button(reader, place.account.id, metric_key=row.metric_key),
        show_target_button(reader, row.id),
        button(reader.say("Undo"), UNDO_TARGET, Ref("target", row.id)),
    )
    shown = [context(*notes)] if any(notes) else []
    return message(said, section(said), *shown, buttons)


def _steps_words(call: Call, tx: Tx, place: Place, row: TargetRow) -> str:
    known = list_target_facts(tx, [place.account.id], place.today).get(place.account.id, [])
    steps = next((facts.steps for each, facts in known if each.id == row.id), ())
    shown = [
        f"{call.reader.quantity(round_value(value, row), row.unit)} {call.reader.date(day)}"
        for day, value in steps[:_STEPS_SHOWN]
    ]
    return call.reader.say("Steps: {steps}", steps=" · ".join(shown)) if shown else ""
