"""A journey as a message: one stage with its milestones in three lanes, all stages, or the templates to choose from.

Owns what stands where; refuses to change anything.
"""

from __future__ import annotations

from datetime import date

from slack_sdk.models.blocks import InteractiveElement

from commands.blocks.accounts import shown_name
from commands.blocks.journeys import (
    ADD,
    ADVANCE,
    ALL_STAGES,
    JOURNEY_MORE,
    MORE,
    NAME_LENGTH,
    SHOW,
    STAGE,
    done_button,
    journey_strip,
    lane_words,
    milestone_line,
    overdue_words,
    shown_milestone,
    stage_day,
    start_button,
)
from commands.kit import Json, actions, button, clip, context, esc, message, overflow, section
from commands.slice import Message, Ref
from rules.records import Lane
from rules.success.journeys import JourneyFacts, MilestoneFacts, StageFacts
from rules.success.templates import Template, pick_name
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.library import list_templates
from storage.people.members import get_members
from words.language import get_language
from words.reader import Reader

AT_JOURNEY = {"at": "journey"}
"""What a button carries that sits under a journey, so that the journey is shown anew in its place."""


def render_journey(
    reader: Reader, tx: Tx, account: AccountRow, journey: JourneyFacts, today: date, stage_key: str = ""
) -> Message:
    """Strip, day of the stage, and the milestones of one stage (the present one unless named), with their buttons."""
    stage = next((each for each in journey.stages if each.key == stage_key), journey.stages[journey.place])
    title = _title(reader, account, journey, today)
    status = [stage_day(reader, journey, today), overdue_words(reader, journey, today)]
    heading = [section(f"*{esc(clip(stage.name, NAME_LENGTH))}*")] if stage.key != journey.stage_key else []
    return message(
        title,
        section(f"{title}\n{journey_strip(journey)}"),
        context(" · ".join(part for part in status if part)),
        *heading,
        *_lane_blocks(reader, tx, journey, stage, today),
        actions(*_buttons(reader, account, journey, stage)),
    )


def render_stages(reader: Reader, account: AccountRow, journey: JourneyFacts, today: date) -> Message:
    """Every stage with what is settled and its days, each to be opened."""
    title = _title(reader, account, journey, today)
    lines = [
        section(
            _stage_line(reader, journey, place, stage, today),
            accessory=button(reader.say("Show"), STAGE, Ref("account", account.id, {"stage": stage.key})),
        )
        for place, stage in enumerate(journey.stages)
    ]
    back = button(reader.say("Present stage"), SHOW, Ref("account", account.id))
    return message(title, section(title), *lines, actions(back))


def render_none(reader: Reader, account: AccountRow) -> Message:
    """No journey yet: what there is to choose from."""
    text = reader.say(
        "{account} has no journey yet. Choose one to start; you see its dates first.",
        account=f"*{shown_name(account)}*",
    )
    choices = [
        section(
            _template_line(reader, each),
            accessory=start_button(reader, account.id, template_key=each.key, label=reader.say("Choose")),
        )
        for each in list_templates()
    ]
    return message(text, section(text), *choices)


def template_name(reader: Reader, template: Template) -> str:
    """The template's name in the reader's language."""
    return pick_name(template.names, get_language(reader.locale))


def _template_line(reader: Reader, template: Template) -> str:
    stages = " → ".join(pick_name(stage.names, get_language(reader.locale)) for stage in template.stages)
    summary = pick_name(template.summaries, get_language(reader.locale))
    return f"*{esc(template_name(reader, template))}*  {esc(summary)}\n{esc(stages)}"


def _title(reader: Reader, account: AccountRow, journey: JourneyFacts, today: date) -> str:
    return reader.say(
        "{account} · {journey}, since {day}",
        account=f"*{shown_name(account)}*",
        journey=esc(clip(journey.name, NAME_LENGTH)),
        day=reader.date(journey.started_on, today=today),
    )


def _lane_blocks(reader: Reader, tx: Tx, journey: JourneyFacts, stage: StageFacts, today: date) -> list[Json]:
    shown = journey.list_in(stage.key)
    if not shown:
        return [section(reader.say("This stage has no milestones yet."))]
    people = get_members(tx, [each.owner_id for each in shown if each.owner_id])
    blocks: list[Json] = []
    for lane in Lane:
        own = [each for each in shown if each.lane is lane]
        blocks += [context(f"*{lane_words(reader, lane)}*")] if own else []
        blocks += [
            section(milestone_line(reader, each, today, people), accessory=_milestone_menu(reader, each))
            for each in own
        ]
    return blocks


def _milestone_menu(reader: Reader, milestone: MilestoneFacts) -> InteractiveElement:
    doings = [("done", reader.say("Done")), ("move", reader.say("Move")), ("skip", reader.say("Skip"))]
    if not milestone.is_open:
        doings = [("reopen", reader.say("Open again"))]
    doings.append(("edit", reader.say("Edit, owners")))
    if not milestone.is_required:
        doings.append(("remove", reader.say("Remove")))
    return overflow(MORE, [(Ref("milestone", milestone.id, {"do": do}).dump(), label) for do, label in doings])


def _buttons(reader: Reader, account: AccountRow, journey: JourneyFacts, stage: StageFacts) -> list[InteractiveElement]:
    """The next milestone's Done first, as the one primary button."""
    ref, found = Ref("account", account.id, {"stage": stage.key}), []
    open_ones = [each for each in journey.list_in(stage.key) if each.is_open]
    if open_ones:
        label = reader.say("Done: {name}", name=clip(open_ones[0].name, NAME_LENGTH))
        found.append(done_button(reader, open_ones[0].id, label=label, is_primary=True, extra=AT_JOURNEY))
    found.append(button(reader.say("Add milestone"), ADD, ref))
    onward = reader.say("Next stage") if journey.next_stage else reader.say("Finish")
    return [
        *found,
        button(onward, ADVANCE, ref),
        button(reader.say("All stages"), ALL_STAGES, ref),
        overflow(JOURNEY_MORE, _more(reader, account, journey)),
    ]


def _more(reader: Reader, account: AccountRow, journey: JourneyFacts) -> list[tuple[str, str]]:
    doings = [("back", reader.say("Back a stage"))] if journey.place else []
    doings += [("close", reader.say("Close the journey")), ("start", reader.say("Start another one"))]
    return [(Ref("account", account.id, {"do": do}).dump(), label) for do, label in doings]


def _stage_line(reader: Reader, journey: JourneyFacts, place: int, stage: StageFacts, today: date) -> str:
    own = journey.list_in(stage.key)
    settled = sum(not each.is_open for each in own)
    mark = "✓" if place < journey.place else "●" if place == journey.place else "○"
    parts = [f"{mark} *{esc(clip(stage.name, NAME_LENGTH))}*"]
    if own:
        count, total = reader.number(settled), reader.number(len(own))
        parts.append(reader.say("{count} of {total} settled", count=count, total=total))
    if stage.entered_on is not None and place <= journey.place:
        parts.append(reader.say("since {day}", day=reader.date(stage.entered_on, today=today)))
    first = next((each for each in own if each.is_open), None)
    if first is not None:
        day = reader.date(first.due_on, today=today)
        parts.append(reader.say("next: {name}, due {day}", name=shown_milestone(first), day=day))
    return " · ".join(parts)
