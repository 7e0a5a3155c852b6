"""Writes of journeys and milestones: each intent with its audit, in the caller's transaction.

An `Act` is one line of the audit, with every field it changed before and after and the version each row got, so that
it can be taken back whole (`storage.success.journey_history`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from rules.errors import StaleError
from rules.records import Actor, Change
from rules.success.journeys import (
    Act,
    AddMilestone,
    ChangedError,
    Edit,
    JourneyIntent,
    MilestoneDraft,
    RemoveJourney,
    StartJourney,
)
from rules.success.templates import JourneyPlan
from storage.audit import record
from storage.db import Tx
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow, get_journey, get_milestone

_TABLES: dict[str, type[JourneyRow | MilestoneRow]] = {"journey": JourneyRow, "milestone": MilestoneRow}


def apply_journeys(tx: Tx, intents: Sequence[JourneyIntent], actor: Actor, now: datetime) -> list[str]:
    """Carry the intents out. Returns the id of each one's line in the audit, by which it can be taken back.

    Raises `ChangedError` where a row is no longer at the version that was seen, `StaleError` where somebody else
    started a journey for the account meanwhile.
    """
    return [_apply(tx, intent, actor, now) for intent in intents]


def _apply(tx: Tx, intent: JourneyIntent, actor: Actor, now: datetime) -> str:
    match intent:
        case StartJourney():
            return _start(tx, intent, actor, now)
        case RemoveJourney():
            return _remove(tx, intent, actor, now)
        case AddMilestone():
            return _add(tx, intent, actor, now)
        case Act():
            return _act(tx, intent, actor, now)


# ---------------------------------------------------------------- journeys


def _start(tx: Tx, intent: StartJourney, actor: Actor, now: datetime) -> str:
    plan = intent.plan
    row = JourneyRow(
        workspace_id=tx.workspace_id,
        account_id=intent.account_id,
        template_key=plan.template_key,
        template_version=plan.template_version,
        name=plan.name,
        started_on=plan.started_on,
        stage_key=plan.stage_key,
        stage_since=plan.started_on,
        created_at=now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
    except IntegrityError as error:
        raise StaleError("Somebody has just started a journey for this account. See it: `/cs journey`.") from error
    _add_stages(tx, row, plan)
    for position, each in enumerate(plan.milestones):
        draft = MilestoneDraft(each.name, each.stage_key, each.due_on, each.lane, each.is_required)
        tx.session.add(_to_row(tx, row.id, row.account_id, draft, now, template_key=each.key, position=position))
    tx.session.flush()
    after = {"name": plan.name, "started_on": plan.started_on.isoformat(), "replaces": intent.replaces}
    return record(tx, Change("journey.started", "journey", row.id, row.account_id, after=dict(after)), actor, now)


def _add_stages(tx: Tx, row: JourneyRow, plan: JourneyPlan) -> None:
    keys = [stage.key for stage in plan.stages]
    present = keys.index(plan.stage_key)
    for position, stage in enumerate(plan.stages):
        entered = stage.begins_on if position < present else plan.started_on if position == present else None
        tx.session.add(
            JourneyStageRow(
                workspace_id=tx.workspace_id,
                journey_id=row.id,
                key=stage.key,
                position=position,
                name=stage.name,
                planned_days=stage.planned_days,
                entered_on=entered,
                left_on=plan.stages[position + 1].begins_on if position < present else None,
            )
        )


def _remove(tx: Tx, intent: RemoveJourney, actor: Actor, now: datetime) -> str:
    """Delete it with its stages and milestones, which nobody has touched."""
    row = get_journey(tx, intent.journey_id)
    before: dict[str, object] = {"name": row.name, "started_on": row.started_on.isoformat()}
    for table in (MilestoneRow, JourneyStageRow):
        tx.session.execute(
            delete(table).where(col(table.workspace_id) == tx.workspace_id, col(table.journey_id) == row.id)
        )
    tx.session.delete(row)
    tx.session.flush()
    return record(tx, Change("journey.undone", "journey", row.id, row.account_id, before=before), actor, now)


# ---------------------------------------------------------------- milestones


def _add(tx: Tx, intent: AddMilestone, actor: Actor, now: datetime) -> str:
    row = _to_row(tx, intent.journey_id, intent.account_id, intent.draft, now)
    tx.session.add(row)
    tx.session.flush()
    after: dict[str, object] = {"name": row.name, "due_on": row.due_on.isoformat(), "stage": row.stage_key}
    return record(tx, Change("milestone.added", "milestone", row.id, row.account_id, after=after), actor, now)


def _to_row(
    tx: Tx,
    journey_id: str,
    account_id: str,
    draft: MilestoneDraft,
    now: datetime,
    *,
    template_key: str = "",
    position: int = 0,
) -> MilestoneRow:
    return MilestoneRow(
        workspace_id=tx.workspace_id,
        journey_id=journey_id,
        account_id=account_id,
        template_key=template_key,
        position=position,
        planned_on=draft.due_on,
        created_at=now,
        **vars(draft),
    )


# ---------------------------------------------------------------- acts


def _act(tx: Tx, act: Act, actor: Actor, now: datetime) -> str:
    before = [[edit.kind, edit.id, _edit(tx, act, edit)] for edit in act.edits]
    after = [[edit.kind, edit.id, _to_json(edit.values), edit.version + 1] for edit in act.edits]
    told = {name: _plain(value) for name, value in act.told.items()}
    kind = act.verb.partition(".")[0]
    change = Change(
        act.verb, kind, act.object_id, act.account_id, before={"edits": before}, after=told | {"edits": after}
    )
    return record(tx, change, actor, now)


def _edit(tx: Tx, act: Act, edit: Edit) -> dict[str, object]:
    """Write the new values where the row still is as it was seen; the old ones. Raises `ChangedError`."""
    row = _find_row(tx, act, edit)
    if row is None:
        raise ChangedError(edit.id)
    before = _to_json({name: getattr(row, name) for name in edit.values})
    if edit.kind != "stage":
        _take_version(tx, edit)
    for name, value in edit.values.items():
        setattr(row, name, value)
    tx.session.flush()
    return before


def _find_row(tx: Tx, act: Act, edit: Edit) -> JourneyRow | JourneyStageRow | MilestoneRow | None:
    if edit.kind == "stage":
        wanted = select(JourneyStageRow).where(
            JourneyStageRow.workspace_id == tx.workspace_id,
            JourneyStageRow.journey_id == act.journey_id,
            JourneyStageRow.key == edit.id,
        )
        return tx.session.exec(wanted).first()
    return get_journey(tx, edit.id) if edit.kind == "journey" else get_milestone(tx, edit.id)


def _take_version(tx: Tx, edit: Edit) -> None:
    """Raise the row's version from the one that was seen, which only one of several people can do."""
    table = _TABLES[edit.kind]
    taken = tx.session.execute(
        update(table)
        .where(col(table.workspace_id) == tx.workspace_id, col(table.id) == edit.id, col(table.version) == edit.version)
        .values(version=edit.version + 1)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ChangedError(edit.id)


def _to_json(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
