"""The forms of a milestone: done on another day, move, skip, open again, remove, edit, add. Owns their fields and
reading them; refuses to act on them (`commands.success.milestones`).
"""

from __future__ import annotations

from datetime import date

from commands.blocks.accounts import shown_name
from commands.blocks.journeys import lane_words, shown_milestone
from commands.kit import Json, date_picker, form_field, menu, person_menu, section, text_input
from commands.slice import Call, FormView, Ref
from commands.success.journey_acts import Walk
from commands.typed import get_person, read_date
from rules.errors import UserError
from rules.records import Lane
from rules.success.journeys import NAME_LENGTH, REASON_LENGTH, MilestoneDraft, MilestoneFacts
from storage.db import Tx
from storage.people.members import get_members
from words.reader import Reader

DONE_FORM, MOVE_FORM, SKIP_FORM = "milestones.done_at", "milestones.move", "milestones.skip"
REOPEN_FORM, REMOVE_FORM = "milestones.reopen", "milestones.remove"
EDIT_FORM, ADD_FORM = "milestones.edit", "milestones.add"
YES, NO = "yes", "no"


def done_form(reader: Reader, walk: Walk, milestone: MilestoneFacts) -> FormView:
    """On which day it was done."""
    day = form_field("done_on", reader.say("Done on"), date_picker(initial=walk.doer.today))
    return _form(reader, walk, milestone, DONE_FORM, (reader.say("Milestone done"), reader.say("Save")), day)


def move_form(
    reader: Reader, walk: Walk, milestone: MilestoneFacts, to: date | None = None, reason: str = ""
) -> FormView:
    """To which day, why, and whether the later ones go with it."""
    choices = [(NO, reader.say("Only this one")), (YES, reader.say("Also what is due later, by as many working days"))]
    fields = (
        form_field("due_on", reader.say("New day"), date_picker(initial=to or milestone.due_on)),
        _reason_field(reader, reason),
        form_field("shift", reader.say("What moves"), menu("value", "…", choices, initial=NO)),
    )
    return _form(reader, walk, milestone, MOVE_FORM, (reader.say("Move milestone"), reader.say("Move")), *fields)


def skip_form(reader: Reader, walk: Walk, milestone: MilestoneFacts) -> FormView:
    """Why it will not be done."""
    words = reader.say("Skip milestone"), reader.say("Skip")
    return _form(reader, walk, milestone, SKIP_FORM, words, _reason_field(reader))


def reopen_form(reader: Reader, walk: Walk, milestone: MilestoneFacts) -> FormView:
    """Whether it is to be done after all."""
    words = reader.say("Open again"), reader.say("Open it")
    text = section(reader.say("It counts as open again, with its day as it was."))
    return _form(reader, walk, milestone, REOPEN_FORM, words, text)


def remove_form(reader: Reader, walk: Walk, milestone: MilestoneFacts) -> FormView:
    """Whether it is to go."""
    words = reader.say("Remove milestone"), reader.say("Remove")
    text = section(reader.say("It is optional and goes without a trace in the journey."))
    return _form(reader, walk, milestone, REMOVE_FORM, words, text)


def edit_form(reader: Reader, tx: Tx, walk: Walk, milestone: MilestoneFacts) -> FormView:
    """Name, lane, stage and owners of one that is there."""
    draft = MilestoneDraft(
        name=milestone.name,
        stage_key=milestone.stage_key,
        due_on=milestone.due_on,
        lane=milestone.lane,
        is_required=milestone.is_required,
        owner_id=milestone.owner_id,
        customer_owner=milestone.customer_owner,
    )
    words = reader.say("Edit milestone"), reader.say("Save")
    return _form(reader, walk, milestone, EDIT_FORM, words, *_fields(reader, tx, walk, draft))


def add_form(reader: Reader, tx: Tx, walk: Walk, draft: MilestoneDraft, *, has_day: bool = False) -> FormView:
    """One more milestone; `has_day` where its day was given."""
    account = section(f"*{shown_name(walk.account)}*")
    day = form_field("due_on", reader.say("Due on"), date_picker(initial=draft.due_on if has_day else None))
    name, *others = _fields(reader, tx, walk, draft)
    ref = Ref("account", walk.account.id)
    return FormView(ADD_FORM, reader.say("Add milestone"), (account, name, day, *others), reader.say("Add"), ref)


def read_draft(call: Call, tx: Tx, walk: Walk, due_on: date | None = None) -> MilestoneDraft:
    """The submitted form; `due_on` where it has no field for the day. Raises `UserError` with the field at fault."""
    owner, lane = call.value("owner"), call.value("lane")
    if lane not in list(Lane):
        raise UserError("Choose whose part it is from the list.", field="lane")
    day = due_on or read_date(call.value("due_on"), walk.doer.today, prefer="future", field="due_on")
    return MilestoneDraft(
        name=call.value("name"),
        stage_key=call.value("stage_key"),
        due_on=day,
        lane=Lane(lane),
        is_required=call.value("is_required") == YES,
        owner_id=get_person(tx, owner).id if owner else None,
        customer_owner=call.value("customer_owner"),
    )


def _fields(reader: Reader, tx: Tx, walk: Walk, draft: MilestoneDraft) -> tuple[Json, ...]:
    journey = walk.journey
    owner = get_members(tx, [draft.owner_id]).get(draft.owner_id) if draft.owner_id else None
    lanes = [(lane.value, lane_words(reader, lane)) for lane in Lane]
    stages = [(stage.key, stage.name) for stage in journey.stages[journey.place :]]
    if draft.stage_key not in dict(stages):
        stages = [(stage.key, stage.name) for stage in journey.stages if stage.key == draft.stage_key] + stages
    required = [(YES, reader.say("Required")), (NO, reader.say("Optional"))]
    is_required = YES if draft.is_required else NO
    people = person_menu(reader.say("Choose a person"), initial=owner.slack_id if owner else "")
    theirs = text_input(initial=draft.customer_owner, max_length=NAME_LENGTH, placeholder="Head of Sales")
    return (
        form_field("name", reader.say("What is reached"), text_input(initial=draft.name, max_length=NAME_LENGTH)),
        form_field("stage_key", reader.say("Stage"), menu("value", "…", stages, initial=draft.stage_key)),
        form_field("lane", reader.say("Whose part"), menu("value", "…", lanes, initial=draft.lane.value)),
        form_field("is_required", reader.say("Needed?"), menu("value", "…", required, initial=is_required)),
        form_field("owner", reader.say("Our owner"), people, is_optional=True),
        form_field("customer_owner", reader.say("Owner at the customer"), theirs, is_optional=True),
    )


def _form(
    reader: Reader, walk: Walk, milestone: MilestoneFacts, form: str, words: tuple[str, str], *fields: Json
) -> FormView:
    """A form about one milestone, good for the version that was seen; `words` are its title and its button."""
    title, submit = words
    day = reader.date(milestone.due_on, today=walk.doer.today)
    lead = reader.say(
        "{account} · {milestone}, due {day}",
        account=f"*{shown_name(walk.account)}*",
        milestone=shown_milestone(milestone),
        day=day,
    )
    ref = Ref("milestone", milestone.id, {"seen": str(milestone.version)})
    return FormView(form, title, (section(lead), *fields), submit, ref)


def _reason_field(reader: Reader, initial: str = "") -> Json:
    return form_field("reason", reader.say("Reason"), text_input(initial=initial, max_length=REASON_LENGTH))
