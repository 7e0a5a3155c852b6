"""The forms of alerts: snooze until, assign, dismiss, resolve with a note. Owns their
fields; refuses to act on them (`commands.alerts.alerts`).
"""

from __future__ import annotations

from datetime import date

from commands.blocks.alert_looks import AlertView
from commands.blocks.alert_words import reason_words
from commands.blocks.alerts import alert_line
from commands.kit import Json, date_picker, form_field, menu, person_menu, section, text_input
from commands.slice import FormView, Ref
from rules.alerts.alerts import NOTE_LENGTH
from rules.records import DismissReason
from words.reader import Reader

SNOOZE_FORM, ASSIGN_FORM, DISMISS_FORM, RESOLVE_FORM = (
    "alerts.snooze_form",
    "alerts.assign_form",
    "alerts.dismiss_form",
    "alerts.resolve_form",
)


def snooze_form(reader: Reader, view: AlertView, initial: date) -> FormView:
    """Until which day, and why."""
    until = form_field("until", reader.say("Remind me on"), date_picker(initial=initial))
    return _form(reader, view, SNOOZE_FORM, reader.say("Snooze alert"), reader.say("Snooze"), until, _note(reader))


def assign_form(reader: Reader, view: AlertView) -> FormView:
    """To whom."""
    initial = view.owner.slack_id if view.owner else ""
    owner = form_field("owner", reader.say("New owner"), person_menu(reader.say("Choose a person"), initial=initial))
    return _form(reader, view, ASSIGN_FORM, reader.say("Assign alert"), reader.say("Assign"), owner)


def dismiss_form(reader: Reader, view: AlertView, reason: str = "", note: str = "") -> FormView:
    """Why it should not have been raised: what makes the rules better."""
    choices = [(each.value, reason_words(reader, each.value)) for each in DismissReason]
    reasons = menu("value", reader.say("Choose a reason"), choices, initial=reason)
    field = form_field("reason", reader.say("Reason"), reasons)
    hint = reader.say("Needed for “another reason”.")
    note_field = _note(reader, hint=hint, initial=note)
    return _form(reader, view, DISMISS_FORM, reader.say("Dismiss alert"), reader.say("Dismiss"), field, note_field)


def resolve_form(reader: Reader, view: AlertView) -> FormView:
    """What helped."""
    note = _note(reader, hint=reader.say("What helped? It stands in the alert's history."))
    return _form(reader, view, RESOLVE_FORM, reader.say("Resolve alert"), reader.say("Resolve"), note)


def _form(reader: Reader, view: AlertView, form: str, title: str, submit: str, *fields: Json) -> FormView:
    blocks = (section(alert_line(reader, view)), *fields)
    return FormView(form, title, blocks, submit, Ref("episode", view.row.id))


def _note(reader: Reader, *, hint: str = "", initial: str = "") -> Json:
    element = text_input(is_long=True, max_length=NOTE_LENGTH, initial=initial)
    return form_field("note", reader.say("Note"), element, hint=hint, is_optional=True)
