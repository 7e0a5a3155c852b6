"""Notes people leave: how long they may be. Owns the one check; refuses to know what a note is about."""

from __future__ import annotations

from rules.errors import UserError


def check_note(note: str, limit: int) -> None:
    """Raise `UserError` where `note` is longer than `limit` characters."""
    if len(note) > limit:
        raise UserError(
            "The note has {length} characters; {limit} is the most. Nothing was saved.",
            field="note",
            length=len(note),
            limit=limit,
        )
