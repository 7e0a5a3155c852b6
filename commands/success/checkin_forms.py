"""The check-in form: one page that takes two minutes, and reading it back. Owns its fields; refuses to store anything.

Fields for values are called "value." and the metric's key; the others as the rules name them in their errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.checkins import pulse_words
from commands.blocks.targets import aim_words
from commands.kit import (
    OPTION_COUNT,
    Json,
    clip,
    context,
    date_picker,
    form_field,
    menu,
    person_menu,
    section,
    text_input,
)
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import get_person, read_date, read_quantity
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import TargetKind
from rules.success import risks, tasks
from rules.success.checkins import CHANGED_LENGTH, PULSES, AddCheckin, CheckinDraft
from rules.success.plans import MeasurementDraft, check_unit
from rules.success.risks import RiskDraft
from rules.success.targets import TargetFacts, TargetStatus, assess
from rules.success.tasks import TaskDraft
from storage.accounts.accounts import AccountRow
from storage.accounts.contacts import list_contacts
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.checkin_writes import to_offer
from storage.success.checkins import find_open_offer, latest_pulses
from storage.success.metrics import name_metrics
from storage.success.targets import TargetRow, list_target_facts
from storage.success.touches import last_touches
from words.reader import Reader

CHECKIN_FORM = "checkins.checkin"
VALUES_SHOWN = 8
_VALUE_LENGTH = 40
_VALUE = "value."
_OVER = frozenset({TargetStatus.REPLACED, TargetStatus.PAUSED, TargetStatus.ACHIEVED, TargetStatus.MISSED})


@dataclass(frozen=True)
class Asked:
    """A number the form asks for: the newest of the account's active targets of that metric."""

    target: TargetRow
    facts: TargetFacts
    name: str


def require_checkin(call: Call, tx: Tx, account: AccountRow) -> None:
    """Raise unless the person may check in: it is offered to them (also as a stand-in), the account is theirs or
    nobody's, or they are a lead.
    """
    offer = find_open_offer(tx, account.id)
    if offer is not None and offer.member_id == call.person.id:
        call.require(Permission.ACCOUNT_WRITE)
    else:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)


def open_checkin_form(call: Call, tx: Tx, account: AccountRow, today: date) -> OpenForm:
    """The form of one account, with what was known last as placeholders."""
    reader, asked = call.reader, list_asked(call.reader, tx, account.id, today)
    more = len(asked) - VALUES_SHOWN
    rest = [context(reader.say_many("and {count} more: `/cs log`", "and {count} more: `/cs log`", more))]
    fields = (
        section(f"*{shown_name(account)}*"),
        context(_known_words(reader, tx, account)),
        _pulse_field(reader),
        *(_value_field(reader, each) for each in asked[:VALUES_SHOWN]),
        *(rest if more > 0 else []),
        *_word_fields(reader),
        *_step_fields(call, reader),
        *_touch_fields(reader, tx, account, today),
    )
    view = FormView(CHECKIN_FORM, reader.say("Check-in"), fields, reader.say("Save"), Ref("account", account.id))
    return OpenForm(view)


def list_asked(reader: Reader, tx: Tx, account_id: str, today: date) -> list[Asked]:
    """The active targets whose values are asked for, the first due first, each metric once."""
    known = list_target_facts(tx, [account_id], today).get(account_id, [])
    active = [(row, facts) for row, facts in known if assess(facts, today).status not in _OVER]
    newest = {row.metric_key: (row, facts) for row, facts in sorted(active, key=lambda each: each[0].created_at)}
    names = name_metrics(tx, set(newest), reader.locale)
    ordered = sorted(newest.values(), key=lambda each: (each[0].due_on, each[0].id))
    return [Asked(row, facts, names[row.metric_key]) for row, facts in ordered]


def read_checkin_form(call: Call, tx: Tx, account: AccountRow, today: date) -> AddCheckin:
    """The submitted form. Raises `UserError` with the field at fault."""
    pulse, day = call.value("pulse"), call.value("happened_on")
    happened_on = read_date(day, today, field="happened_on") if day else today
    draft = CheckinDraft(
        account_id=account.id,
        author_id=call.person.id,
        happened_on=happened_on,
        pulse=int(pulse) if pulse.isdecimal() else 0,
        changed=call.value("changed"),
        contact_id=_read_contact(call, tx, account),
    )
    offer = find_open_offer(tx, account.id)
    return AddCheckin(
        draft,
        today,
        values=tuple(_read_values(call, tx, draft, list_asked(call.reader, tx, account.id, today))),
        risk=_read_risk(call, account),
        step=_read_step(call, tx, account, today),
        offer=to_offer(offer) if offer else None,
    )


# ---------------------------------------------------------------- fields


def _known_words(reader: Reader, tx: Tx, account: AccountRow) -> str:
    touched = last_touches(tx, [account.id]).get(account.id)
    pulse = latest_pulses(tx, [account.id]).get(account.id)
    last = reader.say("last touch {day}", day=reader.date(touched)) if touched else reader.say("no touch so far")
    return " · ".join([last, *([pulse_words(reader, *pulse)] if pulse else [])])


def _pulse_field(reader: Reader) -> Json:
    words = {
        5: reader.say("very good"),
        4: reader.say("good"),
        3: reader.say("mixed"),
        2: reader.say("poor"),
        1: reader.say("bad"),
    }
    choices = [(str(pulse), f"{reader.number(pulse)} · {words[pulse]}") for pulse in reversed(PULSES)]
    return form_field("pulse", reader.say("How does the account feel?"), menu("value", "1–5", choices))


def _value_field(reader: Reader, asked: Asked) -> Json:
    """The value now; the last one is shown but not filled in: what is left empty was not measured."""
    target, measured = asked.target, asked.facts.measurements
    last = ""
    if measured:
        day, value = measured[-1]
        shown = reader.quantity(value, target.unit)
        last = reader.say("last: {value} on {day}", value=shown, day=reader.date(day))
    hint = aim_words(reader, target)
    if target.kind is TargetKind.CUMULATIVE:
        hint += " · " + reader.say("type only what came in since")
    element = text_input(placeholder=last, max_length=_VALUE_LENGTH)
    return form_field(_VALUE + target.metric_key, clip(asked.name, 80), element, hint=hint, is_optional=True)


def _word_fields(reader: Reader) -> tuple[Json, ...]:
    long = text_input(is_long=True, max_length=CHANGED_LENGTH)
    plan = text_input(max_length=risks.PLAN_LENGTH)
    return (
        form_field("changed", reader.say("What changed?"), long, is_optional=True),
        form_field("risk", reader.say("A risk"), text_input(max_length=risks.TEXT_LENGTH), is_optional=True),
        form_field("plan", reader.say("What we do about it"), plan, is_optional=True),
    )


def _step_fields(call: Call, reader: Reader) -> tuple[Json, ...]:
    person = person_menu(reader.say("Choose a person"), initial=call.person.slack_id)
    return (
        form_field("step", reader.say("Next step"), text_input(max_length=tasks.TEXT_LENGTH), is_optional=True),
        form_field("owner", reader.say("Who does it"), person, is_optional=True),
        form_field("due_on", reader.say("By when"), date_picker(), is_optional=True),
    )


def _touch_fields(reader: Reader, tx: Tx, account: AccountRow, today: date) -> tuple[Json, ...]:
    there = [row for row in list_contacts(tx, account.id) if row.left_on is None][:OPTION_COUNT]
    day = form_field("happened_on", reader.say("On"), date_picker(initial=today))
    if not there:
        return (day,)
    people = menu("value", reader.say("Choose a person"), [(row.id, clip(row.name, 75)) for row in there])
    return (form_field("contact", reader.say("Spoken with"), people, is_optional=True), day)


# ---------------------------------------------------------------- reading


def _read_values(call: Call, tx: Tx, draft: CheckinDraft, asked: list[Asked]) -> list[MeasurementDraft]:
    home, units = get_workspace(tx).currency, {each.target.metric_key: each.target.unit for each in asked}
    found = []
    for field in call.values:
        text = call.value(field)
        if not field.startswith(_VALUE) or not text:
            continue
        metric_key = field.removeprefix(_VALUE)
        if metric_key not in units:
            raise UserError("This target is not active any more. Leave the field empty.", field=field)
        quantity = read_quantity(text, field=field, home=home)
        check_unit(quantity.unit, units[metric_key], field=field)
        found.append(
            MeasurementDraft(draft.account_id, metric_key, quantity.value, draft.happened_on, author_id=draft.author_id)
        )
    return found


def _read_risk(call: Call, account: AccountRow) -> RiskDraft | None:
    text, plan = call.value("risk"), call.value("plan")
    if not text and not plan:
        return None
    return RiskDraft(account.id, text, plan, owner_id=call.person.id)


def _read_step(call: Call, tx: Tx, account: AccountRow, today: date) -> TaskDraft | None:
    """A day without a step is a mistake; a person without one is only what the form proposed."""
    text, day, slack_id = call.value("step"), call.value("due_on"), call.value("owner")
    if not text and not day:
        return None
    owner_id = get_person(tx, slack_id).id if slack_id else call.person.id
    due_on = read_date(day, today, prefer="future", field="due_on") if day else None
    return TaskDraft(account.id, text, owner_id, due_on)


def _read_contact(call: Call, tx: Tx, account: AccountRow) -> str | None:
    chosen = call.value("contact")
    if not chosen:
        return None
    if chosen not in {row.id for row in list_contacts(tx, account.id)}:
        raise UserError("This person is not on the account's list any more. Choose another one.", field="contact")
    return chosen
