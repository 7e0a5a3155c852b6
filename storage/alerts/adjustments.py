"""Rules as a team changed them, and the proposals to do so: tables and queries. Who changes them goes through
`storage.alerts.adjustment_writes`; what a change means is in `rules.alerts.tuning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, func, text
from sqlmodel import Field, Index, SQLModel, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.ledger import Proposal
from rules.alerts.tuning import Adjustment, Remedy, Tuning, tune
from rules.records import AlertKind
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import choice, key, moment, workspace

_Row = TypeVar("_Row", bound=SQLModel)

PROPOSAL = "rule_proposal"
"""Kind of the outbox row that asks the lead; its reference is the proposal's id."""


class ProposalState(StrEnum):
    """Where a proposal stands; only OPEN waits for somebody."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class RuleAdjustmentRow(SQLModel, table=True):
    """One change of a rule by a member, in force from `since` until `until` (None: open) unless it was taken back. A
    MUTE is carried out by the mute `mute_id`.
    """

    __tablename__ = "rule_adjustments"

    id: str = key()
    workspace_id: str = workspace()
    kind: AlertKind = choice(AlertKind)
    remedy: Remedy = choice(Remedy)
    amount: float = 0.0
    since: date
    until: date | None = None
    mute_id: str | None = Field(default=None, foreign_key="alert_mutes.id")
    decided_by: str = Field(foreign_key="members.id")
    decided_at: datetime = moment()
    ended_by: str | None = Field(default=None, foreign_key="members.id")
    ended_at: datetime | None = moment(default=None, nullable=True)


class RuleProposalRow(SQLModel, table=True):
    """A question to the lead about a rule, with the figures it was asked for. At most one open per rule."""

    __tablename__ = "rule_proposals"
    __table_args__ = (
        Index(
            "uq_rule_proposals_open",
            "workspace_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    kind: AlertKind = choice(AlertKind)
    closed: int
    too_sensitive: int
    made_at: datetime = moment()
    state: ProposalState = choice(ProposalState, default=ProposalState.OPEN)
    decided_by: str | None = Field(default=None, foreign_key="members.id")
    decided_at: datetime | None = moment(default=None, nullable=True)
    adjustment_id: str | None = Field(default=None, foreign_key="rule_adjustments.id")


def list_adjustments(tx: Tx, day: date) -> list[RuleAdjustmentRow]:
    """Those in force on `day`, the oldest first."""
    row = RuleAdjustmentRow
    is_on = or_(col(row.until).is_(None), col(row.until) >= day)
    query = select(row).where(row.workspace_id == tx.workspace_id, col(row.ended_at).is_(None), is_on)
    return list(tx.session.exec(query.order_by(col(row.decided_at), col(row.id))))


def read_tunings(tx: Tx, day: date) -> Mapping[AlertKind, Tuning]:
    """What people changed about each rule as of `day`, in one query; rules that nobody changed are left out."""
    return tune(map(to_adjustment, list_adjustments(tx, day)), day)


def to_adjustment(row: RuleAdjustmentRow) -> Adjustment:
    """The record decisions are made on."""
    return Adjustment(row.id, row.kind, row.remedy, row.since, row.decided_by, row.amount, row.until)


def get_adjustment(tx: Tx, adjustment_id: str, *, is_locking: bool = False) -> RuleAdjustmentRow:
    """The change, also one that was taken back. `is_locking`: as it stands, held until the transaction ends. Raises
    `NotFoundError`.
    """
    row = RuleAdjustmentRow
    query = select(row).where(row.workspace_id == tx.workspace_id, row.id == adjustment_id)
    found = tx.session.exec(_locking(query) if is_locking else query).first()
    if found is None:
        raise NotFoundError("This change no longer exists. See `/cs alerts rules` for those that do.")
    return found


def find_proposal(tx: Tx, proposal_id: str) -> RuleProposalRow | None:
    """The proposal, decided or not."""
    return tx.session.exec(select(RuleProposalRow).where(_is_here(tx), RuleProposalRow.id == proposal_id)).first()


def get_proposal(tx: Tx, proposal_id: str, *, is_locking: bool = False) -> RuleProposalRow:
    """The proposal, decided or not. `is_locking`: as it stands, held until the transaction ends. Raises
    `NotFoundError`.
    """
    query = select(RuleProposalRow).where(_is_here(tx), RuleProposalRow.id == proposal_id)
    found = tx.session.exec(_locking(query) if is_locking else query).first()
    if found is None:
        raise NotFoundError("This proposal no longer exists. See `/cs alerts rules`.")
    return found


def list_latest_proposals(tx: Tx) -> dict[AlertKind, Proposal]:
    """The latest proposal about each rule that ever had one, in one query."""
    row = RuleProposalRow
    latest = (
        select(col(row.kind), func.max(col(row.made_at)).label("made_at"))
        .where(_is_here(tx))
        .group_by(col(row.kind))
        .subquery("latest")
    )
    is_latest = and_(col(row.kind) == latest.c.kind, col(row.made_at) == latest.c.made_at)
    found = tx.session.exec(select(row).join(latest, is_latest).where(_is_here(tx)))
    return {each.kind: Proposal(each.made_at, each.decided_at) for each in found}


def _locking(query: SelectOfScalar[_Row]) -> SelectOfScalar[_Row]:
    return query.with_for_update().execution_options(populate_existing=True)


def _is_here(tx: Tx) -> ColumnElement[bool]:
    return col(RuleProposalRow.workspace_id) == tx.workspace_id
