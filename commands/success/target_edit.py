"""Editing a target: goal, due date, steps, owners on both sides, cadence. Owns this form and telling what changed."""

from __future__ import annotations

from dataclasses import replace

from commands.kit import clip, date_picker, esc, form_field, mention, section, text_input
from commands.slice import Button, Call, Form, FormView, OpenForm, Ref, Reply, Whisper
from commands.success.target_acts import (
    explain_stale,
    get_changeable,
    read_version,
    store_change,
    target_words,
)
from commands.success.target_card import EDIT
from commands.success.target_forms import (
    OWNER_LENGTH,
    cadence_field,
    owner_fields,
    plain_value,
    read_cadence,
    step_fields,
)
from commands.success.target_steps import Frame, read_steps, write_steps
from commands.typed import get_person, get_today, read_date, read_quantity
from rules.success.plans import check_draft, check_unit, make_steps
from rules.success.target_changes import Known, TargetTerms, decide_edit
from rules.success.target_steps import Load, Rhythm
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import get_workspace
from storage.success.target_changes import VERSION
from storage.success.targets import get_target
from words.numbers import Quantity
from words.reader import Reader

EDIT_FORM = "targets.edit_target"
_VALUE_LENGTH = 40
_NOTHING = "–"


def open_edit(call: Call, tx: Tx) -> list[Reply]:
    """The form with the terms as they are."""
    known, reader = get_changeable(call, tx), call.reader
    row, terms = get_target(tx, known.id), known.terms
    goal = plain_value(Quantity(terms.goal, known.draft.unit))
    fields = (
        section(target_words(reader, tx, row)),
        form_field("goal", reader.say("To"), text_input(initial=goal, max_length=_VALUE_LENGTH)),
        form_field("due_on", reader.say("Due on"), date_picker(initial=terms.due_on)),
        *step_fields(reader, write_steps(terms.steps, known.draft.unit)),
        *owner_fields(reader, tx, terms.owner_id, terms.customer_owner),
        cadence_field(reader, terms.cadence_days),
    )
    ref = Ref("target", row.id, {VERSION: str(row.version)})
    return [OpenForm(FormView(EDIT_FORM, reader.say("Edit target"), fields, reader.say("Save"), ref))]


def submit_edit(call: Call, tx: Tx) -> list[Reply]:
    """The form: the terms changed, or the field at fault named."""
    known = get_changeable(call, tx)
    explain_stale(call, tx, known.id, read_version(call))
    wanted = _read_terms(call, tx, known)
    intents = decide_edit(known, wanted, get_today(call, tx))
    target = target_words(call.reader, tx, get_target(tx, known.id))
    changes = change_words(call.reader, tx, known.terms, wanted, known.draft.unit)
    said = call.reader.say("Changed {target}: {changes}.", target=target, changes=changes)
    return [Whisper(store_change(call, tx, intents, said))]


def change_words(reader: Reader, tx: Tx, before: TargetTerms, after: TargetTerms, unit: str) -> str:
    """What was there and what is now, of the terms that differ."""
    people = get_members(tx, [each.owner_id for each in (before, after) if each.owner_id])

    def show(name: str, terms: TargetTerms) -> str:
        match name:
            case "goal":
                return reader.quantity(terms.goal, unit)
            case "due_on":
                return reader.date(terms.due_on)
            case "cadence_days":
                return reader.span(terms.cadence_days)
            case "owner_id":
                return mention(people[terms.owner_id].slack_id) if terms.owner_id in people else _NOTHING
            case "customer_owner":
                return esc(clip(terms.customer_owner, OWNER_LENGTH)) or _NOTHING
            case _:
                return reader.number(len(terms.steps))

    return " · ".join(
        f"{label} {show(name, before)} → {show(name, after)}"
        for name, label in _labels(reader).items()
        if getattr(before, name) != getattr(after, name)
    )


def _labels(reader: Reader) -> dict[str, str]:
    return {
        "goal": reader.say("goal"),
        "due_on": reader.say("due"),
        "steps": reader.say("steps"),
        "owner_id": reader.say("our owner"),
        "customer_owner": reader.say("their owner"),
        "cadence_days": reader.say("measured every"),
    }


def _read_terms(call: Call, tx: Tx, known: Known) -> TargetTerms:
    """What the form says. Steps are made anew where none are typed. Raises `UserError` with the field at fault."""
    home, unit = get_workspace(tx).currency, known.draft.unit
    goal = read_quantity(call.value("goal"), field="goal", home=home)
    check_unit(goal.unit, unit, field="goal")
    due_on = read_date(call.value("due_on"), get_today(call, tx), prefer="future", field="due_on")
    frame = Frame(known.draft.start_on, due_on, unit, home)
    owner = call.value("owner")
    draft = replace(
        known.draft,
        goal=goal.value,
        due_on=due_on,
        load=Load(call.value("load") or Load.LINEAR),
        rhythm=Rhythm(call.value("rhythm") or Rhythm.EVEN),
    )
    is_due_kept = due_on == known.terms.due_on
    check_draft(replace(draft, steps=()), get_today(call, tx), is_past_due_fine=is_due_kept)
    typed = call.value("steps")
    return replace(
        known.terms,
        goal=goal.value,
        due_on=due_on,
        steps=read_steps(typed, frame, goal.value) if typed else make_steps(draft),
        owner_id=get_person(tx, owner).id if owner else None,
        customer_owner=call.value("them"),
        cadence_days=read_cadence(call),
    )


BUTTON = Button(EDIT, open_edit, "reads")
FORM = Form(EDIT_FORM, submit_edit)
