"""The question whether somebody who took an alert, or was given it since, is still on it, as a message. Owns where it
is asked when the alert has no message of its own, and that it loses its buttons once it is answered; refuses to decide
when it is asked.
"""

from __future__ import annotations

from sqlmodel import col, select

from rules.records import Enqueue
from storage.alerts.alerts import HISTORY, AlertEventRow, EpisodeRow
from storage.db import Tx
from storage.people.members import find_member

ASKED = "asked"


def find_channel_to_ask(tx: Tx, row: EpisodeRow) -> str:
    """Who is on the alert, as a channel: for an alert told in a summary or a digest, which has no thread."""
    member = find_member(tx, row.owner_id or row.taken_by or "")
    return member.slack_id if member else ""


def list_answered(tx: Tx, row: EpisodeRow) -> list[Enqueue]:
    """What shows the latest question anew, as one that nobody waits for any more."""
    found = find_question(tx, row.id)
    return [Enqueue(HISTORY, found.id, is_update=True, priority=1)] if found else []


def find_question(tx: Tx, episode_id: str) -> AlertEventRow | None:
    """The latest question of an alert."""
    asked = select(AlertEventRow).where(
        AlertEventRow.workspace_id == tx.workspace_id,
        AlertEventRow.episode_id == episode_id,
        AlertEventRow.verb == ASKED,
    )
    return tx.session.exec(asked.order_by(col(AlertEventRow.at).desc()).limit(1)).first()
