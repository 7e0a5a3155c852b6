"""What a journey looks like: the strip of its stages, a milestone's line, its buttons. Pure: facts in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slack_sdk.models.blocks import ButtonElement

from commands.kit import button, clip, esc, mention
from commands.slice import Ref
from rules.records import Lane, MilestoneState
from rules.success.journeys import JourneyFacts, MilestoneFacts, StageFacts
from storage.people.members import MemberRow
from words.reader import Reader

SHOW, STAGE, ALL_STAGES = "journeys.show", "journeys.stage", "journeys.stages"
START, ADVANCE, JOURNEY_MORE = "journeys.start_form", "journeys.advance_form", "journeys.more"
DONE, MOVE, ADD, MORE = "milestones.done", "milestones.move_form", "milestones.add_form", "milestones.more"

STAGE_LENGTH, NAME_LENGTH, REASON_LENGTH = 30, 80, 120
People = Mapping[str, MemberRow]


def journey_strip(journey: JourneyFacts) -> str:
    """The stages in one line: `✓ Purchase → ● Adoption (4/6) → Success`."""
    return " → ".join(_stage_words(journey, place, stage) for place, stage in enumerate(journey.stages))


def stage_day(reader: Reader, journey: JourneyFacts, today: date) -> str:
    """How long the present stage has lasted: "Adoption: day 41 of 90"."""
    day = (today - journey.stage_since).days + 1
    name = esc(clip(journey.stage_name, STAGE_LENGTH))
    if day < 1:
        return reader.say("{stage}: begins {day}", stage=name, day=reader.date(journey.stage_since))
    if journey.planned_days is None:
        return reader.say("{stage}: day {day}", stage=name, day=reader.number(day))
    planned = reader.number(journey.planned_days)
    return reader.say("{stage}: day {day} of {planned}", stage=name, day=reader.number(day), planned=planned)


def overdue_words(reader: Reader, journey: JourneyFacts, today: date) -> str:
    """How many milestones are overdue; "" for none."""
    count = sum(each.is_overdue(today) for each in journey.milestones)
    return reader.say_many("{count} milestone overdue", "{count} milestones overdue", count) if count else ""


def milestone_line(reader: Reader, milestone: MilestoneFacts, today: date, people: People) -> str:
    """One milestone: mark, name, day, owners on both sides, and the reason where it was skipped."""
    name = shown_milestone(milestone)
    parts = [f"{_mark(milestone, today)} *{name}*", _day_words(reader, milestone, today)]
    if not milestone.is_required and milestone.is_open:
        parts.append(reader.say("optional"))
    parts.append(owner_words(reader, milestone, people))
    if milestone.reason:
        parts.append(esc(clip(milestone.reason, REASON_LENGTH)))
    return " · ".join(part for part in parts if part)


def owner_words(reader: Reader, milestone: MilestoneFacts, people: People) -> str:
    """Who looks after it on our side and at the customer; "" for nobody in particular."""
    owner = people.get(milestone.owner_id or "")
    ours = mention(owner.slack_id) if owner else ""
    if not milestone.customer_owner:
        return ours
    theirs = reader.say("them: {name}", name=esc(clip(milestone.customer_owner, NAME_LENGTH)))
    return f"{ours} · {theirs}" if ours else theirs


def lane_words(reader: Reader, lane: Lane) -> str:
    """Whose part a milestone is."""
    return {
        Lane.CUSTOMER: reader.say("Customer"),
        Lane.OURS: reader.say("Us"),
        Lane.GOAL: reader.say("Business goals"),
    }[lane]


def shown_milestone(milestone: MilestoneFacts) -> str:
    """Its name, safe in mrkdwn."""
    return esc(clip(milestone.name, NAME_LENGTH))


def journey_button(reader: Reader, account_id: str, *, label: str = "", is_primary: bool = False) -> ButtonElement:
    """Shows the account's journey, or the templates to start one from."""
    style = "primary" if is_primary else None
    return button(label or reader.say("Journey"), SHOW, Ref("account", account_id), style=style)


def start_button(reader: Reader, account_id: str, *, template_key: str = "", label: str = "") -> ButtonElement:
    """Opens the form that starts a journey, with a template chosen where one is given."""
    extra = {"template": template_key} if template_key else {}
    return button(label or reader.say("Start a journey"), START, Ref("account", account_id, extra))


def done_button(
    reader: Reader,
    milestone_id: str,
    *,
    label: str = "",
    is_primary: bool = False,
    extra: Mapping[str, str] | None = None,
) -> ButtonElement:
    """Says that a milestone is done today."""
    style = "primary" if is_primary else None
    return button(label or reader.say("Done"), DONE, Ref("milestone", milestone_id, extra or {}), style=style)


def move_button(reader: Reader, milestone_id: str) -> ButtonElement:
    """Opens the form that gives a milestone another day."""
    return button(reader.say("Move"), MOVE, Ref("milestone", milestone_id))


def _stage_words(journey: JourneyFacts, place: int, stage: StageFacts) -> str:
    name = esc(clip(stage.name, STAGE_LENGTH))
    if place < journey.place:
        return f"✓ {name}"
    if place > journey.place:
        return name
    own = journey.list_in(stage.key)
    settled = sum(not each.is_open for each in own)
    return f"● *{name}* ({settled}/{len(own)})" if own else f"● *{name}*"


def _mark(milestone: MilestoneFacts, today: date) -> str:
    if milestone.state is MilestoneState.DONE:
        return "✓"
    if milestone.state is MilestoneState.SKIPPED:
        return "–"
    return "🔴" if milestone.is_overdue(today) else "○"


def _day_words(reader: Reader, milestone: MilestoneFacts, today: date) -> str:
    settled = milestone.settled_on or milestone.due_on
    if milestone.state is MilestoneState.DONE:
        return reader.say("done {day}", day=reader.date(settled, today=today))
    if milestone.state is MilestoneState.SKIPPED:
        return reader.say("skipped {day}", day=reader.date(settled, today=today))
    day = reader.date(milestone.due_on, today=today)
    if milestone.is_overdue(today):
        span = reader.span((today - milestone.due_on).days)
        return reader.say("due {day}, overdue {span}", day=day, span=span)
    return reader.say("due {day}", day=day)
