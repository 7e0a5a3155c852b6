"""What is done to one target with a button: agree, pause, resume, remove, replace, and taking such a change back.

Owns these acts and their answers; how a target looks is in `commands.success.target_card`, the form in
`commands.success.target_edit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from commands.access import require_on
from commands.blocks.accounts import shown_name
from commands.blocks.targets import SHOW_TARGET, show_target_button
from commands.kit import actions, button, clip, esc, message, section
from commands.slice import Button, Call, Message, Ref, Reply, answer_in_place
from commands.success.target_card import AGREE, PAUSE, REMOVE, REPLACE, RESUME, render_target
from commands.success.target_forms import open_target_form
from commands.success.target_words import TypedTarget
from commands.typed import get_today
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.success.target_changes import (
    AGREED,
    PAUSED,
    REMOVED,
    RESUMED,
    ChangeTarget,
    Known,
    TargetTerms,
    decide_agree,
    decide_pause,
    decide_remove,
    decide_restore,
    decide_resume,
)
from rules.undo import Done, check_undo
from storage.accounts.accounts import get_account
from storage.alerts.alerts import enqueue_refresh
from storage.audit import find_change, find_change_to
from storage.db import Tx
from storage.people.members import get_members
from storage.success.metrics import name_metrics
from storage.success.target_changes import VERSION, apply_target_changes, get_known
from storage.success.targets import TargetRow, get_target
from words.numbers import Quantity
from words.reader import Reader

UNDO_CHANGE = "targets.undo_change"
_NAME_LENGTH = 80


def show(call: Call, tx: Tx) -> list[Reply]:
    """One target with all there is about it."""
    row = get_target(tx, _id(call))
    require_on(call, tx, Permission.READ, get_account(tx, row.account_id))
    return [answer_in_place(call, render_target(call.reader, tx, row.id, get_today(call, tx)))]


def agree(call: Call, tx: Tx) -> list[Reply]:
    """A draft becomes a target the customer agreed to."""
    known = get_changeable(call, tx)
    return _act(call, tx, known, AGREED, lambda: decide_agree(known, get_today(call, tx)))


def pause(call: Call, tx: Tx) -> list[Reply]:
    """Nobody is reminded of it until it is resumed."""
    known = get_changeable(call, tx)
    return _act(call, tx, known, PAUSED, lambda: decide_pause(known, get_today(call, tx)))


def resume(call: Call, tx: Tx) -> list[Reply]:
    """It counts again."""
    known = get_changeable(call, tx)
    return _act(call, tx, known, RESUMED, lambda: decide_resume(known))


def remove(call: Call, tx: Tx) -> list[Reply]:
    """It is taken away; the values of its metric stay."""
    known = get_changeable(call, tx)
    return _act(call, tx, known, REMOVED, lambda: decide_remove(known))


def open_replace(call: Call, tx: Tx) -> list[Reply]:
    """The form for a new target of the same metric; saved, it takes this one's place and this one is history."""
    known = get_changeable(call, tx)
    account = get_account(tx, known.draft.account_id)
    typed = TypedTarget(
        metric=known.draft.metric_key,
        kind=known.draft.kind,
        goal=Quantity(known.terms.goal, known.draft.unit),
        cadence_days=known.terms.cadence_days,
        owner_id=known.terms.owner_id,
        customer_owner=known.terms.customer_owner,
    )
    return [open_target_form(call, tx, account, typed, get_today(call, tx))]


def undo_change(call: Call, tx: Tx) -> list[Reply]:
    """Takes the last change back, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_target(tx, _id(call))
    account = get_account(tx, row.account_id)
    require_on(call, tx, Permission.READ, account)
    version = read_version(call)
    change = find_change_to(tx, "target", row.id, version)
    if change is None or change.before is None:
        raise StaleError("There is nothing to undo here.")
    is_undone = row.version > version and bool(find_change(tx, "target.restored", row.id))
    done = Done(change.at, change.actor_id, is_undone=is_undone, is_needed=row.version != version)
    check_undo(done, call.person.id, call.person.role, call.now)
    intents = decide_restore(get_known(tx, row.id), TargetTerms.parse(change.before))
    apply_target_changes(tx, intents, call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    said = call.reader.say("Undone: {target} is as it was.", target=target_words(call.reader, tx, row))
    shown = message(said, section(said), actions(show_target_button(call.reader, row.id)))
    return [answer_in_place(call, shown)]


# ---------------------------------------------------------------- what all changes share


def get_changeable(call: Call, tx: Tx) -> Known:
    """The target of the call, which the person may change. Raises `NotFoundError` or `NotAllowedError`."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_target(tx, _id(call))
    require_on(call, tx, Permission.ACCOUNT_WRITE, get_account(tx, row.account_id))
    return get_known(tx, row.id)


def store_change(call: Call, tx: Tx, intents: Sequence[ChangeTarget], said: str) -> Message:
    """Apply, and say it with the way back."""
    (row,) = apply_target_changes(tx, intents, call.person.actor, call.now)
    enqueue_refresh(tx, row.account_id, call.now)
    back = button(call.reader.say("Undo"), UNDO_CHANGE, Ref("target", row.id, {VERSION: str(row.version)}))
    show_again = [] if row.removed_at else [show_target_button(call.reader, row.id)]
    return message(said, section(said), actions(*show_again, back))


def target_words(reader: Reader, tx: Tx, row: TargetRow) -> str:
    """The target in a sentence: account and metric."""
    account = get_account(tx, row.account_id)
    name = name_metrics(tx, {row.metric_key}, reader.locale)[row.metric_key]
    return f"*{shown_name(account)}* · {esc(clip(name, _NAME_LENGTH))}"


def explain_stale(call: Call, tx: Tx, target_id: str, version: int) -> None:
    """Raise `StaleError`, with who was first and when, where the target is past the version a form was opened with."""
    row = get_target(tx, target_id)
    if row.version == version:
        return
    change = find_change_to(tx, "target", target_id, row.version)
    if change is None:
        raise StaleError("Somebody changed this target just now. Nothing was changed: look at it again.")
    raise StaleError(
        "{who} changed this target first, {time}. Nothing was changed: look at it again.",
        who=name_person(call, tx, change.actor_id),
        time=call.reader.moment(change.at),
    )


def name_person(call: Call, tx: Tx, member_id: str) -> str:
    """A person in an error: a sentence without markup."""
    if member_id == call.person.id:
        return call.reader.say("You")
    found = get_members(tx, [member_id]).get(member_id)
    return (found.name if found else "") or call.reader.say("a colleague")


def read_version(call: Call) -> int:
    """The version that a button or form was made with; 0 where it carries none."""
    said = call.ref.extra.get(VERSION, "") if call.ref else ""
    return int(said) if said.isdecimal() else 0


def _act(call: Call, tx: Tx, known: Known, verb: str, decide: Callable[[], list[ChangeTarget]]) -> list[Reply]:
    try:
        intents = decide()
    except StaleError as error:
        change = find_change(tx, verb, known.id)
        if change is None:
            raise
        said, when = call.reader.say(error.sentence), call.reader.moment(change.at)
        who = name_person(call, tx, change.actor_id)
        raise StaleError("{said} ({who}, {time})", said=said, who=who, time=when) from error
    words = _done_words(call.reader, verb, target_words(call.reader, tx, get_target(tx, known.id)))
    return [answer_in_place(call, store_change(call, tx, intents, words))]


def _done_words(reader: Reader, verb: str, target: str) -> str:
    words = {
        AGREED: reader.say("Agreed: {target} counts from now on.", target=target),
        PAUSED: reader.say("Paused: {target} is not judged until you resume it.", target=target),
        RESUMED: reader.say("Resumed: {target} counts again.", target=target),
        REMOVED: reader.say("Removed: {target}. Its values stay.", target=target),
    }
    return words[verb]


def _id(call: Call) -> str:
    return call.ref.id if call.ref else ""


BUTTONS = (
    Button(SHOW_TARGET, show, "reads"),
    Button(AGREE, agree, "writes"),
    Button(PAUSE, pause, "writes"),
    Button(RESUME, resume, "writes"),
    Button(REMOVE, remove, "writes"),
    Button(REPLACE, open_replace, "reads"),
    Button(UNDO_CHANGE, undo_change, "writes"),
)
