"""The form for a target and reading it back. Owns its fields; refuses to store anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from slack_sdk.models.blocks import StaticSelectElement

from commands.kit import Json, clip, date_picker, form_field, loaded_menu, menu, person_menu, section, text_input
from commands.naming import account_field
from commands.slice import Call, Choice, FormView, OpenForm, Options, Ref, Reply
from commands.success.target_steps import LENGTH
from commands.success.target_words import TypedTarget
from commands.typed import get_person, read_date, read_quantity
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import TargetKind
from rules.success.metrics import NAME_LENGTH
from rules.success.target_steps import Load, Rhythm
from storage.accounts.accounts import AccountRow, find_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.metrics import list_named_metrics, name_metrics
from storage.success.target_metrics import list_ranked
from words.names import find_name, fold
from words.numbers import Quantity
from words.reader import Reader

METRIC_MENU = "targets.metric"
NEW_METRIC = "new:"
"""Stands before a name in the menu that no metric has yet."""
OWNER_LENGTH = 80
_OPTION = 75
_OPTIONS = 100
TARGET_FORM = "targets.target"
_VALUE_LENGTH = 40
_CADENCES = (7, 14, 30, 91)


@dataclass(frozen=True)
class Caution:
    """What a form says when it is shown once more: why the `goal` is doubted. The same goal again is meant so."""

    why: str
    goal: Decimal


def open_target_form(
    call: Call, tx: Tx, account: AccountRow | None, typed: TypedTarget, today: date, caution: Caution | None = None
) -> OpenForm:
    """The form, prefilled with what is known already."""
    reader = call.reader
    first = account_field(reader, account)
    told = (section(f"⚠ {caution.why} {reader.say('Save once more if it is meant so.')}"),) if caution else ()
    fields = (
        first,
        *told,
        *_what_fields(reader, tx, typed),
        *_when_fields(reader, typed, today),
        *step_fields(reader, typed.steps, typed.load, typed.rhythm),
        *owner_fields(reader, tx, typed.owner_id or (account.owner_id if account else None), typed.customer_owner),
    )
    ref = Ref("account", account.id if account else "", {"sure": f"{caution.goal:f}"} if caution else {})
    return OpenForm(FormView(TARGET_FORM, reader.say("Agree on a target"), fields, reader.say("Save"), ref))


def read_target_form(call: Call, tx: Tx, today: date, home: str) -> TypedTarget:
    """The submitted form as if it had been typed. Raises `UserError` with the field at fault."""
    goal = call.value("goal")
    if goal.startswith("+") or goal.lower().startswith("by "):
        raise UserError(
            "Type the value to reach, not the change: does “by 10 %” mean 10 points more, or a tenth more?",
            field="goal",
        )
    due_on, start_on, owner = call.value("due_on"), call.value("start_on"), call.value("owner")
    return TypedTarget(
        metric=call.value("metric").removeprefix(NEW_METRIC),
        kind=TargetKind(call.value("kind") or TargetKind.LEVEL),
        baseline=_read(call, "baseline", home),
        goal=read_quantity(goal, field="goal", home=home),
        start_on=read_date(start_on, today, field="start_on") if start_on else None,
        due_on=read_date(due_on, today, prefer="future", field="due_on"),
        cadence_days=read_cadence(call),
        is_draft=call.value("state") == "draft",
        steps=call.value("steps"),
        load=Load(call.value("load") or Load.LINEAR),
        rhythm=Rhythm(call.value("rhythm") or Rhythm.EVEN),
        owner_id=get_person(tx, owner).id if owner else None,
        customer_owner=call.value("them"),
    )


def read_cadence(call: Call) -> int:
    """Days between two values, as chosen."""
    return int(call.value("cadence") or _CADENCES[2])


def cadence_field(reader: Reader, days: int) -> Json:
    """How often it is measured; a cadence of its own is kept among the choices."""
    among = sorted({*_CADENCES, days})
    choices = [(str(each), reader.say("every {span}", span=reader.span(each))) for each in among]
    return form_field("cadence", reader.say("Measured"), menu("value", "…", choices, initial=str(days)))


def step_fields(reader: Reader, steps: str, load: Load = Load.LINEAR, rhythm: Rhythm = Rhythm.EVEN) -> tuple[Json, ...]:
    """Steps to type, and how they are made where none are typed."""
    loads = {
        Load.LINEAR: reader.say("the same each time"),
        Load.FRONT: reader.say("more at the beginning"),
        Load.BACK: reader.say("more at the end"),
    }
    rhythms = {
        Rhythm.EVEN: reader.say("evenly spaced"),
        Rhythm.MONTH: reader.say("at the end of each month"),
        Rhythm.QUARTER: reader.say("at the end of each quarter"),
    }
    typed = text_input(initial=steps.replace(";", "\n"), placeholder="6% by 31 Mar", is_long=True, max_length=LENGTH)
    hint = reader.say("One per line: a value and its day. Empty: made as chosen below.")
    return (
        form_field("steps", reader.say("Steps on the way"), typed, hint=hint, is_optional=True),
        form_field("load", reader.say("Progress"), _choices(loads, load), is_optional=True),
        form_field("rhythm", reader.say("Steps"), _choices(rhythms, rhythm), is_optional=True),
    )


def owner_fields(reader: Reader, tx: Tx, owner_id: str | None, customer_owner: str) -> tuple[Json, ...]:
    """Whose number it is, here and at the customer."""
    owner = get_members(tx, [owner_id]).get(owner_id) if owner_id else None
    them = text_input(initial=customer_owner, placeholder=reader.say("Head of Sales"), max_length=OWNER_LENGTH)
    return (
        form_field(
            "owner",
            reader.say("Owner on our side"),
            person_menu(reader.say("Choose a person"), initial=owner.slack_id if owner else ""),
            is_optional=True,
        ),
        form_field("them", reader.say("Owner at the customer"), them, is_optional=True),
    )


def choose_metrics(call: Call, tx: Tx) -> list[Reply]:
    """Metrics for the form: those that accounts of the same industry aim at, the industry's, all others; and what was
    typed as a new one.
    """
    call.require(Permission.READ)
    account = find_account(tx, call.ref.id) if call.ref and call.ref.id else None
    typed = fold(call.text)
    offered = [each for each in list_ranked(tx, account.industry if account else "") if not each.is_hidden]
    found = [each for each in offered if any(typed in fold(name) for name in each.list_names())]
    options = [(each.key, clip(each.show(call.reader.locale), _OPTION)) for each in found]
    new = " ".join(call.text.split())[:NAME_LENGTH]
    if new and all(typed != fold(name) for each in found for name in each.list_names()):
        options = [
            *options[: _OPTIONS - 1],
            (NEW_METRIC + new, clip(call.reader.say("New: {name}", name=new), _OPTION)),
        ]
    return [Options(options[:_OPTIONS])]


def kind_words(reader: Reader, kind: TargetKind) -> str:
    """A kind as a choice."""
    return {
        TargetKind.LEVEL: reader.say("Reach a value"),
        TargetKind.CUMULATIVE: reader.say("Add up to a total"),
        TargetKind.KEEP_ABOVE: reader.say("Keep at or above"),
        TargetKind.KEEP_BELOW: reader.say("Keep at or below"),
    }[kind]


def _choices(words: Mapping[Any, str], chosen: str) -> StaticSelectElement:
    return menu("value", "…", [(each.value, said) for each, said in words.items()], initial=chosen)


def _metric_field(reader: Reader, tx: Tx, metric: str) -> Json:
    found = find_name(metric, list_named_metrics(tx)) if metric else None
    is_known = found is not None and found.match is not None and found.how not in ("prefix", "none", "ambiguous")
    initial = None
    if found is not None and found.match is not None and is_known:
        key = found.match.id
        initial = (key, name_metrics(tx, {key}, reader.locale)[key])
    elif metric:
        initial = (NEW_METRIC + metric[:NAME_LENGTH], metric)
    return form_field(
        "metric",
        reader.say("Which number"),
        loaded_menu(METRIC_MENU, reader.say("Type a name"), initial=initial),
        hint=reader.say("From the catalogue, or type one of your own."),
    )


def _what_fields(reader: Reader, tx: Tx, typed: TypedTarget) -> tuple[Json, ...]:
    kinds = [(kind.value, kind_words(reader, kind)) for kind in TargetKind]
    return (
        _metric_field(reader, tx, typed.metric),
        form_field("kind", reader.say("Kind"), menu("value", "…", kinds, initial=typed.kind.value)),
        form_field(
            "baseline",
            reader.say("From"),
            text_input(initial=plain_value(typed.baseline), placeholder="5%", max_length=_VALUE_LENGTH),
            hint=reader.say("Where it stands now. Empty: the last value logged. Not needed for totals and limits."),
            is_optional=True,
        ),
        form_field(
            "goal",
            reader.say("To"),
            text_input(initial=plain_value(typed.goal), placeholder="10%", max_length=_VALUE_LENGTH),
        ),
    )


def _when_fields(reader: Reader, typed: TypedTarget, today: date) -> tuple[Json, ...]:
    states = [("agreed", reader.say("Agreed with the customer")), ("draft", reader.say("Draft"))]
    state = "draft" if typed.is_draft else "agreed"
    return (
        form_field("start_on", reader.say("Starts on"), date_picker(initial=typed.start_on or today)),
        form_field("due_on", reader.say("Due on"), date_picker(initial=typed.due_on)),
        cadence_field(reader, typed.cadence_days or _CADENCES[2]),
        form_field("state", reader.say("State"), menu("value", "…", states, initial=state)),
    )


def _read(call: Call, name: str, home: str) -> Quantity | None:
    text = call.value(name)
    return read_quantity(text, field=name, home=home) if text else None


def plain_value(quantity: Quantity | None) -> str:
    """As `words.numbers` reads it back."""
    if quantity is None:
        return ""
    value = f"{quantity.value.normalize() if quantity.value else Decimal(0):f}"
    return f"{value} {quantity.unit}".strip()


METRIC_CHOICE = Choice(METRIC_MENU, choose_metrics)
