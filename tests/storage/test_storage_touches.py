"""When we were last in touch: notes of a contact and check-ins, what was taken back left out, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

from rules.accounts.notes import AddNote, RemoveNote
from rules.records import Actor, TouchKind
from storage.accounts.notes import apply_notes
from storage.db import Tx
from storage.success.checkins import CheckinRow
from storage.success.touches import last_touches
from tests.alert_rows import add_account
from tests.conftest import NOW

TODAY = date(2026, 3, 10)
ACTOR = Actor.job("test")


def keep(tx: Tx, account_id: str, kind: TouchKind, days_ago: int) -> str:
    note = AddNote(account_id, kind, "text", TODAY - timedelta(days=days_ago))
    return apply_notes(tx, [note], ACTOR, NOW)[0].id


def check_in(tx: Tx, account_id: str, days_ago: int, *, is_removed: bool = False) -> None:
    row = CheckinRow(workspace_id=tx.workspace_id, account_id=account_id, created_at=NOW,
                     happened_on=TODAY - timedelta(days=days_ago), removed_at=NOW if is_removed else None)  # fmt: skip
    tx.session.add(row)
    tx.session.flush()


def test_the_latest_contact_or_check_in_counts_and_nothing_taken_back(tx: Tx):
    for name in ("called", "checked", "both", "noted", "undone", "never", "other"):
        add_account(tx, name)
    for kind, days in ((TouchKind.CALL, 5), (TouchKind.EMAIL, 3), (TouchKind.NOTE, 0)):
        keep(tx, "called", kind, days)
    check_in(tx, "checked", 7)
    check_in(tx, "checked", 1, is_removed=True)
    keep(tx, "both", TouchKind.MEETING, 2)
    check_in(tx, "both", 4)
    keep(tx, "noted", TouchKind.NOTE, 1)
    apply_notes(tx, [RemoveNote(keep(tx, "undone", TouchKind.CALL, 1))], ACTOR, NOW)
    keep(tx, "other", TouchKind.CALL, 1)
    asked = ["called", "checked", "both", "noted", "undone", "never"]
    assert last_touches(tx, asked) == {
        "called": TODAY - timedelta(days=3),
        "checked": TODAY - timedelta(days=7),
        "both": TODAY - timedelta(days=2),
    }
    assert last_touches(tx, []) == {}
