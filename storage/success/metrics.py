"""The catalogue of metrics of a workspace: outcome numbers and product features."""

from __future__ import annotations

from sqlmodel import Field, SQLModel, col, select

from rules.errors import UserError
from storage.db import Tx
from storage.fields import workspace
from storage.upsert import upsert
from words.names import Named, slug

NAME_LENGTH = 80


class MetricRow(SQLModel, table=True):
    """One metric. `role` is "outcome" (a target's number), "feature" (counted use) or "active_users" (a gauge).

    `unit` is "" | "%" | an ISO currency | a short word. `is_core` features count for breadth.
    `is_hidden`: not offered any more.
    """

    __tablename__ = "metrics"

    workspace_id: str = workspace(is_key=True)
    key: str = Field(primary_key=True)
    name: str
    unit: str = ""
    role: str = "outcome"
    is_core: bool = False
    is_hidden: bool = False


def find_metric(tx: Tx, key: str) -> MetricRow | None:
    """The metric with this key."""
    return tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, MetricRow.key == key)
    ).first()


def list_metrics(tx: Tx, role: str | None = "outcome") -> list[MetricRow]:
    """The metrics of a role by name; all with None."""
    query = select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id)
    if role is not None:
        query = query.where(MetricRow.role == role)
    return list(tx.session.exec(query.order_by(col(MetricRow.name), col(MetricRow.key))))


def name_metrics(tx: Tx, keys: set[str]) -> dict[str, str]:
    """Shown names by key; a key outside the catalogue stands for itself."""
    rows = tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, col(MetricRow.key).in_(sorted(keys)))
    )
    return {key: key for key in keys} | {row.key: row.name for row in rows}


def list_named_metrics(tx: Tx, role: str | None = "outcome") -> list[Named]:
    """The catalogue as names to choose from: the id of each is its key."""
    return [Named(row.key, (row.name,)) for row in list_metrics(tx, role)]


def ensure_metric(tx: Tx, name: str, unit: str = "", role: str = "outcome", *, is_core: bool = False) -> MetricRow:
    """The metric of this name, made where there is none; an existing one keeps its unit and role.

    Raises `UserError` for a name without letters, or longer than 80 characters.
    """
    shown = " ".join(name.split())
    if not any(sign.isalpha() for sign in shown) or len(shown) > NAME_LENGTH:
        raise UserError(
            "Name the number in a few words, like “conversion”: {limit} characters at most.",
            field="metric",
            limit=NAME_LENGTH,
        )
    key = slug(shown)
    row = {"key": key, "name": shown, "unit": unit, "role": role, "is_core": is_core}
    upsert(tx, MetricRow, [row], keys=["workspace_id", "key"])
    return tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, MetricRow.key == key)
    ).one()
