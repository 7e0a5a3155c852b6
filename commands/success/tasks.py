"""Next steps: `/cs task`, `/cs tasks`, done, edit, remove, undo. Owns acting on them; refuses their lists
(`task_lists`) and their form (`task_forms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from commands.access import require_on
from commands.blocks.checkins import ADD_TASK, DONE_TASK, EDIT, REMOVE, TASK_MORE, task_line, tasks_button
from commands.kit import actions, button, message, section
from commands.naming import find_account_here
from commands.slice import (
    Button,
    Call,
    Command,
    Form,
    OpenForm,
    Ref,
    Reply,
    Slice,
    Whisper,
    answer_in_place,
)
from commands.success import task_lists
from commands.success.taking_back import find_values_before
from commands.success.task_forms import EDIT_FORM, TASK_FORM, edit_form, read_task_form, read_typed, task_form
from commands.typed import get_today, writes_if_typed
from rules.errors import StaleError
from rules.people.roles import Permission
from rules.success.tasks import (
    ChangeTask,
    TaskIntent,
    decide_add_task,
    decide_edit_task,
    decide_finish_task,
    decide_remove_task,
)
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.people.members import get_members
from storage.success.task_writes import apply_tasks
from storage.success.tasks import TaskRow, get_task, to_task

UNDO = "tasks.undo"
_UNDOABLE = frozenset({"added", "changed", "done", "removed"})


def add(call: Call, tx: Tx) -> list[Reply]:
    """`/cs task ACCOUNT text [@owner] [by DATE]`; without an account or a text the form opens."""
    account, words = find_account_here(call, tx, call.text)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [OpenForm(task_form(call, None))]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    if not words:
        return [OpenForm(task_form(call, account))]
    today = get_today(call, tx)
    intents = decide_add_task(read_typed(call, tx, account, words, today), today)
    return [_do(call, tx, account, intents, "added")]


def open_form(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account, or for one to choose."""
    if call.ref is None or not call.ref.id:
        call.require(Permission.ACCOUNT_WRITE)
        return [OpenForm(task_form(call, None))]
    account = get_account(tx, call.ref.id)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [OpenForm(task_form(call, account))]


def submit_task(call: Call, tx: Tx) -> list[Reply]:
    """A new next step, or the field at fault."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    today = get_today(call, tx)
    intents = decide_add_task(read_task_form(call, tx, account.id, today), today)
    return [_do(call, tx, account, intents, "added")]


def finish(call: Call, tx: Tx) -> list[Reply]:
    """It is done; a second person learns who was first."""
    row, account = _get_open(call, tx)
    return [_do(call, tx, account, decide_finish_task(to_task(row), call.person.id, call.now), "done")]


def choose_more(call: Call, tx: Tx) -> list[Reply]:
    """The menu behind a next step: its form, or off the list."""
    row, account = _get_open(call, tx)
    do = call.ref.extra.get("do", "") if call.ref else ""
    if do == REMOVE:
        return [_do(call, tx, account, decide_remove_task(to_task(row), call.now), "removed")]
    if do != EDIT:
        raise StaleError("This menu is from an older version. See `/cs tasks`.")
    owner = get_members(tx, [row.owner_id or ""]).get(row.owner_id or "")
    return [OpenForm(edit_form(call.reader, account, row, owner.slack_id if owner else ""))]


def submit_edit(call: Call, tx: Tx) -> list[Reply]:
    """Another text, person or day."""
    row, account = _get_open(call, tx)
    today, version = get_today(call, tx), call.ref.extra.get("version", "") if call.ref else ""
    draft = read_task_form(call, tx, account.id, today)
    state = replace(to_task(row), version=int(version) if version.isdecimal() else row.version)
    intents = decide_edit_task(state, draft.text, draft.owner_id, draft.due_on, today)
    if not intents:
        return [Whisper(message(call.reader.say("Nothing was changed.")))]
    return [_do(call, tx, account, intents, "changed")]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes the last change back, within the time and by whom `rules.undo` allows."""
    call.require(Permission.ACCOUNT_WRITE)
    row = get_task(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    verb = call.ref.extra.get("verb", "") if call.ref else ""
    if verb not in _UNDOABLE:
        raise StaleError("This button is from an older version and no longer works.")
    before = find_values_before(call, tx, row, f"task.{verb}")
    (changed,) = apply_tasks(tx, [ChangeTask(row.id, row.version, "undone", before)], call.person.actor, call.now)
    said = call.reader.say("Undone: {step}", step=_line(call, tx, changed, account))
    return [answer_in_place(call, message(said))]


# ---------------------------------------------------------------- acting


def _get_open(call: Call, tx: Tx) -> tuple[TaskRow, AccountRow]:
    """The next step of the call and its account, where the person may act on it: it is theirs, or the account is.

    Raises `StaleError`, with who was first, where it is done or gone.
    """
    call.require(Permission.READ)
    row = get_task(tx, call.ref.id if call.ref else "")
    account = get_account(tx, row.account_id)
    if row.owner_id == call.person.id:
        call.require(Permission.ACCOUNT_WRITE)
    else:
        require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    if row.removed_at is not None:
        raise StaleError("Nothing was changed: this next step was removed. See `/cs tasks` for the others.")
    if row.done_at is not None:
        member = get_members(tx, [row.done_by or ""]).get(row.done_by or "")
        who = (member.name if member else "") or call.reader.say("a colleague")
        when = call.reader.moment(row.done_at)
        raise StaleError("Nothing was changed: {who} has already done this, {time}.", who=who, time=when)
    return row, account


def _do(call: Call, tx: Tx, account: AccountRow, intents: Sequence[TaskIntent], verb: str) -> Reply:
    (row,) = apply_tasks(tx, intents, call.person.actor, call.now)
    reader, line = call.reader, _line(call, tx, row, account)
    text = {
        "added": reader.say("Next step saved: {step}", step=line),
        "changed": reader.say("Next step changed: {step}", step=line),
        "done": reader.say("Done: {step}", step=line),
        "removed": reader.say("Removed: {step}", step=line),
    }[verb]
    back = button(reader.say("Undo"), UNDO, Ref("task", row.id, {"verb": verb}))
    return Whisper(message(text, section(text), actions(back, tasks_button(reader, account.id))))


def _line(call: Call, tx: Tx, row: TaskRow, account: AccountRow) -> str:
    people = get_members(tx, [row.owner_id] if row.owner_id else [])
    return task_line(call.reader, row, account, people, row.due_on or get_today(call, tx))


SLICE = Slice(
    "tasks",
    commands=(
        Command(
            "task",
            "ACCOUNT TEXT [@owner] [by DATE]",
            "Write down a next step, with a person and a day",
            add,
            writes_if_typed,
            ("task acme send the offer by friday", "task acme ask for a sponsor @ada", "task"),
        ),
        Command(
            "tasks",
            "[mine | all | ACCOUNT | @person]",
            "See the open next steps, and say what is done",
            task_lists.show_list,
            "reads",
            ("tasks", "tasks acme", "tasks all"),
        ),
    ),
    buttons=(
        Button(ADD_TASK, open_form, "reads"),
        Button(DONE_TASK, finish, "writes"),
        Button(TASK_MORE, choose_more, "writes"),
        Button(UNDO, undo, "writes"),
        *task_lists.BUTTONS,
    ),
    forms=(Form(TASK_FORM, submit_task), Form(EDIT_FORM, submit_edit)),
)
