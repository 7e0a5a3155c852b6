"""The scheduler: APScheduler as a bare tick, and due work run once. Owns the tick and the queues of started runs; what
is due stands in rows (`storage.delivery.schedules`), who may act in a lease (`storage.delivery.leases`).

Lanes: jobs that may take minutes have one or more, all others another one, so that what comes every five minutes comes
while a scan goes on. In each lane one run at a time; so a job never runs twice at once for a workspace.

APScheduler's own job stores are not used: two processes on one store run a job twice, and a kill during a run loses it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.contextvars import bound_contextvars

from bot import metrics
from bot.clocks import Clocks
from bot.watchdog import Watchdog
from pipeline.report import JobReport
from storage.clock import read_clock
from storage.db import Database, Tx
from storage.delivery.leases import SCHEDULER, LeaseFence, acquire, is_held, release
from storage.delivery.schedules import (
    Run,
    Wanted,
    ensure_schedules,
    fail_run,
    finish_run,
    has_due,
    next_due,
    start_due,
    wanted_rhythms,
)
from storage.errors import LeaseLostError
from storage.people.workspaces import list_workspaces

_TICK = "tick"
_TAKEN_OVER = "taken over"
"""Why a run ended that is another process's by now, which alone may say what became of it."""
_log = structlog.get_logger(__name__)

Job = Callable[[Database, str, datetime], JobReport]


@dataclass(frozen=True)
class _Started:
    run: Run
    epoch: int


@dataclass(frozen=True)
class _Ended:
    """A run that is over: with an error, or well ("")."""

    started: _Started
    error: str


def _name_outcome(error: str) -> str:
    """Of a run, for the figures."""
    return {"": "done", _TAKEN_OVER: "taken over"}.get(error, "failed")


def _tell(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(act)


def _ignore() -> None:
    """What happens by default after a run, and when the tick stands still: nothing."""


@dataclass
class Scheduler:
    """The scheduler of one process; among several processes one acts at a time.

    Args:
        jobs: what runs, by the job's name in its schedule row; called in a worker thread with the database behind the
            lease's fence (`storage.delivery.leases`), the workspace and the run's `moment` (UTC).
        lanes: names of those that may take minutes, for each lane of theirs; all others share one.
        tick_seconds: between two looks for due work, in wall time.
        lease_seconds: how long the others wait when this process dies; several ticks.
        on_run: called on the event loop after each run (to nudge delivery).
        on_stale: called in the watchdog's thread when the last tick is older than 3 intervals; should end the process.
    """

    database: Database
    jobs: Mapping[str, Job]
    clocks: Clocks
    lanes: Sequence[Collection[str]] = ()
    tick_seconds: float = 5.0
    lease_seconds: float = 30.0
    on_run: Callable[[], None] = _ignore
    on_stale: Callable[[], None] = _ignore
    _holder: str = field(init=False, default_factory=lambda: uuid.uuid4().hex)
    _lanes: Sequence[asyncio.Queue[_Started]] = field(init=False)
    _beating: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _epoch: int = field(init=False, default=0)
    _is_acting: bool = field(init=False, default=False)
    _is_stopping: bool = field(init=False, default=False)
    _ensured: dict[str, Wanted] = field(init=False, default_factory=dict)
    _latest: datetime = field(init=False, default=datetime.min.replace(tzinfo=UTC))
    _unrecorded: list[_Ended] = field(init=False, default_factory=list)
    _ticked_at: float = field(init=False, default_factory=time.monotonic)
    _timer: AsyncIOScheduler | None = field(init=False, default=None)
    _watchdog: Watchdog | None = field(init=False, default=None)
    _workers: list[asyncio.Task[None]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._lanes = [asyncio.Queue() for _ in range(1 + len(self.lanes))]

    @property
    def tick_age(self) -> float:
        """Seconds since the last look for due work."""
        return time.monotonic() - self._ticked_at

    @property
    def is_acting(self) -> bool:
        """Whether this process held the lease at its last look."""
        return self._is_acting

    def start(self) -> None:
        """Begin to tick, at once. Needs a running event loop."""
        self._ticked_at = time.monotonic()
        self._workers = [asyncio.create_task(self._work(lane)) for lane in self._lanes]
        self._timer = timer = AsyncIOScheduler(timezone=UTC)
        timer.add_job(
            self._beat,
            "interval",
            seconds=self.tick_seconds,
            id=_TICK,
            next_run_time=self.clocks.wall(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        timer.start()
        loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(
            self.tick_seconds,
            lambda: self.tick_age,
            self.clocks.wall,
            self._stand_still,
            lambda: _tell(loop, self._tick_anew),
        )
        self._watchdog.start()

    async def tick(self) -> None:
        """Look for due work now, wait until all that was started is done, and look again until there is none. For the
        demo's walk and for tests; the timer does not wait.
        """
        found = 1
        while found:
            found = await self._beat()
            await self._finish_lanes()  # also where nothing was found: the timer may have been first

    def next_due(self) -> datetime | None:
        """The next business time at which something is due in any workspace."""
        with self.database.read() as session:
            return next_due(session)

    def stop(self) -> None:
        """Start nothing more."""
        self._is_stopping = True
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._timer is not None:
            self._timer.shutdown(wait=False)
            self._timer = None

    async def drain(self, seconds: float) -> None:
        """After `stop`: wait up to `seconds` for the runs under way, then let another process take over. What was not
        begun, or not done, starts again under the next lease.
        """
        if self._workers:
            rests = [asyncio.create_task(lane.join()) for lane in self._lanes]
            await asyncio.wait(rests, timeout=seconds)
            for task in (*rests, *self._workers):
                task.cancel()
            await asyncio.gather(*rests, *self._workers, return_exceptions=True)
            self._workers = []
        await asyncio.to_thread(self._release)

    async def _finish_lanes(self) -> None:
        for lane in self._lanes:
            if self._workers:
                await lane.join()
            while not lane.empty():
                await self._run(lane.get_nowait())
                lane.task_done()

    async def _beat(self) -> int:
        """Start what is due now, if this process holds the lease; returns how much that was. One at a time."""
        async with self._beating:
            started: list[_Started] = []
            try:
                await asyncio.to_thread(self._record_late)
                started = await asyncio.to_thread(self._start_due)
            except Exception:  # noqa: BLE001  # a busy or absent database: the next tick tries again
                _log.exception("tick_failed")
            for each in started:
                self._find_lane(each.run.job).put_nowait(each)
            self._ticked_at = time.monotonic()
            return len(started)

    def _find_lane(self, job: str) -> asyncio.Queue[_Started]:
        return next(
            (lane for names, lane in zip(self.lanes, self._lanes[1:], strict=True) if job in names), self._lanes[0]
        )

    def _tick_anew(self) -> None:
        """The timer waits for a time of day, which is far ahead once the clock was put back."""
        if self._timer is not None:
            self._timer.modify_job(_TICK, next_run_time=self.clocks.wall())

    def _stand_still(self) -> None:
        _log.critical("scheduler_stands_still")
        self.on_stale()

    async def _work(self, lane: asyncio.Queue[_Started]) -> None:
        while True:
            started = await lane.get()
            if not self._is_stopping:
                await self._run(started)
            lane.task_done()

    async def _run(self, started: _Started) -> None:
        error = await asyncio.to_thread(self._run_job, started)
        ended = _Ended(started, error)
        try:
            await asyncio.to_thread(self._record, ended)
        except Exception:  # noqa: BLE001  # a busy or absent database: the next tick tries again
            _log.exception("run_not_recorded", job=started.run.job)
            self._unrecorded.append(ended)
        self.on_run()

    def _run_job(self, started: _Started) -> str:
        """Run the job; "" or why it failed."""
        run = started.run
        with bound_contextvars(job=run.job, workspace=run.workspace_id, occurrence=run.occurrence.isoformat()):
            began = time.monotonic()
            error = self._call(started)
            metrics.JOB_SECONDS.labels(run.job).observe(time.monotonic() - began)
            metrics.JOB_RUNS.labels(run.job, _name_outcome(error)).inc()
            return error

    def _call(self, started: _Started) -> str:
        """Behind a fence, so that a run which another process has taken over meanwhile writes nothing more."""
        run, job = started.run, self.jobs.get(started.run.job)
        if job is None:
            return f"there is no job {run.job}"
        try:
            behind_fence = self.database.fenced(LeaseFence(SCHEDULER, started.epoch))
            report = job(behind_fence, run.workspace_id, run.moment)
        except LeaseLostError:
            _log.warning("job_taken_over")
            return _TAKEN_OVER
        except Exception as error:  # noqa: BLE001  # an edge: the run is marked, the others go on
            _log.exception("job_failed")
            return f"{type(error).__name__}: {error}"
        _log.info("job_done", **report.counts)
        return ""

    def _start_due(self) -> list[_Started]:
        epoch = self._renew()
        self._is_acting = epoch is not None
        metrics.LEASE.set(float(self._is_acting))
        if epoch is None or self._is_stopping:
            return []
        with self.database.read() as session:
            workspaces = list_workspaces(session)
        now = self.clocks.business()
        if (
            epoch != self._epoch or now < self._latest
        ):  # another process may have made other schedules; the clock jumped
            self._ensured = {}
        self._epoch, self._latest = epoch, now
        runs = [run for row in workspaces if not row.is_paused for run in self._start_in(row.id, now, epoch)]
        for run in runs:
            metrics.JOB_LAG.labels(run.job).set((now - run.occurrence).total_seconds())
        return [_Started(run, epoch) for run in runs]

    def _start_in(self, workspace_id: str, now: datetime, epoch: int) -> list[Run]:
        self._ensure(workspace_id, now, epoch)
        with self.database.reading(workspace_id) as tx:
            if not has_due(tx, now, epoch):
                return []
        with self.database.writing(workspace_id) as tx:
            return start_due(tx, now, epoch) if self._holds(tx, epoch) else []

    def _ensure(self, workspace_id: str, now: datetime, epoch: int) -> None:
        """Bring the schedules up to date when people or their times changed since this process last did."""
        with self.database.reading(workspace_id) as tx:
            wanted = wanted_rhythms(tx)
        if self._ensured.get(workspace_id) == wanted:
            return
        with self.database.writing(workspace_id) as tx:
            if self._holds(tx, epoch):
                ensure_schedules(tx, now)
                self._ensured[workspace_id] = wanted

    def _record_late(self) -> None:
        """Write down what could not be written when it ended."""
        while self._unrecorded:
            self._record(self._unrecorded[0])
            del self._unrecorded[0]

    def _record(self, ended: _Ended) -> None:
        run, epoch = ended.started.run, ended.started.epoch
        with self.database.writing(run.workspace_id) as tx:
            if not self._holds(tx, epoch):
                return
            if ended.error:
                fail_run(tx, run, epoch, self.clocks.business(), ended.error)
            else:
                finish_run(tx, run, epoch, self.clocks.business())

    def _renew(self) -> int | None:
        with self.database.write() as session:
            now = read_clock(session, self.clocks.wall())
            return acquire(session, SCHEDULER, self._holder, now, self.lease_seconds)

    def _holds(self, tx: Tx, epoch: int) -> bool:
        return is_held(tx.session, SCHEDULER, self._holder, epoch, self.lease_seconds)

    def _release(self) -> None:
        with self.database.write() as session:
            now = read_clock(session, self.clocks.wall())
            release(session, SCHEDULER, self._holder, now, self.lease_seconds)
