"""Journeys: an account's walk through stages, made from a template, with its milestones: tables, look-ups and facts
for the rules.

Who changes them goes through `storage.success.journey_writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import select as select_columns
from sqlalchemy import text
from sqlmodel import Field, Index, SQLModel, col, select

from rules.records import Lane, MilestoneState
from rules.success.journeys import JourneyFacts, MilestoneFacts, StageFacts
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, key, moment, workspace
from storage.lookup import is_among


class JourneyRow(SQLModel, table=True):
    """One walk; at most one per account is under way (`closed_at` None). `stage_key` is where it stands since
    `stage_since`; `template_key` and `template_version` say what it was made from.
    """

    __tablename__ = "journeys"
    __table_args__ = (
        Index(
            "uq_journeys_open",
            "workspace_id",
            "account_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    template_key: str
    template_version: int = 1
    name: str
    started_on: date
    stage_key: str
    stage_since: date
    version: int = 1
    created_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)


class JourneyStageRow(SQLModel, table=True):
    """One stage of a journey, in its order. `planned_days`: how long it should take (None: no limit, never stuck)."""

    __tablename__ = "journey_stages"

    workspace_id: str = workspace(has_index=False)
    journey_id: str = Field(foreign_key="journeys.id", primary_key=True, ondelete="CASCADE")
    key: str = Field(primary_key=True)
    position: int
    name: str
    planned_days: int | None = None
    entered_on: date | None = None
    left_on: date | None = None


class MilestoneRow(SQLModel, table=True):
    """A dated thing of a journey that is done or not. `owner_id` is ours, `customer_owner` a name on their side;
    `template_key` "" for one that was added by hand; `moved_count` how often its date was changed.
    """

    __tablename__ = "milestones"
    __table_args__ = (Index("ix_milestones_due", "workspace_id", "state", "due_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    journey_id: str = Field(foreign_key="journeys.id", index=True, ondelete="CASCADE")
    stage_key: str
    template_key: str = ""
    position: int = 0
    name: str
    lane: Lane = choice(Lane, default=Lane.OURS)
    is_required: bool = True
    due_on: date
    planned_on: date
    moved_count: int = 0
    owner_id: str | None = Field(default=None, foreign_key="members.id", index=True)
    customer_owner: str = ""
    state: MilestoneState = choice(MilestoneState, default=MilestoneState.OPEN)
    settled_on: date | None = None
    settled_by: str | None = Field(default=None, foreign_key="members.id")
    reason: str = ""
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


# ---------------------------------------------------------------- one of them


def get_journey(tx: Tx, journey_id: str) -> JourneyRow:
    """The journey, also a closed one. Raises `NotFoundError`."""
    found = tx.session.exec(
        select(JourneyRow).where(JourneyRow.workspace_id == tx.workspace_id, JourneyRow.id == journey_id)
    ).first()
    if found is None:
        raise NotFoundError("This journey no longer exists. See where the account stands: `/cs journey` and its name.")
    return found


def get_milestone(tx: Tx, milestone_id: str) -> MilestoneRow:
    """The milestone, also a removed one. Raises `NotFoundError`."""
    found = tx.session.exec(
        select(MilestoneRow).where(MilestoneRow.workspace_id == tx.workspace_id, MilestoneRow.id == milestone_id)
    ).first()
    if found is None:
        raise NotFoundError("This milestone no longer exists. See the others: `/cs journey` and the account's name.")
    return found


def find_journey_facts(tx: Tx, account_id: str) -> JourneyFacts | None:
    """The account's journey under way, None without one."""
    return list_journey_facts(tx, [account_id]).get(account_id)


# ---------------------------------------------------------------- many of them


def list_journey_facts(tx: Tx, account_ids: Iterable[str]) -> dict[str, JourneyFacts]:
    """The journeys under way of these accounts, by account id, with their stages and milestones: three queries."""
    wanted = is_among(tx, col(JourneyRow.account_id), account_ids)
    rows = tx.session.exec(
        select(JourneyRow).where(
            JourneyRow.workspace_id == tx.workspace_id, col(JourneyRow.closed_at).is_(None), wanted
        )
    ).all()
    ids = [row.id for row in rows]
    stages, milestones = _list_stages(tx, ids), _list_milestones(tx, ids)
    return {row.account_id: _to_facts(row, stages.get(row.id, []), milestones.get(row.id, [])) for row in rows}


def _list_stages(tx: Tx, journey_ids: Sequence[str]) -> dict[str, list[StageFacts]]:
    """By journey, in their order. Plain columns, here and below: a scan reads a dozen of them for each account."""
    columns = (getattr(JourneyStageRow, name) for name in StageFacts.__dataclass_fields__)
    rows = tx.session.execute(
        select_columns(col(JourneyStageRow.journey_id), *columns)
        .where(
            col(JourneyStageRow.workspace_id) == tx.workspace_id,
            is_among(tx, col(JourneyStageRow.journey_id), journey_ids),
        )
        .order_by(col(JourneyStageRow.position))
    )
    found: dict[str, list[StageFacts]] = {}
    for journey_id, *values in rows:
        found.setdefault(journey_id, []).append(StageFacts(*values))
    return found


def _list_milestones(tx: Tx, journey_ids: Sequence[str]) -> dict[str, list[MilestoneFacts]]:
    """By journey, by date."""
    columns = (getattr(MilestoneRow, name) for name in MilestoneFacts.__dataclass_fields__)
    rows = tx.session.execute(
        select_columns(col(MilestoneRow.journey_id), *columns)
        .where(
            col(MilestoneRow.workspace_id) == tx.workspace_id,
            is_among(tx, col(MilestoneRow.journey_id), journey_ids),
            col(MilestoneRow.removed_at).is_(None),
        )
        .order_by(col(MilestoneRow.due_on), col(MilestoneRow.position), col(MilestoneRow.id))
    )
    found: dict[str, list[MilestoneFacts]] = {}
    for journey_id, *values in rows:
        found.setdefault(journey_id, []).append(MilestoneFacts(*values))
    return found


def _to_facts(row: JourneyRow, stages: Sequence[StageFacts], milestones: Sequence[MilestoneFacts]) -> JourneyFacts:
    places = {stage.key: place for place, stage in enumerate(stages)}
    present = stages[places[row.stage_key]]
    ordered = sorted(milestones, key=lambda each: places.get(each.stage_key, len(places)))
    return JourneyFacts(
        id=row.id,
        stage_key=row.stage_key,
        stage_name=present.name,
        stage_since=row.stage_since,
        planned_days=present.planned_days,
        milestones=tuple(ordered),
        stages=tuple(stages),
        account_id=row.account_id,
        name=row.name,
        template_key=row.template_key,
        started_on=row.started_on,
        version=row.version,
    )
