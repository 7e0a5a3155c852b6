"""Journeys: stages in their order, milestones with dates, where the account stands, and the shape of what people do
to them. Refuses storage and words; what may be done is decided in `rules.success.journey_walk` and
`rules.success.milestones`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from rules.errors import StaleError
from rules.records import Lane, MilestoneState
from rules.success.templates import JourneyPlan

NAME_LENGTH = 120
REASON_LENGTH = 500
MOST_MILESTONES = 40
"""In one stage."""
STUCK_DAYS, STUCK_SHARE = 7, 0.25
"""A stage is stuck when it takes longer than planned by more than a quarter, and by more than a week."""
STANDSTILL_DAYS = 30
"""It is also stuck when one of its milestones is overdue and none was settled for so many days."""


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
class Pace:
    """How fast a stage goes: since when it lasts, how long it should (None: no limit), how many of its milestones are
    overdue, and when one of the journey was last settled.
    """

    since: date
    planned_days: int | None
    overdue: int
    last_settled: date | None = None

    def count_beyond(self, day: date) -> int:
        """Days that the stage has taken beyond its plan; 0 without a limit."""
        return 0 if self.planned_days is None else max(0, (day - self.since).days - self.planned_days)

    def count_still(self, day: date) -> int:
        """Days since something was settled, or the stage began; 0 where nothing of the stage is overdue."""
        return max(0, (day - max(self.since, self.last_settled or self.since)).days) if self.overdue else 0

    def is_long(self, day: date) -> bool:
        """Whether it takes longer than planned by more than the margin: a quarter, and a week."""
        if self.planned_days is None:
            return False
        return self.count_beyond(day) > max(STUCK_DAYS, int(self.planned_days * STUCK_SHARE))

    def is_stuck(self, day: date) -> bool:
        """Whether it takes too long, or stands still with something overdue; never without a limit."""
        return self.planned_days is not None and (self.is_long(day) or self.count_still(day) >= STANDSTILL_DAYS)


def find_long_since(planned_days: int, day: date) -> date:
    """A stage planned for so many days takes too long on `day` (`Pace.is_long`) if it began before this one."""
    return day - timedelta(planned_days + max(STUCK_DAYS, int(planned_days * STUCK_SHARE)))


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

    def get_stage(self, stage_key: str) -> StageFacts:
        """The stage with this key. Raises `KeyError`."""
        return {stage.key: stage for stage in self.stages}[stage_key]

    def list_in(self, stage_key: str) -> list[MilestoneFacts]:
        """The milestones of one stage, by date."""
        return [each for each in self.milestones if each.stage_key == stage_key]

    def measure_pace(self, day: date) -> Pace:
        """How fast the present stage goes."""
        settled = [each.settled_on for each in self.milestones if each.settled_on is not None]
        overdue = sum(each.is_overdue(day) for each in self.list_in(self.stage_key))
        return Pace(self.stage_since, self.planned_days, overdue, max(settled, default=None))

    def get_milestone(self, milestone_id: str) -> MilestoneFacts:
        """The milestone. Raises `StaleError` where it was removed, or its journey is over."""
        found = next((each for each in self.milestones if each.id == milestone_id), None)
        if found is None:
            raise StaleError("This milestone was removed. See what is there now with `/cs journey`.")
        return found


# ---------------------------------------------------------------- what people do


@dataclass(frozen=True)
class Doer:
    """Who does something and when: `today` is the workspace's day, `country` says which days are worked."""

    person_id: str
    now: datetime
    today: date
    country: str = ""


@dataclass(frozen=True)
class MilestoneDraft:
    """A milestone as somebody describes it."""

    name: str
    stage_key: str
    due_on: date
    lane: Lane = Lane.OURS
    is_required: bool = False
    owner_id: str | None = None
    customer_owner: str = ""


RowKind = Literal["journey", "stage", "milestone"]


@dataclass(frozen=True)
class Edit:
    """New values for some fields of one row, good only while the row has the `version` that was seen. A stage has
    none (its id is its key): it changes with its journey.
    """

    kind: RowKind
    id: str
    values: Mapping[str, object]
    version: int = 0


@dataclass(frozen=True)
class StartJourney:
    """Store this journey for the account; `replaces` is the one it takes the place of, closed by then."""

    account_id: str
    plan: JourneyPlan
    replaces: str = ""


@dataclass(frozen=True)
class RemoveJourney:
    """Take a journey back that nobody has touched since it was started."""

    journey_id: str


@dataclass(frozen=True)
class AddMilestone:
    """Store this milestone, whose date is settled."""

    journey_id: str
    account_id: str
    draft: MilestoneDraft


@dataclass(frozen=True)
class Act:
    """One thing done to a journey that is there: all that it changes, told in one line of the audit. `told` adds
    facts for who reads it.
    """

    verb: str
    object_id: str
    journey_id: str
    account_id: str
    edits: tuple[Edit, ...]
    told: Mapping[str, object] = field(default_factory=dict)


JourneyIntent = StartJourney | RemoveJourney | AddMilestone | Act


class SettledError(StaleError):
    """The milestone is no longer open: `by` (a member's id, or None) settled it on `on`."""

    def __init__(self, milestone: MilestoneFacts) -> None:
        super().__init__("This milestone is no longer open.")
        self.by, self.on, self.state = milestone.settled_by, milestone.settled_on, milestone.state


class ChangedError(StaleError):
    """Somebody changed the thing since the person saw it: a milestone or journey, by its id."""

    def __init__(self, object_id: str) -> None:
        super().__init__("This was changed since you saw it. Nothing was saved; see `/cs journey` for what holds now.")
        self.object_id = object_id


def check_seen(object_id: str, version: int, seen: int | None) -> None:
    """Raise `ChangedError` unless `seen` is the present version (None: whatever it is)."""
    if seen is not None and seen != version:
        raise ChangedError(object_id)
