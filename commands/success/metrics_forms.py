"""The form for a metric of one's own. Owns its fields and reading it back; stores nothing."""

from __future__ import annotations

from commands.kit import form_field, text_input
from commands.slice import Call, FormView, OpenForm, Ref
from rules.success.metrics import NAME_LENGTH, UNIT_LENGTH
from words.currencies import find_currency

METRIC_FORM = "metrics.metric"


def open_metric_form(call: Call) -> OpenForm:
    """A name and a unit."""
    reader = call.reader
    fields = (
        form_field("name", reader.say("Name"), text_input(placeholder="handling time", max_length=NAME_LENGTH)),
        form_field(
            "unit",
            reader.say("Unit"),
            text_input(placeholder="%, EUR, min", max_length=UNIT_LENGTH),
            hint=reader.say("Empty: a plain number."),
            is_optional=True,
        ),
    )
    return OpenForm(FormView(METRIC_FORM, reader.say("Add a metric"), fields, reader.say("Save"), Ref("metric", "")))


def read_unit(text: str, home: str) -> str:
    """A unit as rows keep it: "%", a currency's code, or the word."""
    return find_currency(text, home) or text
