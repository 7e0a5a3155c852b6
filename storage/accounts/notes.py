"""Notes on accounts, and how we were in touch. Owns their table, queries and writes; when we last were in touch, check-
ins counted, is in `storage.success.touches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, col, select

from rules.accounts.notes import AddNote, NoteIntent, RemoveNote
from rules.records import Actor, Change, TouchKind
from storage.audit import record
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, choice, key, moment, workspace


class NoteRow(SQLModel, table=True):
    """What somebody wrote down of an account, and how they were in touch (`kind`; a plain note is no touch)."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_touch", "workspace_id", "account_id", "happened_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    kind: TouchKind = choice(TouchKind, default=TouchKind.NOTE)
    text: str
    happened_on: date
    author_id: str | None = Field(default=None, foreign_key="members.id")
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


def get_note(tx: Tx, note_id: str) -> NoteRow:
    """The note, also one taken back. Raises `NotFoundError`."""
    found = get_notes(tx, [note_id]).get(note_id)
    if found is None:
        raise NotFoundError("This note no longer exists.")
    return found


def get_notes(tx: Tx, ids: Iterable[str]) -> dict[str, NoteRow]:
    """Those of the notes that exist, by id, also ones taken back."""
    rows = tx.session.exec(
        select(NoteRow).where(NoteRow.workspace_id == tx.workspace_id, col(NoteRow.id).in_(list(ids)))
    )
    return {row.id: row for row in rows}


def apply_notes(tx: Tx, intents: Sequence[NoteIntent], actor: Actor, now: datetime) -> list[NoteRow]:
    """Carry the intents out, with audit. Returns the notes kept or taken back, one per intent.

    The text itself stays out of the audit: a note that was taken back shall not be read on there.
    """
    return [_apply(tx, intent, actor, now) for intent in intents]


def _apply(tx: Tx, intent: NoteIntent, actor: Actor, now: datetime) -> NoteRow:
    match intent:
        case AddNote():
            row = NoteRow(workspace_id=tx.workspace_id, created_at=now, **vars(intent))
            tx.session.add(row)
        case RemoveNote():
            row = get_note(tx, intent.note_id)
            row.removed_at = now
    tx.session.flush()
    told: dict[str, object] = {"kind": row.kind.value, "happened_on": row.happened_on.isoformat()}
    if row.removed_at is None:
        change = Change("note.added", "note", row.id, row.account_id, after=told)
    else:
        change = Change("note.undone", "note", row.id, row.account_id, before=told)
    record(tx, change, actor, now)
    return row
