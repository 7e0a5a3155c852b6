"""The threads in which payloads are handled. Owns how many there are at a time; refuses to know what they do.

Python lets one thread compute at a time. Threads that all want to are handed that right at every call of the database
or the network, on several cores with a switch from one to another each time: with eight at work, a payload costs a
quarter more than with one. So one thread works off what waits, and another joins only when nothing was taken up for a
moment, because whoever is at work waits itself: for the writer's turn, a slow disk, a long list.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

PATIENCE_SECONDS = 0.03
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Errand:
    """One piece of work, the context it is done in (the log's), and who waits for it."""

    work: Callable[[], Any]
    context: contextvars.Context
    waiter: asyncio.Future[Any]

    def run(self) -> Callable[[], None]:
        """Do it; returns how the event loop tells who waits."""
        try:
            done = self.context.run(self.work)
        except BaseException as error:  # noqa: BLE001  # it is for whoever waits
            failure = error  # the name would end with the block
            return lambda: self._tell(lambda: self.waiter.set_exception(failure))
        return lambda: self._tell(lambda: self.waiter.set_result(done))

    def _tell(self, tell: Callable[[], None]) -> None:
        if not self.waiter.done():  # or nobody waits any more
            tell()


@dataclass
class Crew:
    """`most` threads at most; another joins when nothing was taken up for `patience_seconds`. For one event loop."""

    most: int
    patience_seconds: float = PATIENCE_SECONDS
    _waiting: deque[_Errand] = field(default_factory=deque, init=False)
    _at_work: int = field(default=0, init=False)
    _taken: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _is_watched: bool = field(default=False, init=False)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.most, thread_name_prefix="slack")

    async def do(self, work: Callable[[], _T]) -> _T:
        """Run `work` in a thread, in the context of who asks, and return or raise what it does."""
        loop = asyncio.get_running_loop()
        errand = _Errand(work, contextvars.copy_context(), loop.create_future())
        with self._lock:
            self._waiting.append(errand)
            is_idle = not self._at_work
        if is_idle:
            self._send_one(loop)
        elif not self._is_watched:
            self._watch(loop)
        done: _T = await errand.waiter
        return done

    def close(self, *, waits: bool) -> None:
        """Take nothing more up; `waits` for what is under way."""
        self._waiting.clear()
        self._threads.shutdown(wait=waits, cancel_futures=True)

    def _send_one(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._at_work += 1
        self._threads.submit(self._work_off, loop)

    def _work_off(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread, until nothing waits."""
        while (errand := self._take()) is not None:
            loop.call_soon_threadsafe(errand.run())

    def _take(self) -> _Errand | None:
        """What has waited longest; None sends the thread home. Either is decided before anything else can come."""
        with self._lock:
            if not self._waiting:
                self._at_work -= 1
                return None
            self._taken += 1
            return self._waiting.popleft()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look in a moment whether anything was taken up since."""
        self._is_watched = True
        loop.call_later(self.patience_seconds, self._help, loop, self._taken)

    def _help(self, loop: asyncio.AbstractEventLoop, taken: int) -> None:
        self._is_watched = False
        if not self._waiting:
            return
        if self._taken == taken and self._at_work < self.most:
            self._send_one(loop)
        self._watch(loop)
