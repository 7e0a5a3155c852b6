"""Journeys: stages in their order, milestones with dates, and where the account stands. Refuses storage and words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rules.records import Lane, MilestoneState


@dataclass(frozen=True)
class MilestoneFacts:
    """One milestone as decisions need it. `settled_on`: when it was done or skipped."""

    id: str
    stage_key: str
    name: str
    due_on: date
    lane: Lane = Lane.OURS
    is_required: bool = True
    state: MilestoneState = MilestoneState.OPEN
    settled_on: date | None = None
    owner_id: str | None = None
    customer_owner: str = ""


@dataclass(frozen=True)
class JourneyFacts:
    """A journey under way. `planned_days`: how long the present stage should take, None for no limit."""

    id: str
    stage_key: str
    stage_name: str
    stage_since: date
    planned_days: int | None = None
    milestones: tuple[MilestoneFacts, ...] = ()
