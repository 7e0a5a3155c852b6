"""What need not be said any more, when its turn to be posted comes: an alert that is over, an answer in the thread of a
message that was not posted. Owns this question for posts; what stands already is brought up to date, never taken away.
"""

from __future__ import annotations

from storage.alerts.alerts import MESSAGE, SUMMARY, find_episode
from storage.alerts.announcements import list_of_summary, list_told_with
from storage.db import Tx
from storage.delivery.outbox import OutboxRow, find_latest_post, stands_elsewhere


def is_past(tx: Tx, row: OutboxRow) -> bool:
    """Whether a post has nothing left to say, whatever it would show."""
    if row.error and stands_elsewhere(tx, row):
        return True
    if row.thread_kind:
        head = find_latest_post(tx, row.thread_kind, row.thread_reference)
        return head is not None and head.state == "cancelled"
    if row.kind == MESSAGE:
        episode = find_episode(tx, row.reference)
        told = [episode, *list_told_with(tx, row.reference)]
        return all(each is None or each.closed_at is not None for each in told)
    return row.kind == SUMMARY and all(each.closed_at is not None for each in list_of_summary(tx, row.reference))
