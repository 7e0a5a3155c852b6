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
    template_key: str = ""
    reason: str = ""
    settled_by: str | None = None
    moved_count: int = 0
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether it is neither done nor skipped."""
        return self.state is MilestoneState.OPEN

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been done before `today` and is not."""
        return self.is_open and self.due_on < today


@dataclass(frozen=True)
class StageFacts:
    """One stage. `planned_days`: how long it should take, None for no limit."""

    key: str
    name: str
    planned_days: int | None = None
    entered_on: date | None = None
    left_on: date | None = None


@dataclass(frozen=True)
class JourneyFacts:
    """A journey under way, with all its stages and milestones in their order, by date within a stage. `planned_days`:
    how long the present stage should take, None for no limit.
    """

    id: str
    stage_key: str
    stage_name: str
    stage_since: date
    planned_days: int | None = None
    milestones: tuple[MilestoneFacts, ...] = ()
    stages: tuple[StageFacts, ...] = ()
    account_id: str = ""
    name: str = ""
    template_key: str = ""
    started_on: date = date.min
    version: int = 1

    @property
    def place(self) -> int:
        """Which of the stages is the present one, from 0."""
        return [each.key for each in self.stages].index(self.stage_key)

    @property
    def next_stage(self) -> StageFacts | None:
        """The stage after the present one; None in the last."""
        following = self.stages[self.place + 1 :]
        return following[0] if following else None

    def list_in(self, stage_key: str) -> list[MilestoneFacts]:
        """The milestones of one stage, by date."""
        return [each for each in self.milestones if each.stage_key == stage_key]
