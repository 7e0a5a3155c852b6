"""Delivery's side of the database: what to send now, rendered, and what became of it. Synchronous, run in worker
threads; refuses to speak to Slack.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.clocks import Clocks
from bot.slack.delivery_records import Moment, bury, record_search, record_send
from bot.slack.delivery_requests import Parcel, Search
from commands.slice import Render
from rules.delivery.outbox import MOST_RENDER_ATTEMPTS, Outcome, Pace
from storage.clock import read_clock
from storage.db import Database, Tx
from storage.delivery import outbox_claims as claims
from storage.delivery.outbox import OutboxRow, find_posted
from storage.people.members import find_by_slack_id
from storage.people.workspaces import get_workspace, list_workspaces
from words.reader import Reader

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Batch:
    """What was claimed in one go."""

    to_send: list[OutboxRow]
    to_look_up: list[OutboxRow]


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

    def take(self, is_served: Callable[[str], bool], limit: int) -> Batch:
        """Claim up to `limit` rows over all workspaces that are served and not paused."""
        batch = Batch([], [])
        for workspace_id in self.list_served(is_served):
            room = limit - len(batch.to_send) - len(batch.to_look_up)
            if room > 0 and self._has_work(workspace_id):
                self._take_from(workspace_id, room, batch)
        return batch

    def list_served(self, is_served: Callable[[str], bool]) -> list[str]:
        """The workspaces to work for now."""
        with self.database.read() as session:
            rows = list_workspaces(session)
        return [row.id for row in rows if not row.is_paused and is_served(row.id)]

    def render(self, row: OutboxRow) -> Parcel | None:
        """The message of a claimed row as of now. None when there is nothing to send: the claim was lost, the row is
        cancelled, or its render failed; that is written down already.
        """
        try:
            with self.database.reading(row.workspace_id) as tx:
                if not claims.is_held(tx, row):
                    return None
                parcel = self._build(tx, row)
        except Exception as error:  # noqa: BLE001  # a bug in one message must not hold up the others
            _log.exception("render_failed", kind=row.kind, reference=row.reference)
            self._put_off(row, f"cannot be shown ({type(error).__name__})")
            return None
        if parcel is None:
            with self._writing(row) as (tx, _):
                claims.cancel(tx, row, "nothing left to say")
        return parcel

    def search(self, row: OutboxRow) -> Search:
        """Where to look for the message of a row."""
        with self.database.reading(row.workspace_id) as tx:
            thread = _find_thread(tx, row)
        channel, ts = thread or (row.posted_channel or row.channel, "")
        return Search(row.dedupe_key, channel, row.first_tried_at or row.created_at, ts)

    def record_send(self, row: OutboxRow, outcome: Outcome) -> None:
        """Write down what became of a request to send the row."""
        with self._writing(row) as (tx, at):
            record_send(tx, row, outcome, at)

    def record_search(self, row: OutboxRow, outcome: Outcome, copies: list[str]) -> None:
        """Write down what became of a look-up; `copies` are the ts of the messages found."""
        with self._writing(row) as (tx, at):
            record_search(tx, row, outcome, copies, at, resends_unseen=self.resends_unseen)

    def requeue(self, row: OutboxRow) -> None:
        """The row may be sent again at once."""
        with self._writing(row) as (tx, at):
            claims.requeue(tx, row, at.wall)

    def release(self, row: OutboxRow) -> None:
        """The row as if it had never been claimed."""
        with self._writing(row) as (tx, _):
            claims.release(tx, row)

    def list_doubtful(self, workspace_id: str) -> list[OutboxRow]:
        """Messages to sweep for second copies."""
        with self.database.reading(workspace_id) as tx:
            return claims.list_doubtful(tx, self._now(tx), self.pace)

    def mark_swept(self, row: OutboxRow) -> None:
        """The message has no second copy (any more)."""
        with self._writing(row) as (tx, _):
            claims.mark_swept(tx, row)

    def _has_work(self, workspace_id: str) -> bool:
        with self.database.reading(workspace_id) as tx:
            return claims.has_work(tx, self._now(tx), self.pace)

    def _take_from(self, workspace_id: str, room: int, batch: Batch) -> None:
        with self.database.writing(workspace_id) as tx:
            now = self._now(tx)
            claims.recover(tx, now, self.pace)
            unclear = claims.claim_uncertain(tx, now, self.pace, room)
            heads = claims.claim(tx, now, self.pace, room - len(unclear))
        batch.to_look_up.extend(unclear)
        batch.to_send.extend(heads)

    def _build(self, tx: Tx, row: OutboxRow) -> Parcel | None:
        posted = find_posted(tx, row.kind, row.reference) if row.is_update else None
        if row.is_update and posted is None:
            return None
        message = self.renders[row.kind](row.reference, tx, _reader(tx, row.channel))
        if message is None:
            return None
        if posted is not None:
            return Parcel(message, row.dedupe_key, posted[0], ts=posted[1])
        channel, thread_ts = _find_thread(tx, row) or (row.channel, "")
        return Parcel(message, row.dedupe_key, channel, thread_ts=thread_ts)

    def _put_off(self, row: OutboxRow, error: str) -> None:
        with self._writing(row) as (tx, at):
            if row.attempts < MOST_RENDER_ATTEMPTS:
                claims.requeue(tx, row, at.backoff(row), error)
            else:
                bury(tx, row, error, at)

    @contextmanager
    def _writing(self, row: OutboxRow) -> Iterator[tuple[Tx, Moment]]:
        with self.database.writing(row.workspace_id) as tx:
            yield tx, Moment(self._now(tx), self.clocks.business(), self.pace, self.luck())

    def _now(self, tx: Tx) -> datetime:
        return read_clock(tx.session, self.clocks.wall())


def _find_thread(tx: Tx, row: OutboxRow) -> tuple[str, str] | None:
    return find_posted(tx, row.thread_kind, row.thread_reference) if row.thread_kind else None


def _reader(tx: Tx, channel: str) -> Reader:
    """A person's own language and zone for a direct message, the workspace's for a channel."""
    member = find_by_slack_id(tx, channel) if channel[:1] in {"U", "W"} else None
    if member is not None:
        return Reader(member.locale, member.local_zone)
    home = get_workspace(tx)
    return Reader(home.locale, home.zone)
