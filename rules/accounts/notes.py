"""Notes on an account and how we were in touch: what a valid one is, and the intents that keep it or take it back.

Refuses to store, to read what was typed, and to say when silence is too long (`rules.success.cadence`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from rules.errors import UserError
from rules.records import TouchKind

TEXT_LENGTH = 3000
"""Characters, as many as a field of a form takes."""


@dataclass(frozen=True)
class AddNote:
    """Keep this note. `happened_on`: the day we were in touch, or that the note is of; `author_id` is a member."""

    account_id: str
    kind: TouchKind
    text: str
    happened_on: date
    author_id: str | None = None


@dataclass(frozen=True)
class RemoveNote:
    """Take a note back."""

    note_id: str


NoteIntent = AddNote | RemoveNote


def is_touch(kind: TouchKind) -> bool:
    """Whether we were in touch with somebody: a plain note only keeps something in mind."""
    return kind is not TouchKind.NOTE


def decide_note(draft: AddNote, today: date) -> list[NoteIntent]:
    """The intents that keep `draft`. Raises `UserError` with the field at fault: no text, too long, a day to come."""
    text = draft.text.strip()
    if not text:
        raise UserError("Type what there is to remember.", field="text")
    if len(text) > TEXT_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="text", limit=TEXT_LENGTH)
    if draft.happened_on > today:
        sentence = "This day is still to come. A note tells of what has been: pick today or an earlier day."
        raise UserError(sentence, field="happened_on")
    return [replace(draft, text=text)]
