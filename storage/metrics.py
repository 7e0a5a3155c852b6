"""The catalogue of metrics of a workspace: outcome numbers and product features."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from storage.fields import workspace


class MetricRow(SQLModel, table=True):
    """One metric. `role` is "outcome" (a target's number), "feature" (counted use) or "active_users" (a gauge).

    `unit` is "" | "%" | an ISO currency | a short word. `is_core` features count for breadth.
    """

    __tablename__ = "metrics"

    workspace_id: str = workspace(is_key=True)
    key: str = Field(primary_key=True)
    name: str
    unit: str = ""
    role: str = "outcome"
    is_core: bool = False
