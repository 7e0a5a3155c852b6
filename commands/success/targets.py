"""Targets: `/cs target`, its form, the question what "by 10 %" means, undo. Owns how targets are made and listed;
refuses to log their values (see `commands.success.measurements`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.targets import (
    ADD_TARGET,
    add_target_button,
    log_button,
    target_lines,
)
from commands.kit import Json, actions, button, clip, context, esc, message, section
from commands.naming import find_account_here
from commands.slice import (
    Button,
    Call,
    Command,
    Form,
    Message,
    Ref,
    Reply,
    Slice,
    Whisper,
    answer_in_place,
)
from commands.success import measurements
from commands.success.target_forms import TARGET_FORM, open_target_form, read_target_form
from commands.success.target_making import SURE, UNDO_TARGET, Place, complete, store_target
from commands.success.target_words import EXAMPLE, TypedTarget, read_target
from commands.typed import get_today, writes_if_number
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import TargetKind
from rules.success.plans import Raise, RemoveTarget, TargetDraft, check_unit, raised
from rules.success.targets import assess
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.audit import find_change
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.metrics import list_named_metrics, name_metrics
from storage.success.target_writes import apply_targets, is_target_needed
from storage.success.targets import get_target, list_target_facts
from words.names import split_leading_name
from words.numbers import Quantity

RAISE = {meaning: f"targets.raise_{meaning.value}" for meaning in Raise}
LIST_LENGTH = 20


def target(call: Call, tx: Tx) -> list[Reply]:
    """`/cs target`: the form; with an account: its targets; with more: a target, or the form for what is missing."""
    account, rest = find_account_here(call, tx, call.text)
    today = get_today(call, tx)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [open_target_form(call, None, TypedTarget(), today)]
    if not rest and call.text.strip():
        return [Whisper(_list_message(call, tx, account, today))]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, today, get_workspace(tx).currency)
    return _add(call, tx, place, _read_typed(tx, place, rest))


def open_target(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [open_target_form(call, account, TypedTarget(), get_today(call, tx))]


def submit_target(call: Call, tx: Tx) -> list[Reply]:
    """The form: a target stored, or the field at fault named."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, get_today(call, tx), get_workspace(tx).currency)
    typed = read_target_form(call, place.today, place.home)
    return [Whisper(store_target(call, tx, place, complete(tx, place, typed)))]


def answer_raise(call: Call, tx: Tx) -> list[Reply]:
    """The answer to what "by 10 %" means: the target as it was typed, with the goal that the button carries."""
    if call.ref is None:
        raise UserError("This button is damaged. Type the target once more.")
    account, extra = get_account(tx, call.ref.id), call.ref.extra
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, get_today(call, tx), "")
    typed = TypedTarget(
        metric=extra["metric"],
        baseline=Quantity(Decimal(extra["baseline"]), extra["unit"]),
        goal=Quantity(Decimal(extra["goal"]), extra["unit"]),
        start_on=date.fromisoformat(extra["start_on"]),
        due_on=date.fromisoformat(extra["due_on"]),
        cadence_days=int(extra["cadence"]),
        is_draft=extra.get("draft") == "1",
    )
    said = store_target(call, tx, place, complete(tx, place, typed))
    return [answer_in_place(call, said)]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a target back, within the time and by whom `rules.undo` allows."""
    row = get_target(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    is_needed = row.removed_at is None and is_target_needed(tx, row)
    added = find_change(tx, "target.added", row.id)
    done = Done(
        row.created_at, added.actor_id if added else "", is_undone=row.removed_at is not None, is_needed=is_needed
    )
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_targets(tx, [RemoveTarget(row.id)], call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    name = esc(name_metrics(tx, {row.metric_key})[row.metric_key])
    said = call.reader.say("Undone: the target {metric} of {account}.", metric=name, account=shown_name(account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- making


def _read_typed(tx: Tx, place: Place, rest: str) -> TypedTarget:
    """What was typed after the account; a metric that is known already is taken whole ("time to value")."""
    found, words = split_leading_name(rest, list_named_metrics(tx))
    if found.match is not None and found.how in SURE:
        return read_target(words, place.today, place.home, metric=found.match.names[0])
    return read_target(rest, place.today, place.home)


def _add(call: Call, tx: Tx, place: Place, typed: TypedTarget) -> list[Reply]:
    if typed.raise_by is not None and typed.goal is None:
        return _add_raised(call, tx, place, typed)
    if not typed.metric or typed.goal is None or typed.due_on is None:
        return [open_target_form(call, place.account, typed, place.today)]
    draft = complete(tx, place, typed)
    if draft.kind is TargetKind.LEVEL and draft.baseline is None:
        return [open_target_form(call, place.account, typed, place.today)]
    return [Whisper(store_target(call, tx, place, draft))]


def _add_raised(call: Call, tx: Tx, place: Place, typed: TypedTarget) -> list[Reply]:
    """Raised by an amount: plain where that can mean one thing only, else asked."""
    amount = typed.raise_by or Quantity(Decimal(0), "")
    draft = complete(tx, place, replace(typed, goal=Quantity(Decimal(0), "")))
    if not typed.metric or typed.due_on is None or draft.baseline is None:
        return [open_target_form(call, place.account, typed, place.today)]
    if draft.unit == "%":
        return [Whisper(_ask_raise(call, place, draft, typed, amount.value))]
    meaning = Raise.RELATIVE if amount.unit == "%" else Raise.POINTS
    if meaning is Raise.POINTS:
        check_unit(amount.unit, draft.unit)
    goal = raised(draft.baseline, amount.value, meaning, is_down=typed.is_down)
    return [Whisper(store_target(call, tx, place, replace(draft, goal=goal)))]


# ---------------------------------------------------------------- showing


def _ask_raise(call: Call, place: Place, draft: TargetDraft, typed: TypedTarget, amount: Decimal) -> Message:
    reader, baseline = call.reader, draft.baseline or Decimal(0)
    shown, metric = reader.quantity(amount, "%"), esc(clip(draft.metric, 80))
    goals = {meaning: raised(baseline, amount, meaning, is_down=typed.is_down) for meaning in Raise}
    values = {meaning: reader.quantity(goal, "%") for meaning, goal in goals.items()}
    labels = {
        Raise.TO: reader.say("to {value}", value=values[Raise.TO]),
        Raise.POINTS: reader.say(
            "by {points} points, to {value}", points=reader.number(amount), value=values[Raise.POINTS]
        ),
        Raise.RELATIVE: reader.say("by {share} of today, to {value}", share=shown, value=values[Raise.RELATIVE]),
    }
    text = reader.say(
        "{metric} of {account} is at {baseline}. What does “by {amount}” mean?",
        metric=metric,
        account=shown_name(place.account),
        baseline=reader.quantity(baseline, "%"),
        amount=shown,
    )
    buttons = [button(labels[each], RAISE[each], _carry(place, draft, goals[each])) for each in Raise]
    return message(text, section(text), actions(*buttons))


def _carry(place: Place, draft: TargetDraft, goal: Decimal) -> Ref:
    return Ref(
        "account",
        place.account.id,
        {
            "metric": draft.metric,
            "baseline": str(draft.baseline),
            "goal": f"{goal:f}",
            "unit": draft.unit,
            "start_on": draft.start_on.isoformat(),
            "due_on": draft.due_on.isoformat(),
            "cadence": str(draft.cadence_days),
            "draft": "" if draft.agreed_on else "1",
        },
    )


def _list_message(call: Call, tx: Tx, account: AccountRow, today: date) -> Message:
    reader = call.reader
    require_on(call, tx, Permission.READ, account)
    known = list_target_facts(tx, [account.id], today).get(account.id, [])
    add = actions(add_target_button(reader, account.id))
    if not known:
        text = reader.say("{account} has no targets yet.", account=f"*{shown_name(account)}*")
        hint = reader.say("Agree on one: {example}", example=EXAMPLE)
        return message(text, section(text), context(hint), add)
    names = name_metrics(tx, {row.metric_key for row, _facts in known})
    title = reader.say_many(
        "{account}: {count} target", "{account}: {count} targets", len(known), account=f"*{shown_name(account)}*"
    )
    lines: list[Json] = [
        section(target_lines(reader, row, assess(facts, today), names[row.metric_key]))
        for row, facts in known[:LIST_LENGTH]
    ]
    more = len(known) - LIST_LENGTH
    rest = [context(reader.say_many("and {count} more", "and {count} more", more))] if more > 0 else []
    return message(
        title,
        section(title),
        *lines,
        *rest,
        actions(log_button(reader, account.id), add_target_button(reader, account.id)),
    )


SLICE = Slice(
    name="targets",
    commands=(
        Command(
            "target",
            "ACCOUNT METRIC from START to GOAL by DATE [keep above|below | total | draft]",
            "Agree on a target, or see an account's targets",
            target,
            writes_if_number,
            (
                "target acme conversion from 5% to 10% by 31 Dec",
                "target acme revenue to €20m in total by end of year",
                "target acme uptime keep above 99.5% until 31 Dec",
                "target acme",
            ),
        ),
        measurements.COMMAND,
    ),
    buttons=(
        Button(ADD_TARGET, open_target, "reads"),
        Button(UNDO_TARGET, undo, "writes"),
        *(Button(action, answer_raise, "writes") for action in RAISE.values()),
        *measurements.BUTTONS,
    ),
    forms=(Form(TARGET_FORM, submit_target), measurements.FORM),
    choices=(measurements.CHOICE,),
)
