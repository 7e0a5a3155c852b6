"""Digests: which were made for whom on which day. Owns their table, so that nobody gets one twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlmodel import SQLModel, UniqueConstraint

from rules.records import DigestKind
from storage.fields import choice, json_value, key, moment, workspace


class DigestRow(SQLModel, table=True):
    """One digest: `recipient` is a Slack user or channel id, `day` the recipient's local date. `is_empty`: there was
    nothing to say, so nothing was sent. `contents` names what it tells of (ids by section), rendered at send time.
    """

    __tablename__ = "digests"
    __table_args__ = (UniqueConstraint("workspace_id", "kind", "recipient", "day"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    kind: DigestKind = choice(DigestKind)
    recipient: str
    day: date
    is_empty: bool = False
    contents: dict[str, Any] = json_value(default_factory=dict)
    created_at: datetime = moment()
