"""Delivery's side of the database: what to send now, rendered, and what became of it. Synchronous, run in worker
threads, a batch of rows at a time; refuses to speak to Slack.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import structlog

from bot import metrics
from bot.clocks import Clocks
from bot.slack.delivery_fallbacks import move_out
from bot.slack.delivery_records import Answer, Moment, bury, name_row, record_all
from bot.slack.delivery_renders import Drawing, SharedChannelError, list_channels, make_search
from bot.slack.delivery_requests import Parcel, Search
from commands.slice import Render
from rules.delivery.outbox import MOST_RENDER_ATTEMPTS, SHARED, Pace, classify
from rules.records import Actor
from storage.clock import read_clock
from storage.db import Database, Tx
from storage.delivery import outbox_claims as claims
from storage.delivery.channels import list_shared
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.outbox_due import Due, find_due
from storage.people.connections import BY_HAND, resume_workspace
from storage.people.workspaces import get_workspace, list_workspaces

_SLACK = Actor.job("slack")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Batch:
    """What was claimed in one go: rows to send with what they say, and rows to look up (updates: without a search)."""

    to_send: list[tuple[OutboxRow, Parcel]] = field(default_factory=list)
    to_look_up: list[tuple[OutboxRow, Search | None]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.to_send) + len(self.to_look_up)


@dataclass(frozen=True)
class Desk:
    """One database, the renders of all slices, and the clocks. `resends_unseen`: send a message again whose fate
    cannot be looked up (history not readable), instead of leaving it to a person.
    """

    database: Database
    renders: Mapping[str, Render]
    clocks: Clocks
    pace: Pace
    resends_unseen: bool = False
    luck: Callable[[], float] = field(default=random.random)
    _after: dict[str, str] = field(init=False, default_factory=dict)

    def take(self, is_served: Callable[[str], bool], limit: int) -> Batch:
        """Claim and render up to `limit` rows over all workspaces that are served and not paused."""
        batch = Batch()
        for workspace_id in self.list_served(is_served):
            room = limit - batch.size
            due = self._look(workspace_id, room) if room > 0 else None
            if due is not None:
                self._claim(workspace_id, due, room, batch)
        return batch

    def list_served(self, is_served: Callable[[str], bool]) -> list[str]:
        """The workspaces to work for now."""
        with self.database.read() as session:
            rows = list_workspaces(session)
        return [row.id for row in rows if not row.is_paused and is_served(row.id)]

    def list_refused(self, is_served: Callable[[str], bool]) -> list[str]:
        """The served workspaces that are paused because Slack refused their token."""
        with self.database.read() as session:
            rows = list_workspaces(session)
        return [row.id for row in rows if row.is_paused and row.paused_reason != BY_HAND and is_served(row.id)]

    def resume(self, workspace_id: str) -> bool:
        """The token works again: go on."""
        with self._writing(workspace_id) as (tx, at):
            is_resumed = get_workspace(tx).paused_reason != BY_HAND and resume_workspace(tx, _SLACK, at.business)
        _log.info("workspace_resumed", workspace=workspace_id)
        return is_resumed

    def record(self, answers: Sequence[Answer]) -> None:
        """Write down what came back from Slack. Rows that another transaction has in hand follow one by one, so that
        neither waits for the other in a circle; and one answer that cannot be written does not take others with it.
        """
        for each in answers:
            request = "search" if each.copies is not None else "send"
            metrics.SENDS.labels(request, classify(each.outcome).value).inc()
        left: list[Answer] = []
        for workspace_id, group in groupby(sorted(answers, key=_by_workspace), key=_by_workspace):
            left += self._record_together(workspace_id, list(group))
        for answer in left:
            with self._writing(answer.row.workspace_id) as (tx, at):
                record_all(tx, [answer], at, resends_unseen=self.resends_unseen)

    def requeue(self, row: OutboxRow) -> None:
        """The row may be sent again at once."""
        with self._writing(row.workspace_id) as (tx, at):
            claims.requeue(tx, row, at.wall)

    def release(self, row: OutboxRow) -> None:
        """The row as if it had never been claimed."""
        with self._writing(row.workspace_id) as (tx, _):
            claims.release(tx, row)

    def list_doubtful(self, workspace_id: str) -> list[tuple[OutboxRow, Search]]:
        """Messages to sweep for second copies."""
        with self.database.reading(workspace_id) as tx:
            return [(row, make_search(tx, row)) for row in claims.list_doubtful(tx, self._now(tx), self.pace)]

    def mark_swept(self, row: OutboxRow) -> None:
        """The message has no second copy (any more)."""
        with self._writing(row.workspace_id) as (tx, _):
            claims.mark_swept(tx, row)

    # ------------------------------------------------------------ claims

    def _look(self, workspace_id: str, room: int) -> Due | None:
        with self.database.reading(workspace_id) as tx:
            due = find_due(tx, self._now(tx), self.pace, room, self._after.get(workspace_id, ""))
        self._after[workspace_id] = due.after
        return None if due.is_empty else due

    def _claim(self, workspace_id: str, due: Due, room: int, batch: Batch) -> None:
        unclear: list[OutboxRow] = []
        with self.database.writing(workspace_id) as tx:
            now = self._now(tx)
            if due.has_lost:
                claims.recover(tx, now, self.pace)
            if due.unclear:
                unclear = claims.claim_uncertain(tx, now, self.pace, room, due.unclear)
            heads = claims.claim(tx, now, self.pace, room - len(unclear), due.heads)
        with self.database.reading(workspace_id) as tx:
            batch.to_look_up.extend((row, None if row.is_update else make_search(tx, row)) for row in unclear)
        batch.to_send.extend(self._draw(workspace_id, heads))

    def _draw(self, workspace_id: str, rows: Sequence[OutboxRow]) -> list[tuple[OutboxRow, Parcel]]:
        """The messages of claimed rows as of now. Rows that have nothing to send are left out, and moved on: they are
        cancelled, their render failed, or they may not be posted where they would be.
        """
        drawn: list[tuple[OutboxRow, Parcel]] = []
        empty: list[tuple[OutboxRow, str]] = []
        pending = deque(rows)
        while pending:
            for row, parcel, error in self._draw_some(workspace_id, pending):
                if parcel is None:
                    empty.append((row, error))
                else:
                    drawn.append((row, parcel))
        if empty:
            self._pass_over(workspace_id, empty)
        return drawn

    def _draw_some(
        self, workspace_id: str, pending: deque[OutboxRow]
    ) -> Iterator[tuple[OutboxRow, Parcel | None, str]]:
        """Draw until a render fails: PostgreSQL answers nothing more in that transaction."""
        with self.database.reading(workspace_id) as tx:
            held = claims.find_held(tx, pending)
            drawing = Drawing(tx, self.renders, list_shared(tx, list_channels(pending)))
            while pending:
                row = pending.popleft()
                if row.id not in held:
                    continue
                try:
                    yield row, drawing.draw(row), ""
                except SharedChannelError:
                    yield row, None, SHARED
                except Exception as error:  # noqa: BLE001  # a bug in one message must not hold up the others
                    _log.exception("render_failed", **name_row(row))
                    yield row, None, f"cannot be shown ({type(error).__name__})"
                    return

    def _pass_over(self, workspace_id: str, empty: Iterable[tuple[OutboxRow, str]]) -> None:
        with self._writing(workspace_id) as (tx, at):
            for row, error in empty:
                if not error:
                    claims.cancel(tx, row, "nothing left to say")
                elif error == SHARED:
                    self._move_out(tx, row, at)
                elif row.attempts < MOST_RENDER_ATTEMPTS:
                    claims.requeue(tx, row, at.backoff(row), error)
                else:
                    bury(tx, row, error, at)

    def _move_out(self, tx: Tx, row: OutboxRow, at: Moment) -> None:
        moved, follows = move_out(tx, row)
        is_ours = claims.requeue(tx, row, at.backoff(row)) if follows else claims.cancel(tx, row, SHARED)
        if is_ours:
            _log.warning("not_said_in_shared_channel", **name_row(row), channel=row.channel, follows=follows)
            enqueue(tx, moved, at.business)

    # ------------------------------------------------------------ outcomes

    def _record_together(self, workspace_id: str, answers: list[Answer]) -> list[Answer]:
        """Write these down in one transaction; returns those that must be written alone."""
        if len(answers) == 1:
            return answers
        try:
            with self._writing(workspace_id) as (tx, at):
                held = claims.find_held(tx, [each.row for each in answers], is_locking=True)
                mine = [each for each in answers if each.row.id in held]
                record_all(tx, mine, at, resends_unseen=self.resends_unseen)
        except Exception:  # noqa: BLE001  # which one it was shows when each is written alone
            _log.exception("batch_not_recorded", count=len(answers))
            return answers
        return [each for each in answers if each.row.id not in held]

    @contextmanager
    def _writing(self, workspace_id: str) -> Iterator[tuple[Tx, Moment]]:
        with self.database.writing(workspace_id) as tx:
            yield tx, Moment(self._now(tx), self.clocks.business(), self.pace, self.luck)

    def _now(self, tx: Tx) -> datetime:
        return read_clock(tx.session, self.clocks.wall())


def _by_workspace(answer: Answer) -> str:
    return answer.row.workspace_id
