"""A delivery process to be killed: the real delivery, over messages that are one line of text. Owns what is rendered;
`tests.crash.forked` starts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from sqlalchemy.orm import configure_mappers
from sqlmodel import select

from bot.clocks import real_clocks
from bot.slack.delivery import Delivery
from bot.slack.delivery_requests import open_client
from commands.slice import Message, Render
from rules.delivery.outbox import Pace
from storage.accounts.accounts import AccountRow
from storage.db import Database, Tx
from words.reader import Reader

NOTE, REPLY = "note", "reply"

configure_mappers()  # once, before the forks, so that a new process delivers at once


@dataclass(frozen=True)
class Renders:
    """The messages of a soak; where each takes `seconds` to render, the process says when it begins."""

    seconds: float
    say: Callable[[str], None]

    def make(self) -> Mapping[str, Render]:
        """By kind."""
        return {NOTE: self.render_note, REPLY: self.render_reply}

    def render_note(self, reference: str, tx: Tx, _: Reader) -> Message | None:
        """The truth of now about a thing."""
        self._take_time()
        wanted = (AccountRow.workspace_id == tx.workspace_id, AccountRow.slug == reference)
        found = tx.session.exec(select(AccountRow.name).where(*wanted)).first()
        return Message(found) if found else None

    def render_reply(self, reference: str, _tx: Tx, _: Reader) -> Message:
        """A reply says its own name."""
        self._take_time()
        return Message(reference)

    def _take_time(self) -> None:
        if self.seconds:
            self.say("rendering")
            Event().wait(self.seconds)


@dataclass(frozen=True)
class Orders:
    """What a process is told: where the database and Slack are, and how fast to be."""

    database_url: str
    api_url: str
    token: str
    pace: Mapping[str, float]
    render_seconds: float = 0.0


def deliver(say: Callable[[str], None], **orders: Any) -> None:
    """Deliver until killed."""
    given = Orders(**orders)
    database, client = Database(given.database_url), open_client(given.token, given.api_url)
    renders = Renders(given.render_seconds, say).make()
    delivery = Delivery(database, renders, lambda _: client, real_clocks(), pace=Pace(**given.pace))
    run(delivery, say)


def run(delivery: Delivery, say: Callable[[str], None]) -> None:
    """Say so and begin."""
    say("ready")
    asyncio.run(delivery.run())
