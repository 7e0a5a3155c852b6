"""What became of a message, written down. Owns the step from an outcome to the outbox's next state, inside the
caller's transaction; refuses to speak to Slack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.slack.delivery_fallbacks import make_fallback
from bot.slack.delivery_notices import make_notice, tell_pause
from rules.delivery.outbox import UNSEEN, Outcome, Pace, Verdict, backoff_seconds, classify, limit_seconds
from storage.db import Tx
from storage.delivery import outbox_claims as claims
from storage.delivery.outbox import OutboxRow, enqueue
from storage.people.connections import pause_workspace

_MOST_DOUBLINGS = 4  # a look-up waits 16 seconds at most
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Moment:
    """Now by both clocks, the pace, and a draw (0…1) for each jitter."""

    wall: datetime
    business: datetime
    pace: Pace
    luck: Callable[[], float]

    def backoff(self, row: OutboxRow) -> datetime:
        """When to try the row again."""
        return self.wall + timedelta(seconds=backoff_seconds(max(1, row.attempts), self.luck()))

    def look_again(self, row: OutboxRow) -> datetime:
        """When to look for the row's message again: soon, for its whole channel waits, and a look changes nothing. The
        attempts are the sends', among them those whose senders died.
        """
        return self.wall + timedelta(seconds=backoff_seconds(min(max(1, row.attempts), _MOST_DOUBLINGS), self.luck()))

    def limit(self, row: OutboxRow, outcome: Outcome) -> datetime:
        """Until when Slack's limit holds."""
        return self.wall + timedelta(seconds=limit_seconds(outcome.retry_after, max(1, row.attempts), self.luck()))


@dataclass(frozen=True)
class Answer:
    """What came back for a row: from a request to post or change its message, or (`copies` is not None) from a look for
    it, where `copies` are the ts of the messages found.
    """

    row: OutboxRow
    outcome: Outcome
    copies: tuple[str, ...] | None = None


def record_all(tx: Tx, answers: Sequence[Answer], at: Moment, *, resends_unseen: bool) -> None:
    """Move the rows on; those that stand in Slack all together."""
    places = [_find_place(each) for each in answers]
    claims.mark_all_sent(tx, [place for place in places if place is not None], at.wall, at.pace)
    for each, place in zip(answers, places, strict=True):
        if place is not None:
            continue
        if each.copies is None:
            _record_send(tx, each.row, each.outcome, at)
        else:
            _record_search(tx, each.row, each.outcome, at, resends_unseen=resends_unseen)


def name_row(row: OutboxRow) -> dict[str, str]:
    """By what the log's lines about a row can be found."""
    return {"outbox": row.id, "kind": row.kind, "reference": row.reference, "workspace": row.workspace_id}


def _find_place(answer: Answer) -> claims.Sent | None:
    """Where the message stands, if it does."""
    if classify(answer.outcome) is not Verdict.SENT or answer.copies == ():
        return None
    ts = answer.outcome.ts if answer.copies is None else answer.copies[0]
    return claims.Sent(answer.row, answer.outcome.channel, ts)


def _record_send(tx: Tx, row: OutboxRow, outcome: Outcome, at: Moment) -> None:
    match classify(outcome):
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
            pause(tx, outcome.error, at.business)
        case _:
            bury(tx, row, outcome.error, at, may_go_elsewhere=True)


def _record_search(tx: Tx, row: OutboxRow, outcome: Outcome, at: Moment, *, resends_unseen: bool) -> None:
    match classify(outcome):
        case Verdict.SENT | Verdict.GONE:
            claims.requeue(tx, row, at.wall, row.error)
        case Verdict.LIMITED:
            claims.defer_lookup(tx, row, at.limit(row, outcome), outcome.error)
        case Verdict.RETRY | Verdict.UNCERTAIN:
            claims.defer_lookup(tx, row, at.look_again(row), outcome.error)
        case Verdict.TOKEN:
            claims.defer_lookup(tx, row, at.backoff(row), outcome.error)
            pause(tx, outcome.error, at.business)
        case _ if resends_unseen:
            claims.requeue(tx, row, at.wall, outcome.error)
        case _:
            bury(tx, row, f"{UNSEEN}: {outcome.error}", at)


def bury(tx: Tx, row: OutboxRow, error: str, at: Moment, *, may_go_elsewhere: bool = False) -> None:
    """The message cannot be sent until a person acts: keep it, tell an admin, say it elsewhere if it must be said."""
    if not claims.mark_dead(tx, row, error):
        return
    _log.warning("message_dead", **name_row(row), channel=row.channel, error=error)
    said = make_fallback(tx, row, error) if may_go_elsewhere else []
    notice = make_notice(tx, row, error, at.business.date())
    enqueue(tx, [*said, notice] if notice else said, at.business)


def pause(tx: Tx, reason: str, now: datetime) -> None:
    """Slack refuses the token: stop, and say so as soon as it takes one again."""
    line_id = pause_workspace(tx, reason, now)
    if line_id:
        _log.error("workspace_paused", reason=reason)
        tell_pause(tx, line_id, now)
