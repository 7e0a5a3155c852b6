"""Notes and touches: `/cs note`, its form, its undo. Owns writing down what was said with a customer and when; refuses
to say when silence is too long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from commands.access import require_on
from commands.accounts.asking import get_pressed
from commands.blocks.accounts import NOTE, shown_name, timeline_button
from commands.blocks.notes import quoted, touch_words
from commands.kit import (
    actions,
    button,
    context,
    date_picker,
    form_field,
    menu,
    message,
    section,
    text_input,
)
from commands.naming import account_field, find_account_here
from commands.slice import (
    Button,
    Call,
    Command,
    Form,
    FormView,
    Message,
    OpenForm,
    Ref,
    Reply,
    Slice,
    Whisper,
    answer_in_place,
)
from commands.typed import get_today, read_date, writes_if_typed
from rules.accounts.notes import TEXT_LENGTH, AddNote, RemoveNote, decide_note, is_touch
from rules.errors import UserError
from rules.people.roles import Permission
from rules.records import TouchKind
from rules.undo import Done, check_undo
from storage.accounts.accounts import AccountRow, get_account
from storage.accounts.notes import apply_notes, get_note
from storage.alerts.alerts import enqueue_refresh
from storage.db import Tx
from storage.success.touches import last_touches
from words.dates import parse_date
from words.errors import WordsError

NOTE_FORM, UNDO = "notes.note", "notes.undo"
_KINDS = {
    "note": TouchKind.NOTE,
    "call": TouchKind.CALL,
    "called": TouchKind.CALL,
    "meeting": TouchKind.MEETING,
    "met": TouchKind.MEETING,
    "email": TouchKind.EMAIL,
    "e-mail": TouchKind.EMAIL,
    "mail": TouchKind.EMAIL,
    "message": TouchKind.MESSAGE,
    "笔记": TouchKind.NOTE,
    "电话": TouchKind.CALL,
    "会议": TouchKind.MEETING,
    "邮件": TouchKind.EMAIL,
    "消息": TouchKind.MESSAGE,
}
_KEPT = frozenset({"met", "called"})
"""Words that say how we were in touch and are part of the sentence, too: "met Jo about the rollout"."""
_KIND = re.compile(r"(?P<word>[^\s:：]+)[:：]?\s*")
_DAY = re.compile(
    r"(?P<text>(?:.*\s)?)(?:on\s+|(?=yesterday$|昨天$))(?P<day>\S+(?:\s+\S+){0,3})", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class TypedNote:
    """A note as typed: how, what and when; `day` None where none was said."""

    kind: TouchKind
    text: str
    day: date | None = None


def note(call: Call, tx: Tx) -> list[Reply]:
    """`/cs note ACCOUNT [call|meeting|email|message] TEXT [on DATE]`; without a text, the form."""
    account, rest = find_account_here(call, tx, call.text, is_free_text=True)
    today = get_today(call, tx)
    if account is None:
        call.require(Permission.ACCOUNT_WRITE)
        return [_open_form(call, None, TypedNote(TouchKind.NOTE, ""), today)]
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    typed = read_note(rest, today)
    if not typed.text:
        return [_open_form(call, account, typed, today)]
    return [Whisper(_store(call, tx, account, typed, today))]


def open_note(call: Call, tx: Tx) -> list[Reply]:
    """The button: the form for its account."""
    account = get_pressed(call, tx)
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    return [_open_form(call, account, TypedNote(TouchKind.NOTE, ""), get_today(call, tx))]


def submit(call: Call, tx: Tx) -> list[Reply]:
    """The form: a note kept, or the field at fault named."""
    account = get_account(tx, call.value("account") or (call.ref.id if call.ref else ""))
    require_on(call, tx, Permission.ACCOUNT_WRITE, account)
    today, day, kind = get_today(call, tx), call.value("happened_on"), call.value("touch")
    if kind and kind not in list(TouchKind):
        raise UserError("Choose how you were in touch from the list.", field="touch")
    happened_on = read_date(day, today, prefer="past", field="happened_on") if day else None
    typed = TypedNote(TouchKind(kind or TouchKind.NOTE), call.value("text"), happened_on)
    return [Whisper(_store(call, tx, account, typed, today))]


def undo(call: Call, tx: Tx) -> list[Reply]:
    """Takes a note back, within the time and by whom `rules.undo` allows."""
    row = get_note(tx, call.ref.id if call.ref and call.ref.kind == "note" else "")
    account = get_account(tx, row.account_id)
    call.require(Permission.ACCOUNT_WRITE)
    done = Done(row.created_at, row.author_id or "", is_undone=row.removed_at is not None)
    check_undo(done, call.person.id, call.person.role, call.now)
    apply_notes(tx, [RemoveNote(row.id)], call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    what = touch_words(call.reader, row.kind)
    said = call.reader.say("Undone: {what} of {account}.", what=what, account=shown_name(account))
    return [answer_in_place(call, message(said))]


def read_note(text: str, today: date) -> TypedNote:
    """`call: they plan a pilot on 3 Mar` as how, what and when. A day at the end that cannot be read is text."""
    kind, rest = _split_kind(text.strip())
    found = _DAY.fullmatch(rest)
    if found is None:
        return TypedNote(kind, rest)
    try:
        day = parse_date(found["day"], today, prefer="past")
    except WordsError:
        return TypedNote(kind, rest)
    return TypedNote(kind, found["text"].strip(" ,;，；"), day)


# ---------------------------------------------------------------- small things


def _split_kind(text: str) -> tuple[TouchKind, str]:
    first = _KIND.match(text)
    word = first["word"].lower() if first else ""
    if first is None or word not in _KINDS:
        return TouchKind.NOTE, text
    return _KINDS[word], text if word in _KEPT else text[first.end() :]


def _store(call: Call, tx: Tx, account: AccountRow, typed: TypedNote, today: date) -> Message:
    draft = AddNote(account.id, typed.kind, typed.text, typed.day or today, call.person.id)
    (row,) = apply_notes(tx, decide_note(draft, today), call.person.actor, call.now)
    enqueue_refresh(tx, account.id, call.now)
    reader, what = call.reader, touch_words(call.reader, row.kind)
    said = reader.say("{what} kept for {account}", what=what, account=f"*{shown_name(account)}*")
    if row.happened_on != today:
        said += reader.say(", {day}", day=reader.date(row.happened_on))
    back = button(reader.say("Undo"), UNDO, Ref("note", row.id))
    hint = context(_touch_hint(call, tx, account, row.kind))
    buttons = actions(back, timeline_button(reader, account.id))
    return message(f"{said}: {quoted(row.text)}", section(f"{said}\n{quoted(row.text)}"), hint, buttons)


def _touch_hint(call: Call, tx: Tx, account: AccountRow, kind: TouchKind) -> str:
    last = last_touches(tx, [account.id]).get(account.id)
    if not is_touch(kind):
        return call.reader.say("A note is no touch. Were you in touch? Begin with call, meeting, email or message.")
    return call.reader.say("Last touch: {day}", day=call.reader.date(last)) if last else ""


def _open_form(call: Call, account: AccountRow | None, typed: TypedNote, today: date) -> OpenForm:
    reader = call.reader
    kinds = [(kind.value, touch_words(reader, kind)) for kind in TouchKind]
    hint = reader.say("A call, meeting, e-mail or message counts as a touch; a note does not.")
    fields = (
        account_field(reader, account),
        form_field("touch", reader.say("Kind"), menu("value", "…", kinds, initial=typed.kind.value), hint=hint),
        form_field("text", reader.say("Text"), text_input(initial=typed.text, is_long=True, max_length=TEXT_LENGTH)),
        form_field("happened_on", reader.say("On"), date_picker(initial=typed.day or today)),
    )
    ref = Ref("account", account.id if account else "")
    return OpenForm(FormView(NOTE_FORM, reader.say("Write a note"), fields, reader.say("Save"), ref))


SLICE = Slice(
    name="notes",
    commands=(
        Command(
            "note",
            "[ACCOUNT] [call|meeting|email|message] TEXT [on DATE]",
            "Keep a note, or that you were in touch",
            note,
            writes_if_typed,
            ("note acme call: they plan a pilot in May", "note acme met Jo about the rollout on 3 Mar", "note"),
        ),
    ),
    buttons=(Button(NOTE, open_note, "reads"), Button(UNDO, undo, "writes")),
    forms=(Form(NOTE_FORM, submit),),
)
