"""Support tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Field, Index, SQLModel, col, func, or_, select

from rules.accounts.imports import Outcome
from rules.records import Actor
from storage.db import Tx
from storage.fields import account, moment, workspace
from storage.merge import merge_rows


class TicketRow(SQLModel, table=True):
    """One support ticket. `priority` is low, normal, high or urgent; `satisfaction` is 1...5, as given."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_open", "workspace_id", "account_id", "opened_at"),)

    workspace_id: str = workspace(is_key=True)
    external_id: str = Field(primary_key=True)
    account_id: str = account()
    title: str = ""
    priority: str = "normal"
    is_escalated: bool = False
    satisfaction: int | None = None
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)


def list_tickets(tx: Tx, account_ids: Sequence[str], since: datetime, until: datetime) -> dict[str, list[TicketRow]]:
    """Tickets of a page of accounts, opened before `until` and still open at `since` or closed after it."""
    rows = tx.session.exec(
        select(TicketRow)
        .where(
            TicketRow.workspace_id == tx.workspace_id,
            col(TicketRow.account_id).in_(account_ids),
            TicketRow.opened_at < until,
            or_(col(TicketRow.closed_at).is_(None), col(TicketRow.closed_at) >= since),
        )
        .order_by(col(TicketRow.opened_at), col(TicketRow.external_id))
    )
    found: dict[str, list[TicketRow]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row)
    return found


def last_ticket_at(tx: Tx, until: datetime) -> datetime | None:
    """When any ticket of the workspace was last opened or closed, before `until`: how fresh the feed is."""
    here = TicketRow.workspace_id == tx.workspace_id
    moments = [
        tx.session.exec(select(func.max(column)).where(here, column < until)).one()
        for column in (col(TicketRow.opened_at), col(TicketRow.closed_at))
    ]
    return max((each for each in moments if each is not None), default=None)


def import_tickets(tx: Tx, rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    """Merge tickets by `external_id`; the outcome of each row."""
    return merge_rows(tx, TicketRow, rows, key="external_id", actor=actor, now=now)
