"""Who reads a channel: asked of Slack behind people's backs, before anything is said there. Owns reading Slack's
conversation object, and when to ask; what follows from the answer is `rules.delivery.channels`'.

Asked about are the channels in use that nobody looked at yet, at once when somebody chose one, and all again every day,
and when a process begins to take Slack's events: one that came while nobody took them is lost, and with it that a
channel was shared. Slack allows 50 such questions a minute: they come in small rounds, each followed by a rest as long
as they are worth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.clocks import Clocks
from bot.slack.delivery_requests import ask_channel
from rules.delivery.channels import Sharing, judge_sharing
from rules.delivery.outbox import Outcome, Verdict, classify
from storage.db import PERSON_WAIT_SECONDS, Database
from storage.delivery.channels import Look, list_to_look_at, mark_changed, save_looks

ROUND = 10
"""Questions in a round."""
SECONDS_EACH = 1.5
"""Of rest after a round, for each question of it: 40 a minute."""
POLL_SECONDS = 60.0
_GATHER_SECONDS = 1.0
"""Between two looks, however much people do: each reads the database once."""
_TIMEOUT_SECONDS = 10.0
_FOR_NOW = frozenset({Verdict.LIMITED, Verdict.RETRY, Verdict.UNCERTAIN, Verdict.TOKEN})
"""Answers that say nothing about the channel."""
_log = structlog.get_logger(__name__)


@dataclass
class Channels:
    """The channels of one workspace, on the event loop. `poll_seconds`: between two looks when nobody nudges;
    `seconds_each`: of rest for each question.
    """

    database: Database
    workspace_id: str
    client: AsyncWebClient
    clocks: Clocks
    poll_seconds: float = POLL_SECONDS
    seconds_each: float = SECONDS_EACH
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _since: datetime | None = field(init=False, default=None)

    def nudge(self) -> None:
        """Somebody may have chosen a channel: look soon. On the event loop only."""
        self._wake.set()

    async def run(self, *, looks_by_itself: bool, takes_events: bool = False) -> None:
        """Look when nudged and, if so wished, now and then without, until cancelled. Who takes Slack's events begins
        now: what was looked at before is looked at once more.
        """
        self._since = self.clocks.wall() if takes_events else None
        while True:
            self._wake.clear()
            done = await self._look_safely()
            await asyncio.sleep(self.poll_seconds if done is None else max(_GATHER_SECONDS, done * self.seconds_each))
            if done != ROUND:
                await self._rest(self.poll_seconds if looks_by_itself else None)

    async def look(self, limit: int = ROUND) -> int | None:
        """Ask about the channels whose turn it is; returns how many there were. An answer that says nothing about the
        channel ends the round, with None: Slack, or the way to it, wants a longer rest.
        """
        wanted = await asyncio.to_thread(self._list, limit)
        looks: list[Look] = []
        for channel in wanted:
            outcome, found = await ask_channel(self.client, channel, _TIMEOUT_SECONDS)
            if classify(outcome) in _FOR_NOW:
                _log.warning("channel_not_looked_at", channel=channel, error=outcome.error)
                break
            looks.append(read_look(channel, outcome, found))
        if looks:
            await asyncio.to_thread(self._save, looks)
        return len(wanted) if len(looks) == len(wanted) else None

    async def learn(self, channel: str, *, is_shared: bool) -> None:
        """Slack says that a channel was shared, or is no longer: the first is taken for true, and both are looked at.

        Raises `BusyError`.
        """
        await asyncio.to_thread(self._mark, channel, is_shared=is_shared)
        self.nudge()

    async def _look_safely(self) -> int | None:
        try:
            return await self.look()
        except Exception:  # noqa: BLE001  # a busy or absent database: look again later
            _log.exception("channels_look_failed")
            return None

    async def _rest(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _list(self, limit: int) -> list[str]:
        with self.database.reading(self.workspace_id) as tx:
            return list_to_look_at(tx, self.clocks.wall(), limit, self._since)

    def _save(self, looks: Sequence[Look]) -> None:
        with self.database.writing(self.workspace_id) as tx:
            save_looks(tx, looks, self.clocks.wall())

    def _mark(self, channel: str, *, is_shared: bool) -> None:
        with self.database.writing(self.workspace_id, wait_seconds=PERSON_WAIT_SECONDS) as tx:
            mark_changed(tx, channel, is_shared=is_shared)


def read_look(channel: str, outcome: Outcome, found: Mapping[str, Any]) -> Look:
    """Slack's answer about a channel. A refusal leaves unknown who reads it.

    Source: https://docs.slack.dev/reference/objects/conversation-object
    """
    if outcome.error:
        return Look(channel, Sharing.UNKNOWN, error=outcome.error)
    flag = found.get("is_ext_shared")
    is_known = isinstance(flag, bool)
    sharing = judge_sharing(
        is_ext_shared=flag if is_known else None,
        is_pending=bool(found.get("is_pending_ext_shared")),
        is_shared=bool(found.get("is_shared")) and not found.get("is_org_shared"),
    )
    return Look(channel, sharing, name=str(found.get("name") or ""))
