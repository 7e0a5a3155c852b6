"""Work in progress that must not be cut off: every task is known and shutdown waits for it. Owns no work itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass
class Tasks:
    """The tasks of one edge, on one event loop."""

    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        """Run `work` in the background; a failure is logged under `name`."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._forget)
        return task

    def names(self) -> list[str]:
        """What is going on now."""
        return sorted(task.get_name() for task in self._running)

    async def drain(self, wait_seconds: float) -> int:
        """Wait until all work, and what it starts, is done; cancel the rest and return how much that was."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        while self._running and loop.time() < until:
            await asyncio.wait(set(self._running), timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED)
        left = set(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            _log.warning("cut off at shutdown", task=task.get_name())
        elif error := task.exception():
            _log.error("background work failed", task=task.get_name(), exc_info=error)
