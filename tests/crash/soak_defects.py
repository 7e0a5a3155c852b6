"""Deliveries with a planted defect, each a subclass of the real one or of its desk, as processes for the soak: what
people usually do, and what the oracle must catch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import select

from benchmarks.soak.worker import Orders, Renders, run
from bot.clocks import real_clocks
from bot.slack.delivery import ClientFor, Delivery, _Work
from bot.slack.delivery_desk import Desk
from bot.slack.delivery_marks import Marks
from bot.slack.delivery_records import Answer
from bot.slack.delivery_requests import Parcel, open_client
from rules.delivery.outbox import Outcome, Pace, Verdict, classify
from storage.db import Database
from storage.delivery.outbox import OutboxRow

Say = Callable[[str], None]


class MarkingFirst(Delivery):
    """Marks a message as sent, then posts it: who dies in between loses it."""

    async def _send(self, work: _Work, client: AsyncWebClient, *, parcel: Parcel) -> None:
        await self._marks.put(Answer(work.row, Outcome(channel=parcel.channel, ts=parcel.ts or "1.0")))
        await self._request(work, client, parcel)


class ResendingUnsure(Delivery):
    """Takes no answer for no message, and sends again."""

    async def _request(self, work: _Work, client: AsyncWebClient, parcel: Parcel) -> Outcome:
        outcome = await super()._request(work, client, parcel)
        return replace(outcome, was_sent=False) if classify(outcome) is Verdict.UNCERTAIN else outcome


class EpochBlindDesk(Desk):
    """Writes down what came back whoever holds the row by now."""

    def record(self, answers: Sequence[Answer]) -> None:
        super().record([replace(each, row=self._as_it_stands(each.row)) for each in answers])

    def release(self, row: OutboxRow) -> None:
        super().release(self._as_it_stands(row))

    def _as_it_stands(self, row: OutboxRow) -> OutboxRow:
        query = select(OutboxRow).where(OutboxRow.workspace_id == row.workspace_id, OutboxRow.id == row.id)
        with self.database.read() as session:
            found = session.exec(query).one()
        return row.model_copy(update={"epoch": found.epoch})


class EpochBlind(Delivery):
    """Delivers with a desk that does not look at epochs."""

    def __init__(self, database: Database, renders: Any, client_for: ClientFor, *more: Any, pace: Pace) -> None:
        super().__init__(database, renders, client_for, *more, pace=pace)
        self._desk = EpochBlindDesk(database, self._desk.renders, self._desk.clocks, pace)
        self._marks = Marks(self._desk.record)


def deliver_with_default_retries(say: Say, **orders: Any) -> None:
    """The SDK's client as it comes: it repeats a request whose connection was dropped."""
    given = Orders(**orders)
    _deliver(given, Delivery, AsyncWebClient(given.token, base_url=given.api_url), say)


def deliver_marking_first(say: Say, **orders: Any) -> None:
    _deliver_with(MarkingFirst, say, orders)


def deliver_resending_unsure(say: Say, **orders: Any) -> None:
    _deliver_with(ResendingUnsure, say, orders)


def deliver_epoch_blind(say: Say, **orders: Any) -> None:
    _deliver_with(EpochBlind, say, orders)


def _deliver_with(kind: type[Delivery], say: Say, orders: dict[str, Any]) -> None:
    given = Orders(**orders)
    _deliver(given, kind, open_client(given.token, given.api_url), say)


def _deliver(given: Orders, kind: type[Delivery], client: AsyncWebClient, say: Say) -> None:
    renders = Renders(given.render_seconds, say).make()
    delivery = kind(Database(given.database_url), renders, lambda _: client, real_clocks(), pace=Pace(**given.pace))
    run(delivery, say)
