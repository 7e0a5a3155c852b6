"""What became of a message, written down. Owns the step from an outcome to the outbox's next state, inside the
caller's transaction; refuses to speak to Slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.slack.delivery_notices import make_notice
from rules.delivery.outbox import Outcome, Pace, Verdict, backoff_seconds, classify, limit_seconds
from storage.db import Tx
from storage.delivery import outbox_claims as claims
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.connections import pause_workspace

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Moment:
    """Now by both clocks, the pace, and the draw (0…1) for jitter."""

    wall: datetime
    business: datetime
    pace: Pace
    luck: float

    def backoff(self, row: OutboxRow) -> datetime:
        """When to try the row again."""
        return self.wall + timedelta(seconds=backoff_seconds(max(1, row.attempts), self.luck))

    def limit(self, row: OutboxRow, outcome: Outcome) -> datetime:
        """Until when Slack's limit holds."""
        return self.wall + timedelta(seconds=limit_seconds(outcome.retry_after, max(1, row.attempts), self.luck))


def record_send(tx: Tx, row: OutboxRow, outcome: Outcome, at: Moment) -> None:
    """Move the row on after a request to post or change its message."""
    match classify(outcome):
        case Verdict.SENT:
            claims.mark_sent(tx, row, outcome.channel, outcome.ts, at.wall, at.pace)
        case Verdict.LIMITED:
            claims.hold_method(tx, claims.method_of(row), at.limit(row, outcome))
            claims.requeue(tx, row, at.wall, outcome.error)
        case Verdict.RETRY:
            claims.requeue(tx, row, at.backoff(row), outcome.error)
        case Verdict.UNCERTAIN:
            claims.mark_uncertain(tx, row, outcome.error, at.wall)
        case Verdict.GONE:
            claims.cancel(tx, row, outcome.error)
        case Verdict.TOKEN:
            claims.requeue(tx, row, at.wall, outcome.error)
            pause_workspace(tx, outcome.error, at.business)
        case Verdict.NOT_MEMBER | Verdict.DEAD:
            bury(tx, row, outcome.error, at)


def record_search(
    tx: Tx, row: OutboxRow, outcome: Outcome, copies: list[str], at: Moment, *, resends_unseen: bool
) -> None:
    """Move an uncertain row on after a look for its message; `copies` are the ts of those found."""
    match classify(outcome):
        case Verdict.SENT if copies:
            claims.mark_sent(tx, row, outcome.channel, copies[0], at.wall, at.pace)
        case Verdict.SENT | Verdict.GONE:
            claims.requeue(tx, row, at.wall, row.error)
        case Verdict.LIMITED:
            claims.defer_lookup(tx, row, at.limit(row, outcome), outcome.error)
        case Verdict.RETRY | Verdict.UNCERTAIN:
            claims.defer_lookup(tx, row, at.backoff(row), outcome.error)
        case Verdict.TOKEN:
            claims.defer_lookup(tx, row, at.backoff(row), outcome.error)
            pause_workspace(tx, outcome.error, at.business)
        case Verdict.NOT_MEMBER | Verdict.DEAD if resends_unseen:
            claims.requeue(tx, row, at.wall, outcome.error)
        case Verdict.NOT_MEMBER | Verdict.DEAD:
            bury(tx, row, f"may have been posted, history cannot be read: {outcome.error}", at)


def bury(tx: Tx, row: OutboxRow, error: str, at: Moment) -> None:
    """The message cannot be sent until a person acts: keep it, and tell an admin."""
    if not claims.mark_dead(tx, row, error):
        return
    _log.warning("message_dead", kind=row.kind, channel=row.channel, error=error)
    notice = make_notice(tx, row, error, at.business.date())
    if notice is not None:
        enqueue(tx, [notice], at.business)
