"""Where many accounts stand on their journeys, read in bulk and without their milestones. Owns these lists only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, case, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.records import AccountState, MilestoneState
from rules.success.journeys import Pace
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow


@dataclass(frozen=True)
class Standing:
    """Where one account stands: its present stage, how fast that goes, and what is overdue on the whole journey."""

    account_id: str
    name: str
    stage: str
    position: int
    pace: Pace
    overdue: int


def list_standings(tx: Tx, owner_id: str | None, today: date) -> list[Standing]:
    """Every account with a journey under way, of one owner or (None) of all: those stuck first, then those with most
    overdue, then by name. Two queries, whatever the count.
    """
    counts = _count_milestones(tx, owner_id, today)
    rows = tx.session.execute(
        select_columns(
            *map(col, (AccountRow.id, AccountRow.name, JourneyRow.id, JourneyRow.stage_since)),
            *map(col, (JourneyStageRow.name, JourneyStageRow.position, JourneyStageRow.planned_days)),
        )
        .select_from(AccountRow)
        .join(JourneyRow, col(JourneyRow.account_id) == col(AccountRow.id))
        .join(
            JourneyStageRow,
            and_(
                col(JourneyStageRow.journey_id) == col(JourneyRow.id),
                col(JourneyStageRow.key) == col(JourneyRow.stage_key),
            ),
        )
        .where(*_is_walking(tx), col(JourneyStageRow.workspace_id) == tx.workspace_id, *_is_owned(owner_id))
    )
    found = []
    for account_id, name, journey_id, since, stage, position, planned_days in rows:
        in_stage, overdue, settled = counts.get(journey_id, (0, 0, None))
        found.append(Standing(account_id, name, stage, position, Pace(since, planned_days, in_stage, settled), overdue))
    return sorted(found, key=lambda each: (not each.pace.is_stuck(today), -each.overdue, each.name))


def list_without_journey(tx: Tx, owner_id: str | None, limit: int) -> tuple[int, list[AccountRow]]:
    """How many customers have no journey under way, and the first few by name."""
    walking = select(JourneyRow.account_id).where(
        JourneyRow.workspace_id == tx.workspace_id, col(JourneyRow.closed_at).is_(None)
    )
    wanted = and_(
        is_in_use(tx),
        col(AccountRow.state) == AccountState.CUSTOMER,
        col(AccountRow.id).not_in(walking),
        *_is_owned(owner_id),
    )
    total = tx.session.exec(select(func.count()).select_from(AccountRow).where(wanted)).one()
    rows = tx.session.exec(select(AccountRow).where(wanted).order_by(AccountRow.name).limit(limit)).all()
    return total, list(rows)


def _count_milestones(tx: Tx, owner_id: str | None, today: date) -> dict[str, tuple[int, int, date | None]]:
    """By journey under way: overdue ones of the present stage, overdue ones in all, when one was last settled."""
    is_late = and_(col(MilestoneRow.state) == MilestoneState.OPEN, col(MilestoneRow.due_on) < today)
    is_here = and_(is_late, col(MilestoneRow.stage_key) == col(JourneyRow.stage_key))
    rows = tx.session.execute(
        select_columns(
            col(MilestoneRow.journey_id),
            func.sum(case((is_here, 1), else_=0)),
            func.sum(case((is_late, 1), else_=0)),
            func.max(col(MilestoneRow.settled_on)),
        )
        .join(JourneyRow, col(JourneyRow.id) == col(MilestoneRow.journey_id))
        .where(
            col(MilestoneRow.workspace_id) == tx.workspace_id,
            col(JourneyRow.workspace_id) == tx.workspace_id,
            col(JourneyRow.closed_at).is_(None),
            col(MilestoneRow.removed_at).is_(None),
            *_is_of_owner(tx, owner_id),
        )
        .group_by(col(MilestoneRow.journey_id))
    )
    return {journey_id: (int(here), int(late), settled) for journey_id, here, late, settled in rows}


def _is_walking(tx: Tx) -> tuple[ColumnElement[bool], ...]:
    return is_in_use(tx), col(JourneyRow.workspace_id) == tx.workspace_id, col(JourneyRow.closed_at).is_(None)


def _is_owned(owner_id: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if owner_id is None else (col(AccountRow.owner_id) == owner_id,)


def _is_of_owner(tx: Tx, owner_id: str | None) -> tuple[ColumnElement[bool], ...]:
    """Milestones of the owner's accounts, found by these and not among the workspace's."""
    if owner_id is None:
        return ()
    return (col(MilestoneRow.account_id).in_(select(AccountRow.id).where(is_in_use(tx), *_is_owned(owner_id))),)
