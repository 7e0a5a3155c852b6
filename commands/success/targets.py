"""Targets: `/cs target`, its form, the answers to its questions, undo. Owns how targets are made; refuses to log their
values (`commands.success.measurements`), to show and to change them (the modules `target_*` beside it).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.targets import ADD_TARGET
from commands.kit import esc, message
from commands.naming import find_account_here
from commands.slice import Button, Call, Command, Form, Reply, Slice, UpdateForm, Whisper, answer_in_place
from commands.success import measurements, target_acts, target_edit, target_list, target_values
from commands.success.target_card import render_target
from commands.success.target_forms import (
    METRIC_CHOICE,
    TARGET_FORM,
    Caution,
    open_target_form,
    read_target_form,
)
from commands.success.target_making import SURE as SURE_NAMES
from commands.success.target_making import UNDO_TARGET, Place, complete, find_doubt, store_target
from commands.success.target_questions import (
    RAISE,
    RETHINK,
    SURE,
    ask_goal,
    ask_raise,
    doubt_words,
    read_carried,
)
from commands.success.target_words import TypedTarget, read_target
from commands.typed import get_today, writes_if_number
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import TargetKind
from rules.success.plans import Raise, RemoveTarget, TargetDraft, check_unit, raised
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.alerts.alerts import enqueue_refresh
from storage.audit import find_change
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.metrics import list_named_metrics, name_metrics
from storage.success.target_writes import apply_targets, is_target_needed
from storage.success.targets import TargetRow, get_target, list_targets
from words.names import find_name, split_leading_name
from words.numbers import Quantity


def target(call: Call, tx: Tx) -> list[Reply]:
    """`/cs target`: the form; with an account: its targets; with a metric, too: that target; with more: a new one, or
    the form for what is missing.
    """
    account, rest = find_account_here(call, tx, call.text)
    today = get_today(call, tx)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [open_target_form(call, tx, None, TypedTarget(), today)]
    if not rest and call.text.strip():
        return [Whisper(target_list.render_list(call, tx, account, 1, today))]
    if (known := _find_typed(tx, account, rest)) is not None:
        require_on(call, tx, Permission.READ, account)
        return [Whisper(render_target(call.reader, tx, known.id, today))]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, today, get_workspace(tx).currency)
    return _add(call, tx, place, _read_typed(tx, place, rest))


def open_target(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account; with a metric where one was picked."""
    account = get_account(tx, call.ref.id if call.ref else "")
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [open_target_form(call, tx, account, TypedTarget(), get_today(call, tx))]


def submit_target(call: Call, tx: Tx) -> list[Reply]:
    """The form: a target stored, or the field at fault named, or the form once more where the goal is doubted."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, get_today(call, tx), get_workspace(tx).currency)
    typed = read_target_form(call, tx, place.today, place.home)
    draft = complete(tx, place, typed)
    doubt = find_doubt(tx, place, draft)
    if doubt is not None and (call.ref is None or call.ref.extra.get("sure") != f"{draft.goal:f}"):
        caution = Caution(doubt_words(call.reader, doubt, draft), draft.goal)
        return [UpdateForm(open_target_form(call, tx, account, typed, place.today, caution).view)]
    return [Whisper(store_target(call, tx, place, draft))]


def answer_raise(call: Call, tx: Tx) -> list[Reply]:
    """The answer to what "by 10 %" means: the target as it was typed, with the goal that the button carries."""
    place, draft = _read_answer(call, tx)
    doubt = find_doubt(tx, place, draft)
    said = ask_goal(call, place, draft, doubt) if doubt else store_target(call, tx, place, draft)
    return [answer_in_place(call, said)]


def answer_sure(call: Call, tx: Tx) -> list[Reply]:
    """A goal that was doubted is meant so."""
    place, draft = _read_answer(call, tx)
    return [answer_in_place(call, store_target(call, tx, place, draft))]


def rethink(call: Call, tx: Tx) -> list[Reply]:
    """A goal that was doubted is to be changed: the form with what was typed."""
    place, _draft = _read_answer(call, tx)
    typed = read_carried(call.ref.extra) if call.ref else TypedTarget()
    return [open_target_form(call, tx, place.account, typed, place.today)]


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
    name = esc(name_metrics(tx, {row.metric_key}, call.reader.locale)[row.metric_key])
    said = call.reader.say("Undone: the target {metric} of {account}.", metric=name, account=shown_name(account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- making


def _read_answer(call: Call, tx: Tx) -> tuple[Place, TargetDraft]:
    if call.ref is None:
        raise UserError("This button is damaged. Type the target once more.")
    account = get_account(tx, call.ref.id)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    place = Place(account, get_today(call, tx), get_workspace(tx).currency)
    return place, complete(tx, place, read_carried(call.ref.extra))


def _find_typed(tx: Tx, account: AccountRow, rest: str) -> TargetRow | None:
    """The target whose metric is all that was typed after the account: the newest of those in force, if any are."""
    rows = list_targets(tx, [account.id])
    keys = {row.metric_key for row in rows}
    found = find_name(rest, [each for each in list_named_metrics(tx, is_used=True) if each.id in keys])
    if found.match is None:
        return None
    mine = [row for row in rows if row.metric_key == found.match.id]
    return max(mine, key=lambda row: (row.replaced_by is None, row.created_at))


def _read_typed(tx: Tx, place: Place, rest: str) -> TypedTarget:
    """What was typed after the account; a metric that is known already is taken whole ("time to value")."""
    found, words = split_leading_name(rest, list_named_metrics(tx))
    if found.match is not None and found.how in SURE_NAMES:
        return read_target(words, place.today, place.home, metric=found.match.names[0])
    return read_target(rest, place.today, place.home)


def _add(call: Call, tx: Tx, place: Place, typed: TypedTarget) -> list[Reply]:
    if typed.raise_by is not None and typed.goal is None:
        return _add_raised(call, tx, place, typed)
    if not typed.metric or typed.goal is None or typed.due_on is None:
        return [open_target_form(call, tx, place.account, typed, place.today)]
    draft = complete(tx, place, typed)
    if draft.kind is TargetKind.LEVEL and draft.baseline is None:
        return [open_target_form(call, tx, place.account, typed, place.today)]
    return _finish(call, tx, place, draft)


def _add_raised(call: Call, tx: Tx, place: Place, typed: TypedTarget) -> list[Reply]:
    """Raised by an amount: plain where that can mean one thing only, else asked."""
    amount = typed.raise_by or Quantity(Decimal(0), "")
    draft = complete(tx, place, replace(typed, goal=Quantity(Decimal(0), "")))
    if not typed.metric or typed.due_on is None or draft.baseline is None:
        return [open_target_form(call, tx, place.account, typed, place.today)]
    if draft.unit == "%":
        return [Whisper(ask_raise(call, place, draft, typed, amount.value))]
    meaning = Raise.RELATIVE if amount.unit == "%" else Raise.POINTS
    if meaning is Raise.POINTS:
        check_unit(amount.unit, draft.unit)
    goal = raised(draft.baseline, amount.value, meaning, is_down=typed.is_down)
    return _finish(call, tx, place, replace(draft, goal=goal))


def _finish(call: Call, tx: Tx, place: Place, draft: TargetDraft) -> list[Reply]:
    """Stored, or asked once more where the goal is doubted."""
    doubt = find_doubt(tx, place, draft)
    return [Whisper(ask_goal(call, place, draft, doubt) if doubt else store_target(call, tx, place, draft))]


SLICE = Slice(
    name="targets",
    commands=(
        Command(
            "target",
            "ACCOUNT METRIC from START to GOAL by DATE [steps …] [keep above|below | total | draft]",
            "Agree on a target; see an account's targets, or one of them",
            target,
            writes_if_number,
            (
                "target acme conversion from 5% to 10% by 31 Dec",
                "target acme revenue to €20m in total by end of year",
                "target acme uptime keep above 99.5% until 31 Dec",
                "target acme conversion from 5% to 10% by 31 Dec steps 6% by 30 Jun, 8% by 30 Sep",
                "target acme",
                "target acme conversion",
            ),
        ),
        measurements.COMMAND,
    ),
    buttons=(
        Button(ADD_TARGET, open_target, "reads"),
        Button(UNDO_TARGET, undo, "writes"),
        *(Button(action, answer_raise, "writes") for action in RAISE.values()),
        Button(SURE, answer_sure, "writes"),
        Button(RETHINK, rethink, "reads"),
        *target_acts.BUTTONS,
        *target_list.BUTTONS,
        *target_values.BUTTONS,
        target_edit.BUTTON,
        *measurements.BUTTONS,
    ),
    forms=(Form(TARGET_FORM, submit_target), target_edit.FORM, target_values.FORM, measurements.FORM),
    choices=(METRIC_CHOICE, measurements.CHOICE),
)
