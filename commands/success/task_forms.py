"""The form of a next step, new or old, and a next step as it is typed. Owns fields and grammar; stores nothing."""

from __future__ import annotations

import re
from datetime import date

from commands.blocks.accounts import shown_name
from commands.kit import Json, date_picker, form_field, person_menu, section, text_input
from commands.naming import account_field
from commands.slice import Call, FormView, Ref
from commands.typed import get_person, read_date, split_mentions
from rules.success.tasks import TEXT_LENGTH, TaskDraft
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.success.tasks import TaskRow
from words.dates import parse_date
from words.errors import WordsError
from words.reader import Reader

TASK_FORM = "tasks.task"
EDIT_FORM = "tasks.edit"
_BY = re.compile(r"(?:^|\s)(?:by|until|due|截至)\s+(?P<day>\S+(?:\s+\S+){0,3})$", re.IGNORECASE)


def read_typed(call: Call, tx: Tx, account: AccountRow, words: str, today: date) -> TaskDraft:
    """Words like "send the offer @ada by friday"; "by" is part of the text where no day follows."""
    slack_id, _channel, rest = split_mentions(words)
    owner_id = get_person(tx, slack_id).id if slack_id else call.person.id
    found = _BY.search(rest)
    if found is not None:
        try:
            due_on = parse_date(found["day"], today, prefer="future")
        except WordsError:
            return TaskDraft(account.id, rest, owner_id)
        return TaskDraft(account.id, rest[: found.start()].strip(), owner_id, due_on)
    return TaskDraft(account.id, rest, owner_id)


def task_form(call: Call, account: AccountRow | None) -> FormView:
    """A new next step of an account, or of one chosen in the form."""
    reader = call.reader
    fields = (account_field(reader, account), *_fields(reader, "", call.person.slack_id, None))
    ref = Ref("account", account.id if account else "")
    return FormView(TASK_FORM, reader.say("Next step"), fields, reader.say("Save"), ref)


def edit_form(reader: Reader, account: AccountRow, row: TaskRow, owner_slack_id: str) -> FormView:
    """A next step as it stands; its version travels with the form."""
    fields = (section(f"*{shown_name(account)}*"), *_fields(reader, row.text, owner_slack_id, row.due_on))
    ref = Ref("task", row.id, {"version": str(row.version)})
    return FormView(EDIT_FORM, reader.say("Next step"), fields, reader.say("Save"), ref)


def read_task_form(call: Call, tx: Tx, account_id: str, today: date) -> TaskDraft:
    """The submitted form. Raises `UserError` with the field at fault."""
    slack_id, day = call.value("owner"), call.value("due_on")
    owner_id = get_person(tx, slack_id).id if slack_id else None
    due_on = read_date(day, today, prefer="future", field="due_on") if day else None
    return TaskDraft(account_id, call.value("step"), owner_id, due_on)


def _fields(reader: Reader, text: str, owner_slack_id: str, due_on: date | None) -> tuple[Json, ...]:
    person = person_menu(reader.say("Choose a person"), initial=owner_slack_id)
    return (
        form_field("step", reader.say("Next step"), text_input(initial=text, max_length=TEXT_LENGTH)),
        form_field("owner", reader.say("Who does it"), person, is_optional=True),
        form_field("due_on", reader.say("By when"), date_picker(initial=due_on), is_optional=True),
    )
