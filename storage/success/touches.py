"""When we were last in touch with accounts: notes of a contact and check-ins together. Owns this one question, because
check-ins may know accounts and their notes, but not the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlmodel import col, func, select

from rules.records import TouchKind
from storage.accounts.notes import NoteRow
from storage.db import Tx
from storage.lookup import is_among
from storage.success.checkins import CheckinRow


def last_touches(tx: Tx, account_ids: Iterable[str]) -> dict[str, date]:
    """By account the day of the latest call, meeting, e-mail, message or check-in that was not taken back; accounts we
    were never in touch with are left out. Two queries, whatever the count.
    """
    ids = list(account_ids)
    notes = tx.session.exec(
        select(NoteRow.account_id, func.max(NoteRow.happened_on))
        .where(
            NoteRow.workspace_id == tx.workspace_id,
            is_among(tx, col(NoteRow.account_id), ids),
            NoteRow.kind != TouchKind.NOTE,
            col(NoteRow.removed_at).is_(None),
        )
        .group_by(col(NoteRow.account_id))
    )
    checkins = tx.session.exec(
        select(CheckinRow.account_id, func.max(CheckinRow.happened_on))
        .where(
            CheckinRow.workspace_id == tx.workspace_id,
            is_among(tx, col(CheckinRow.account_id), ids),
            col(CheckinRow.removed_at).is_(None),
        )
        .group_by(col(CheckinRow.account_id))
    )
    found = dict(notes.all())
    for account_id, day in checkins:
        found[account_id] = max(day, found.get(account_id, day))
    return found
