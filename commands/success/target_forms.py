"""The form for a target and reading it back. Owns its fields; refuses to store anything."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from commands.blocks.accounts import shown_name
from commands.kit import Json, date_picker, form_field, loaded_menu, menu, section, text_input
from commands.naming import ACCOUNT_MENU
from commands.slice import Call, FormView, OpenForm, Ref
from commands.success.target_words import TypedTarget
from commands.typed import read_date, read_quantity
from rules.errors import UserError
from rules.records import TargetKind
from rules.success.metrics import NAME_LENGTH
from storage.accounts.accounts import AccountRow
from words.numbers import Quantity
from words.reader import Reader

TARGET_FORM = "targets.target"
_VALUE_LENGTH = 40
_CADENCES = (7, 14, 30, 91)


def open_target_form(call: Call, account: AccountRow | None, typed: TypedTarget, today: date) -> OpenForm:
    """The form, prefilled with what is known already."""
    reader = call.reader
    first = _account_field(reader, account)
    fields = (first, *_what_fields(reader, typed), *_when_fields(reader, typed, today))
    ref = Ref("account", account.id if account else "")
    return OpenForm(FormView(TARGET_FORM, reader.say("Agree on a target"), fields, reader.say("Save"), ref))


def read_target_form(call: Call, today: date, home: str) -> TypedTarget:
    """The submitted form as if it had been typed. Raises `UserError` with the field at fault."""
    goal = call.value("goal")
    if goal.startswith("+") or goal.lower().startswith("by "):
        raise UserError(
            "Type the value to reach, not the change: does “by 10 %” mean 10 points more, or a tenth more?",
            field="goal",
        )
    due_on, start_on = call.value("due_on"), call.value("start_on")
    return TypedTarget(
        metric=call.value("metric"),
        kind=TargetKind(call.value("kind") or TargetKind.LEVEL),
        baseline=_read(call, "baseline", home),
        goal=read_quantity(goal, field="goal", home=home),
        start_on=read_date(start_on, today, field="start_on") if start_on else None,
        due_on=read_date(due_on, today, prefer="future", field="due_on"),
        cadence_days=int(call.value("cadence") or _CADENCES[2]),
        is_draft=call.value("state") == "draft",
    )


def kind_words(reader: Reader, kind: TargetKind) -> str:
    """A kind as a choice."""
    return {
        TargetKind.LEVEL: reader.say("Reach a value"),
        TargetKind.CUMULATIVE: reader.say("Add up to a total"),
        TargetKind.KEEP_ABOVE: reader.say("Keep at or above"),
        TargetKind.KEEP_BELOW: reader.say("Keep at or below"),
    }[kind]


def _account_field(reader: Reader, account: AccountRow | None) -> Json:
    if account is not None:
        return section(f"*{shown_name(account)}*")
    return form_field("account", reader.say("Account"), loaded_menu(ACCOUNT_MENU, reader.say("Type a name")))


def _what_fields(reader: Reader, typed: TypedTarget) -> tuple[Json, ...]:
    kinds = [(kind.value, kind_words(reader, kind)) for kind in TargetKind]
    return (
        form_field(
            "metric",
            reader.say("Which number"),
            text_input(initial=typed.metric[:NAME_LENGTH], placeholder="conversion", max_length=NAME_LENGTH),
        ),
        form_field("kind", reader.say("Kind"), menu("value", "…", kinds, initial=typed.kind.value)),
        form_field(
            "baseline",
            reader.say("From"),
            text_input(initial=_plain(typed.baseline), placeholder="5%", max_length=_VALUE_LENGTH),
            hint=reader.say("Where it stands now. Empty: the last value logged. Not needed for totals and limits."),
            is_optional=True,
        ),
        form_field(
            "goal",
            reader.say("To"),
            text_input(initial=_plain(typed.goal), placeholder="10%", max_length=_VALUE_LENGTH),
        ),
    )


def _when_fields(reader: Reader, typed: TypedTarget, today: date) -> tuple[Json, ...]:
    cadence = typed.cadence_days if typed.cadence_days in _CADENCES else _CADENCES[2]
    cadences = [(str(days), reader.say("every {span}", span=reader.span(days))) for days in _CADENCES]
    states = [("agreed", reader.say("Agreed with the customer")), ("draft", reader.say("Draft"))]
    state = "draft" if typed.is_draft else "agreed"
    return (
        form_field("start_on", reader.say("Starts on"), date_picker(initial=typed.start_on or today)),
        form_field("due_on", reader.say("Due on"), date_picker(initial=typed.due_on)),
        form_field("cadence", reader.say("Measured"), menu("value", "…", cadences, initial=str(cadence))),
        form_field("state", reader.say("State"), menu("value", "…", states, initial=state)),
    )


def _read(call: Call, name: str, home: str) -> Quantity | None:
    text = call.value(name)
    return read_quantity(text, field=name, home=home) if text else None


def _plain(quantity: Quantity | None) -> str:
    """As `words.numbers` reads it back."""
    if quantity is None:
        return ""
    value = f"{quantity.value.normalize() if quantity.value else Decimal(0):f}"
    return f"{value} {quantity.unit}".strip()
