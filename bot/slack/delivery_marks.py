"""Outcomes gathered for a few milliseconds and written down together. Owns when they are written; what follows from an
outcome is `delivery_records`', and a crash before the write leaves the rows claimed: they are looked up later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context

import structlog

from bot.slack.delivery_records import Answer

_GATHER_SECONDS = 0.005
_log = structlog.get_logger(__name__)


class Marks:
    """What came back from Slack and is not written down yet. `write` is called in a worker thread."""

    def __init__(self, write: Callable[[Sequence[Answer]], None]) -> None:
        self._write = write
        self._waiting: list[tuple[Answer, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, answer: Answer) -> None:
        """Return once the answer is written down; raises what kept it from being."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((answer, written))
        if self._writing is None:
            # In nobody's context: what the log says of the batch is not about the row that came first.
            self._writing = asyncio.create_task(self._write_all(), context=Context())
        await written

    async def _write_all(self) -> None:
        """While one batch is being written the next one gathers."""
        while self._waiting:
            await asyncio.sleep(_GATHER_SECONDS)
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._write, [answer for answer, _ in batch])
            except Exception as error:  # noqa: BLE001  # each sender hears of it; the rows stay claimed
                _settle(batch, error)
            else:
                _settle(batch, None)
        self._writing = None


def _settle(batch: Sequence[tuple[Answer, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, written in batch:
        if written.done():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
