"""The values of a target, a page at a time, each to be put right or taken away. Owns this list and its form.

Logging new ones is in `commands.success.measurements`.
"""

from __future__ import annotations

from datetime import date

from commands.access import require_on
from commands.blocks.targets import log_button, show_target_button
from commands.kit import Json, actions, button, date_picker, form_field, menu, message, section, text_input
from commands.pages import Page, wanted_page
from commands.slice import Button, Call, Form, FormView, Message, OpenForm, Ref, Reply, Whisper, answer_in_place
from commands.success.target_acts import name_person, read_version, target_words
from commands.success.target_card import VALUES, value_words
from commands.success.target_forms import plain_value
from commands.typed import get_today, read_date, read_quantity
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.success.plans import NOTE_LENGTH, check_unit
from rules.success.target_changes import (
    VALUE_RESTORED,
    ChangeValue,
    ValueTerms,
    decide_correct,
    decide_remove_value,
)
from rules.undo import Done, check_undo
from storage.accounts.accounts import get_account
from storage.alerts.alerts import enqueue_refresh
from storage.audit import find_change_to
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.metrics import find_metric
from storage.success.target_changes import VERSION, apply_value_changes, to_terms
from storage.success.targets import (
    MeasurementRow,
    TargetRow,
    count_values,
    get_measurement,
    get_target,
    list_targets,
    list_values,
)
from words.numbers import Quantity
from words.reader import Reader

CORRECT, UNDO_VALUE = "measurements.correct", "measurements.undo_change"
PREVIOUS, NEXT = "targets.newer_values", "targets.older_values"
VALUE_FORM = "measurements.correction"
PAGE_LENGTH = 10
_VALUE_LENGTH = 40
_REMOVE, _KEEP = "remove", "keep"


def show_values(call: Call, tx: Tx) -> list[Reply]:
    """The values of the call's target, and the buttons that turn its pages."""
    row = get_target(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.READ, get_account(tx, row.account_id))
    return [answer_in_place(call, _page(call, tx, row, wanted_page(call), get_today(call, tx)))]


def open_correct(call: Call, tx: Tx) -> list[Reply]:
    """The form for one value."""
    row, reader = _get_changeable(call, tx), call.reader
    unit = _find_unit(tx, row)
    fates = [(_KEEP, reader.say("Correct it")), (_REMOVE, reader.say("Remove it"))]
    fields = (
        form_field("fate", reader.say("What to do"), menu("value", "…", fates, initial=_KEEP)),
        form_field(
            "value",
            reader.say("Value"),
            text_input(initial=plain_value(Quantity(row.value, unit)), max_length=_VALUE_LENGTH),
        ),
        form_field("measured_on", reader.say("Measured on"), date_picker(initial=row.measured_on)),
        form_field(
            "note",
            reader.say("Note"),
            text_input(initial=row.note, is_long=True, max_length=NOTE_LENGTH),
            is_optional=True,
        ),
    )
    ref = Ref("measurement", row.id, {VERSION: str(row.version)})
    return [OpenForm(FormView(VALUE_FORM, reader.say("Correct a value"), fields, reader.say("Save"), ref))]


def submit_correct(call: Call, tx: Tx) -> list[Reply]:
    """The form: the value put right or taken away."""
    row = _get_changeable(call, tx)
    _explain_stale(call, tx, row)
    was, unit = to_terms(row), _find_unit(tx, row)
    if call.value("fate") == _REMOVE:
        return [Whisper(_store(call, tx, decide_remove_value(row.id, row.version, was)))]
    today = get_today(call, tx)
    quantity = read_quantity(call.value("value"), field="value", home=get_workspace(tx).currency)
    check_unit(quantity.unit, unit, field="value")
    day = read_date(call.value("measured_on"), today, field="measured_on")
    wanted = ValueTerms(quantity.value, day, call.value("note"))
    return [Whisper(_store(call, tx, decide_correct(row.id, row.version, was, wanted, today)))]


def undo_value(call: Call, tx: Tx) -> list[Reply]:
    """Takes a correction or removal back."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_measurement(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    version = read_version(call)
    change = find_change_to(tx, "measurement", row.id, version)
    if change is None or change.before is None:
        raise StaleError("There is nothing to undo here.")
    done = Done(change.at, change.actor_id, is_undone=row.version != version)
    check_undo(done, call.person.id, call.person.role, call.now)
    intent = ChangeValue(row.id, row.version, VALUE_RESTORED, to_terms(row), ValueTerms.parse(change.before))
    apply_value_changes(tx, [intent], call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    value = call.reader.quantity(row.value, _find_unit(tx, row))
    said = call.reader.say("Undone: {value} of {day} stands again.", value=value, day=call.reader.date(row.measured_on))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- storing


def _get_changeable(call: Call, tx: Tx) -> MeasurementRow:
    call.require(Permission.ACCOUNT_WRITE)
    row = get_measurement(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, get_account(tx, row.account_id))
    return row


def _explain_stale(call: Call, tx: Tx, row: MeasurementRow) -> None:
    if row.version == read_version(call):
        return
    change = find_change_to(tx, "measurement", row.id, row.version)
    who = name_person(call, tx, change.actor_id) if change else call.reader.say("Somebody")
    raise StaleError("{who} changed this value first. Nothing was changed: look at it again.", who=who)


def _store(call: Call, tx: Tx, intent: ChangeValue) -> Message:
    reader = call.reader
    (row,) = apply_value_changes(tx, [intent], call.person.actor, call.now)
    enqueue_refresh(tx, row.account_id, call.now)
    unit = _find_unit(tx, row)
    old, new = (_value_words(reader, terms, unit) for terms in (intent.before, intent.after))
    said = (
        reader.say("Removed: {old}.", old=old)
        if intent.after.is_removed
        else reader.say("Corrected: {old} → {new}.", old=old, new=new)
    )
    back = button(reader.say("Undo"), UNDO_VALUE, Ref("measurement", row.id, {VERSION: str(row.version)}))
    return message(said, section(said), actions(back))


def _value_words(reader: Reader, terms: ValueTerms, unit: str) -> str:
    value, day = reader.quantity(terms.value, unit), reader.date(terms.measured_on)
    return reader.say("{value} of {day}", value=value, day=day)


def _find_unit(tx: Tx, row: MeasurementRow) -> str:
    targets = [each for each in list_targets(tx, [row.account_id]) if each.metric_key == row.metric_key]
    metric = find_metric(tx, row.metric_key)
    return targets[-1].unit if targets else metric.unit if metric else ""


# ---------------------------------------------------------------- showing


def _page(call: Call, tx: Tx, row: TargetRow, wanted: int, today: date) -> Message:
    reader = call.reader
    page = Page(count_values(tx, row.account_id, row.metric_key, today), PAGE_LENGTH, wanted)
    rows = list_values(tx, row.account_id, row.metric_key, today, limit=PAGE_LENGTH, offset=page.offset)
    title = reader.say("Values of {target}", target=target_words(reader, tx, row))
    buttons = [log_button(reader, row.account_id, metric_key=row.metric_key), show_target_button(reader, row.id)]
    if not rows:
        empty = reader.say("Nothing was measured yet.")
        return message(title, section(f"{title}\n{empty}"), actions(*buttons))
    lines: list[Json] = [
        section(
            value_words(reader, each, row.unit),
            accessory=button(reader.say("Correct…"), CORRECT, Ref("measurement", each.id)),
        )
        for each in rows
    ]
    turns = page.buttons(reader, PREVIOUS, NEXT, Ref("target", row.id))
    return message(title, section(title), *lines, *page.place_line(reader), actions(*buttons, *turns))


BUTTONS = (
    Button(VALUES, show_values, "reads"),
    Button(PREVIOUS, show_values, "reads"),
    Button(NEXT, show_values, "reads"),
    Button(CORRECT, open_correct, "reads"),
    Button(UNDO_VALUE, undo_value, "writes"),
)
FORM = Form(VALUE_FORM, submit_correct)
