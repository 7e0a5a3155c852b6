"""Health scores, one per account and day, with the factors they were made of."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlmodel import Field, Index, SQLModel

from rules.records import Band
from storage.fields import account, json_value, workspace


class HealthScoreRow(SQLModel, table=True):
    """`score` 0...100 or None (unknown, coverage under 50 %). `factors` maps each factor's name to
    {"x": 0...100 or None, "w": weight, "state": "present" | "missing" | "not_applicable", "facts": {...}}.
    """

    __tablename__ = "health_scores"
    __table_args__ = (Index("ix_health_scores_day", "workspace_id", "day", "band"),)

    workspace_id: str = workspace(is_key=True)
    account_id: str = account(is_key=True)
    day: date = Field(primary_key=True)
    score: float | None = None
    band: Band = Band.UNKNOWN
    coverage: float = 0.0
    capped_by: str = ""
    model: str = "default-1"
    factors: dict[str, Any] = json_value(default_factory=dict)
