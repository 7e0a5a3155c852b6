"""The scheduler: APScheduler as a bare tick, and due work run once. Owns the tick, the queue of started runs and the
watchdog; what is due stands in rows (`storage.delivery.schedules`), who may act in a lease (`storage.delivery.leases`).

APScheduler's own job stores are not used: two processes on one store run a job twice, and a kill during a run loses it.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clocks import Clocks
from pipeline.report import JobReport
from storage.clock import read_clock
from storage.db import Database
from storage.delivery.leases import acquire, is_held, release
from storage.delivery.schedules import (
    Run,
    Wanted,
    ensure_schedules,
    finish_run,
    has_due,
    next_due,
    start_due,
    wanted_rhythms,
)
from storage.people.workspaces import list_workspaces

LEASE = "scheduler"
_STALE_INTERVALS = 3
_log = structlog.get_logger(__name__)

Job = Callable[[Database, str, datetime], JobReport]


@dataclass(frozen=True)
class _Started:
    run: Run
    epoch: int


def _ignore() -> None:
    """What happens by default after a run, and when the tick stands still: nothing."""


@dataclass
class Scheduler:
    """The scheduler of one process; among several processes one acts at a time.

    Args:
        jobs: what runs, by the job's name in its schedule row; called in a worker thread with the workspace and the
            run's `moment` (UTC).
        tick_seconds: between two looks for due work, in wall time.
        lease_seconds: how long the others wait when this process dies; several ticks.
        on_run: called on the event loop after each run (to nudge delivery).
        on_stale: called in the watchdog's thread when the last tick is older than 3 intervals; should end the process.
    """

    database: Database
    jobs: Mapping[str, Job]
    clocks: Clocks
    tick_seconds: float = 5.0
    lease_seconds: float = 30.0
    on_run: Callable[[], None] = _ignore
    on_stale: Callable[[], None] = _ignore
    _holder: str = field(init=False, default_factory=lambda: uuid.uuid4().hex)
    _queue: asyncio.Queue[_Started] = field(init=False, default_factory=asyncio.Queue)
    _epoch: int = field(init=False, default=0)
    _ensured: dict[str, Wanted] = field(init=False, default_factory=dict)
    _ticked_at: float = field(init=False, default_factory=time.monotonic)
    _end: threading.Event = field(init=False, default_factory=threading.Event)
    _timer: AsyncIOScheduler | None = field(init=False, default=None)
    _worker: asyncio.Task[None] | None = field(init=False, default=None)

    def start(self) -> None:
        """Begin to tick, at once. Needs a running event loop."""
        self._ticked_at = time.monotonic()
        self._worker = asyncio.create_task(self._work())
        self._timer = AsyncIOScheduler(timezone=UTC)
        self._timer.add_job(
            self._beat,
            "interval",
            seconds=self.tick_seconds,
            next_run_time=self.clocks.wall(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._timer.start()
        threading.Thread(target=self._watch, name="scheduler-watchdog", daemon=True).start()

    async def tick(self) -> None:
        """Look for due work now, and wait until all that was started is done. For the demo's walk and for tests; the
        timer does not wait.
        """
        await self._beat()
        if self._worker is not None:
            await self._queue.join()
            return
        while not self._queue.empty():
            await self._run(self._queue.get_nowait())
            self._queue.task_done()

    def next_due(self) -> datetime | None:
        """The next business time at which something is due in any workspace."""
        with self.database.read() as session:
            return next_due(session)

    def stop(self) -> None:
        """Start nothing more."""
        self._end.set()
        if self._timer is not None:
            self._timer.shutdown(wait=False)
            self._timer = None

    async def drain(self, seconds: float) -> None:
        """After `stop`: wait up to `seconds` for the run under way, then let another process take over. What was not
        begun, or not done, starts again under the next lease.
        """
        if self._worker is not None:
            rest = asyncio.create_task(self._queue.join())
            await asyncio.wait([rest], timeout=seconds)
            rest.cancel()
            self._worker.cancel()
            await asyncio.gather(rest, self._worker, return_exceptions=True)
            self._worker = None
        await asyncio.to_thread(self._release)

    async def _beat(self) -> None:
        """Start what is due now, if this process holds the lease."""
        try:
            for started in await asyncio.to_thread(self._start_due):
                self._queue.put_nowait(started)
        except Exception:  # noqa: BLE001  # a busy or absent database: the next tick tries again
            _log.exception("tick_failed")
        self._ticked_at = time.monotonic()

    async def _work(self) -> None:
        while True:
            started = await self._queue.get()
            if not self._end.is_set():
                await self._run(started)
            self._queue.task_done()

    async def _run(self, started: _Started) -> None:
        error = await asyncio.to_thread(self._run_job, started.run)
        try:
            await asyncio.to_thread(self._finish, started, error)
        except Exception:  # noqa: BLE001  # unfinished in the table: it runs again under the next lease
            _log.exception("run_not_recorded", job=started.run.job)
        self.on_run()

    def _run_job(self, run: Run) -> str:
        """Run the job; "" or why it failed."""
        job = self.jobs.get(run.job)
        if job is None:
            return f"there is no job {run.job}"
        try:
            report = job(self.database, run.workspace_id, run.moment)
        except Exception as error:  # noqa: BLE001  # an edge: the run is marked, the others go on
            _log.exception("job_failed", job=run.job, occurrence=run.occurrence.isoformat())
            return f"{type(error).__name__}: {error}"
        _log.info("job_done", job=run.job, occurrence=run.occurrence.isoformat(), **report.counts)
        return ""

    def _start_due(self) -> list[_Started]:
        epoch = self._renew()
        if epoch is None or self._end.is_set():
            return []
        with self.database.read() as session:
            workspaces = list_workspaces(session)
        now = self.clocks.business()
        if epoch != self._epoch:  # meanwhile another process may have made other schedules
            self._epoch, self._ensured = epoch, {}
        runs = [run for row in workspaces if not row.is_paused for run in self._start_in(row.id, now, epoch)]
        return [_Started(run, epoch) for run in runs]

    def _start_in(self, workspace_id: str, now: datetime, epoch: int) -> list[Run]:
        self._ensure(workspace_id, now)
        with self.database.reading(workspace_id) as tx:
            if not has_due(tx, now, epoch):
                return []
        with self.database.writing(workspace_id) as tx:
            return start_due(tx, now, epoch) if is_held(tx.session, LEASE, self._holder, epoch) else []

    def _ensure(self, workspace_id: str, now: datetime) -> None:
        """Bring the schedules up to date when people or their times changed since this process last did."""
        with self.database.reading(workspace_id) as tx:
            wanted = wanted_rhythms(tx)
        if self._ensured.get(workspace_id) != wanted:
            with self.database.writing(workspace_id) as tx:
                ensure_schedules(tx, now)
            self._ensured[workspace_id] = wanted

    def _finish(self, started: _Started, error: str) -> None:
        with self.database.writing(started.run.workspace_id) as tx:
            if is_held(tx.session, LEASE, self._holder, started.epoch):
                finish_run(tx, started.run, started.epoch, self.clocks.business(), error)

    def _renew(self) -> int | None:
        with self.database.write() as session:
            now = read_clock(session, self.clocks.wall())
            return acquire(session, LEASE, self._holder, now, self.lease_seconds)

    def _release(self) -> None:
        with self.database.write() as session:
            release(session, LEASE, self._holder, read_clock(session, self.clocks.wall()))

    def _watch(self) -> None:
        """Two stale looks in a row: after the whole process was stopped for a while, the first one may be early."""
        stale = 0
        while not self._end.wait(self.tick_seconds):
            is_late = time.monotonic() - self._ticked_at > _STALE_INTERVALS * self.tick_seconds
            stale = stale + 1 if is_late else 0
            if stale > 1:
                _log.critical("scheduler_stands_still")
                self.on_stale()
                return
