"""Where many accounts stand on their journeys, read in bulk and without their milestones. Owns these lists only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, Subquery, and_, case, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.records import AccountState, MilestoneState
from rules.success.journeys import STANDSTILL_DAYS, Pace, find_long_since
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow


@dataclass(frozen=True)
class Standing:
    """Where one account stands: its present stage, how fast that goes, and what is overdue on the whole journey."""

    account_id: str
    name: str
    stage: str
    pace: Pace
    overdue: int


@dataclass(frozen=True)
class Standings:
    """A page of them, how many there are on all pages, and how many of those are stuck; where the page is empty, 0."""

    rows: list[Standing]
    total: int = 0
    stuck: int = 0


def list_standings(
    tx: Tx, owner_id: str | None, today: date, limit: int, offset: int = 0, *, is_stuck: bool = False
) -> Standings:
    """The accounts with a journey under way, of one owner or (None) of all, all or only those stuck: those stuck first,
    then those with most overdue, then by name. Two queries, and the database turns the pages.
    """
    found = _stand(tx, owner_id, today)
    # As Python sorts names, whatever the language of the database.
    name = found.c.name.collate("C") if tx.is_postgres else found.c.name
    query = (
        select_columns(*found.c, func.count().over(), func.sum(found.c.stuck).over())
        .order_by(found.c.stuck.desc(), found.c.overdue.desc(), name, found.c.id)
        .limit(limit)
        .offset(offset)
    )
    rows = tx.session.execute(query.where(found.c.stuck == 1) if is_stuck else query).all()
    page = [Standing(id_, name, stage, Pace(*pace), late) for id_, name, stage, *pace, late, _stuck, _all, _sum in rows]
    return Standings(page, *(map(int, rows[0][-2:]) if rows else ()))


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


def _stand(tx: Tx, owner_id: str | None, today: date) -> Subquery:
    """Every account that is on its way: the parts of its pace, what is overdue, and 1 where it is stuck, else 0."""
    late, stage = _count_late(tx, owner_id, today), JourneyStageRow
    is_stage = and_(
        col(stage.journey_id) == col(JourneyRow.id),
        col(stage.key) == col(JourneyRow.stage_key),
        col(stage.workspace_id) == tx.workspace_id,
    )
    in_stage = func.coalesce(late.c.in_stage, 0)
    settled = case((in_stage > 0, _last_settled(tx)))
    names = select_columns(
        *map(col, (AccountRow.id, AccountRow.name)),
        col(stage.name).label("stage"),
        *map(col, (JourneyRow.stage_since, stage.planned_days)),
        in_stage.label("in_stage"),
        settled.label("settled_on"),
        func.coalesce(late.c.overdue, 0).label("overdue"),
    )
    found = (
        names.select_from(AccountRow)
        .join(JourneyRow, col(JourneyRow.account_id) == col(AccountRow.id))
        .join(stage, is_stage)
        .outerjoin(late, late.c.journey_id == col(JourneyRow.id))
        .where(*_is_walking(tx), *_is_owned(owner_id))
        .subquery("standing")
    )
    return select_columns(*found.c, _stuck(tx, found, today).label("stuck")).subquery("found")


def _stuck(tx: Tx, found: Subquery, today: date) -> ColumnElement[int]:
    """`Pace.is_stuck`, for the database."""
    still_since = today - timedelta(STANDSTILL_DAYS)
    stands_still = and_(
        found.c.in_stage > 0,
        found.c.stage_since <= still_since,
        or_(found.c.settled_on.is_(None), found.c.settled_on <= still_since),
    )
    planned = select_columns(col(JourneyStageRow.planned_days)).where(
        col(JourneyStageRow.workspace_id) == tx.workspace_id
    )
    plans = [days for days in tx.session.execute(planned.distinct()).scalars() if days is not None]
    takes_long = [
        and_(found.c.planned_days == days, found.c.stage_since < find_long_since(days, today)) for days in plans
    ]
    return case((and_(found.c.planned_days.is_not(None), or_(stands_still, *takes_long)), 1), else_=0)


def _count_late(tx: Tx, owner_id: str | None, today: date) -> Subquery:
    """By journey under way: overdue milestones of the present stage, and of all; where there is any."""
    in_stage = case((col(MilestoneRow.stage_key) == col(JourneyRow.stage_key), 1), else_=0)
    return (
        select_columns(
            col(MilestoneRow.journey_id), func.sum(in_stage).label("in_stage"), func.count().label("overdue")
        )
        .join(JourneyRow, col(JourneyRow.id) == col(MilestoneRow.journey_id))
        .where(
            col(MilestoneRow.workspace_id) == tx.workspace_id,
            col(MilestoneRow.state) == MilestoneState.OPEN,
            col(MilestoneRow.due_on) < today,
            col(MilestoneRow.removed_at).is_(None),
            col(JourneyRow.workspace_id) == tx.workspace_id,
            col(JourneyRow.closed_at).is_(None),
            *_is_of_owner(tx, owner_id),
        )
        .group_by(col(MilestoneRow.journey_id))
        .subquery("late")
    )


def _last_settled(tx: Tx) -> ScalarSelect[date | None]:
    """When a milestone of the journey was last settled."""
    milestone = MilestoneRow
    return (
        select_columns(func.max(col(milestone.settled_on)))
        .where(
            col(milestone.workspace_id) == tx.workspace_id,
            col(milestone.journey_id) == col(JourneyRow.id),
            col(milestone.removed_at).is_(None),
        )
        .correlate(JourneyRow)
        .scalar_subquery()
    )


def _is_walking(tx: Tx) -> tuple[ColumnElement[bool], ...]:
    return is_in_use(tx), col(JourneyRow.workspace_id) == tx.workspace_id, col(JourneyRow.closed_at).is_(None)


def _is_owned(owner_id: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if owner_id is None else (col(AccountRow.owner_id) == owner_id,)


def _is_of_owner(tx: Tx, owner_id: str | None) -> tuple[ColumnElement[bool], ...]:
    """Milestones of the owner's accounts, found by these and not among the workspace's."""
    if owner_id is None:
        return ()
    return (col(MilestoneRow.account_id).in_(select(AccountRow.id).where(is_in_use(tx), *_is_owned(owner_id))),)
