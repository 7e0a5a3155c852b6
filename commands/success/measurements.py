"""Logging progress: `/cs log`, its form, its undo. Owns the values of targets; refuses to make targets. What it
registers stands at its end and is taken up by the slice in `commands.success.targets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.targets import LOG_VALUE, add_target_button, status_words, way_words
from commands.kit import (
    actions,
    button,
    clip,
    date_picker,
    esc,
    form_field,
    loaded_menu,
    message,
    section,
    text_input,
)
from commands.naming import ACCOUNT_MENU, find_account_here, pick_metric
from commands.slice import (
    Button,
    Call,
    Choice,
    Command,
    Form,
    FormView,
    Message,
    OpenForm,
    Options,
    Ref,
    Reply,
    Whisper,
    answer_in_place,
)
from commands.success.value_words import Entry, begins_with_value, read_entry
from commands.typed import get_today, read_date, read_quantity, writes_if_number
from rules.errors import UserError
from rules.people.roles import Permission
from rules.success.plans import NOTE_LENGTH, MeasurementDraft, RemoveMeasurement, check_unit, decide_log
from rules.success.targets import Assessment, assess
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.alerts.settling import settle_missing_values
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.metrics import find_metric, list_named_metrics, name_metrics
from storage.success.target_writes import apply_targets, is_measurement_needed
from storage.success.targets import (
    MeasurementRow,
    TargetRow,
    find_latest_measurement,
    get_measurement,
    list_target_facts,
    list_targets,
)
from words.names import Named, fold
from words.reader import Reader

LOG_FORM = "measurements.value"
METRIC_MENU = "measurements.metric"
UNDO = "measurements.undo"
_OPTION_LENGTH = 75
_OPTIONS = 100


def log(call: Call, tx: Tx) -> list[Reply]:
    """`/cs log ACCOUNT METRIC VALUE [on DATE] [note]`; what is missing is asked for in a form."""
    account, rest = find_account_here(call, tx, call.text)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [_open_form(call, tx, None)]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    targets, catalogue = list_targets(tx, [account.id]), list_named_metrics(tx, is_used=True)
    own = _choose_own(targets, catalogue)
    if not own and not catalogue:
        return [Whisper(_no_targets(call, account))]
    home = get_workspace(tx).currency
    if not rest or (begins_with_value(rest, home) and len(own) != 1):
        return [_open_form(call, tx, account, value=rest)]
    metric, words = (own[0], rest) if begins_with_value(rest, home) else pick_metric(rest, own, catalogue)
    if not words:
        return [_open_form(call, tx, account, metric_key=metric.id)]
    number = _Number(account, metric.id, _find_unit(tx, targets, metric.id), get_today(call, tx))
    entry = read_entry(words, number.today, unit=number.unit, home=home)
    return [Whisper(_store(call, tx, number, entry))]


def open_log(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for the account it is about."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [_open_form(call, tx, account, metric_key=call.ref.extra.get("metric", "") if call.ref else "")]


def submit_log(call: Call, tx: Tx) -> list[Reply]:
    """The form: a value stored, or the field at fault named."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    metric_key, today = call.value("metric"), get_today(call, tx)
    targets = list_targets(tx, [account.id])
    if find_metric(tx, metric_key) is None and metric_key not in _list_own_keys(targets):
        raise UserError("This number is not kept any more. Choose another one.", field="metric")
    quantity = read_quantity(call.value("value"), field="value", home=get_workspace(tx).currency)
    day = call.value("measured_on")
    entry = Entry(quantity, read_date(day, today, field="measured_on") if day else None, call.value("note"))
    number = _Number(account, metric_key, _find_unit(tx, targets, metric_key), today)
    return [Whisper(_store(call, tx, number, entry))]


def choose_metrics(call: Call, tx: Tx) -> list[Reply]:
    """Metrics for the form's menu: those of the account's targets first."""
    call.require(Permission.READ)
    catalogue = list_named_metrics(tx, is_used=True)
    own = _choose_own(list_targets(tx, [call.ref.id]), catalogue) if call.ref and call.ref.id else []
    known = {each.id: each for each in [*own, *catalogue]}
    typed = fold(call.text)
    fitting = [each for each in known.values() if typed in fold(each.names[0])]
    return [Options([(each.id, clip(each.names[0], _OPTION_LENGTH)) for each in fitting[:_OPTIONS]])]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a value back, within the time and by whom `rules.undo` allows."""
    row = get_measurement(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    is_needed = row.removed_at is None and is_measurement_needed(tx, row)
    done = Done(row.created_at, row.author_id or "", is_undone=row.removed_at is not None, is_needed=is_needed)
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_targets(tx, [RemoveMeasurement(row.id)], call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    said = message(_undone_words(call, tx, account, row))
    return [answer_in_place(call, said)]


# ---------------------------------------------------------------- storing


@dataclass(frozen=True)
class _Number:
    """What a value is of, and the day it is entered on."""

    account: AccountRow
    metric_key: str
    unit: str
    today: date


def _store(call: Call, tx: Tx, number: _Number, entry: Entry) -> Message:
    check_unit(entry.quantity.unit, number.unit, field="value")
    draft = MeasurementDraft(
        account_id=number.account.id,
        metric_key=number.metric_key,
        value=entry.quantity.value,
        measured_on=entry.measured_on or number.today,
        note=entry.note,
        author_id=call.person.id,
    )
    (row,) = apply_targets(tx, decide_log(draft, number.today), call.person.actor, call.now)
    settle_missing_values(tx, number.account.id, {number.metric_key}, call.person.actor, call.now)
    enqueue_refresh(tx, number.account.id, call.now)
    text = _logged_words(call, tx, number, draft, row.id)
    return message(text, section(text), actions(button(call.reader.say("Undo"), UNDO, Ref("measurement", row.id))))


def _logged_words(call: Call, tx: Tx, number: _Number, draft: MeasurementDraft, row_id: str) -> str:
    """Like "Logged 7.5 % for Acme · conversion (was 6.1 %). Now 50 % of the way, on track"."""
    reader, account, key = call.reader, number.account, number.metric_key
    running = _find_running(tx, account.id, key, number.today)
    subject = f"*{shown_name(account)}* · {_shown_metric(reader, tx, key)}"
    value = reader.quantity(draft.value, number.unit)
    before = find_latest_measurement(tx, account.id, key, draft.measured_on, without=row_id)
    if before is None:
        said = reader.say("Logged {value} for {subject}", value=value, subject=subject)
    else:
        was = reader.quantity(before.value, number.unit)
        said = reader.say("Logged {value} for {subject} (was {before})", value=value, subject=subject, before=was)
    if draft.measured_on != number.today:
        said += reader.say(", measured {day}", day=reader.date(draft.measured_on))
    return f"{said}." + (f" {_now_words(call, *running)}" if running else "")


def _now_words(call: Call, target: TargetRow, found: Assessment) -> str:
    reader = call.reader
    way, status = way_words(reader, target, found), status_words(reader, target, found)
    return reader.say("Now {way}, {status}.", way=way, status=status)


def _undone_words(call: Call, tx: Tx, account: AccountRow, row: MeasurementRow) -> str:
    reader, unit = call.reader, _find_unit(tx, list_targets(tx, [account.id]), row.metric_key)
    subject = f"*{shown_name(account)}* · {_shown_metric(reader, tx, row.metric_key)}"
    said = reader.say("Undone: {value} for {subject}.", value=reader.quantity(row.value, unit), subject=subject)
    latest = find_latest_measurement(tx, account.id, row.metric_key, get_today(call, tx))
    if latest is None:
        return f"{said} " + reader.say("There is no value now.")
    stands = reader.say(
        "It stands at {value} of {day} again.",
        value=reader.quantity(latest.value, unit),
        day=reader.date(latest.measured_on),
    )
    return f"{said} {stands}"


# ---------------------------------------------------------------- looking up


def _find_running(tx: Tx, account_id: str, metric_key: str, today: date) -> tuple[TargetRow, Assessment] | None:
    """The target a value counts for: the newest of those not replaced."""
    known = list_target_facts(tx, [account_id], today).get(account_id, [])
    mine = [(row, facts) for row, facts in known if row.metric_key == metric_key and not facts.is_replaced]
    if not mine:
        return None
    row, facts = max(mine, key=lambda each: each[0].created_at)
    return row, assess(facts, today)


def _find_unit(tx: Tx, targets: Sequence[TargetRow], metric_key: str) -> str:
    """The unit of the account's last target of the metric, else the metric's."""
    units = [row.unit for row in targets if row.metric_key == metric_key]
    if units:
        return units[-1]
    metric = find_metric(tx, metric_key)
    return metric.unit if metric else ""


def _list_own_keys(targets: Sequence[TargetRow]) -> list[str]:
    """The metrics of an account's targets that still stand, each once."""
    return list(dict.fromkeys(row.metric_key for row in targets if row.replaced_by is None))


def _choose_own(targets: Sequence[TargetRow], catalogue: Sequence[Named]) -> list[Named]:
    known = {each.id: each for each in catalogue}
    return [known.get(key, Named(key, (key,))) for key in _list_own_keys(targets)]


def _shown_metric(reader: Reader, tx: Tx, key: str) -> str:
    return esc(name_metrics(tx, {key}, reader.locale)[key])


# ---------------------------------------------------------------- showing


def _open_form(call: Call, tx: Tx, account: AccountRow | None, *, metric_key: str = "", value: str = "") -> OpenForm:
    reader = call.reader
    own = _list_own_keys(list_targets(tx, [account.id])) if account else []
    chosen = metric_key or (own[0] if len(own) == 1 else "")
    initial = (chosen, name_metrics(tx, {chosen}, reader.locale)[chosen]) if chosen else None
    fields = [
        form_field(
            "metric",
            reader.say("What was measured"),
            loaded_menu(METRIC_MENU, reader.say("Choose a target"), initial=initial),
        ),
        form_field("value", reader.say("Value"), text_input(initial=value, placeholder="7.5%, €84k, 1,200")),
        form_field("measured_on", reader.say("Measured on"), date_picker(initial=get_today(call, tx))),
        form_field("note", reader.say("Note"), text_input(is_long=True, max_length=NOTE_LENGTH), is_optional=True),
    ]
    if account is None:
        menu = loaded_menu(ACCOUNT_MENU, reader.say("Type a name"))
        fields.insert(0, form_field("account", reader.say("Account"), menu))
    else:
        fields.insert(0, section(f"*{shown_name(account)}*"))
    ref = Ref("account", account.id if account else "")
    return OpenForm(FormView(LOG_FORM, reader.say("Log a value"), tuple(fields), reader.say("Save"), ref))


def _no_targets(call: Call, account: AccountRow) -> Message:
    text = call.reader.say(
        "There is nothing to log for {account} yet: agree on a target first.", account=shown_name(account)
    )
    return message(text, section(text), actions(add_target_button(call.reader, account.id)))


COMMAND = Command(
    "log",
    "ACCOUNT METRIC VALUE [on DATE] [note]",
    "Log progress: a measured value of a target",
    log,
    writes_if_number,
    ("log acme conversion 7.5% after the new landing page", "log acme revenue €1.2m on 28 feb", "log"),
)
BUTTONS = (Button(LOG_VALUE, open_log, "reads"), Button(UNDO, undo, "writes"))
FORM = Form(LOG_FORM, submit_log)
CHOICE = Choice(METRIC_MENU, choose_metrics)
