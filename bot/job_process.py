"""Long jobs in a process of their own: what computes for minutes there cannot hold up answers to people here, as it
would in a thread (CPython computes in one thread at a time).

Owns the process: begun with the first long job, one job at a time, gone when this process goes, and let go after a
while without work, so that a small team pays no memory for it. Refuses to know when a job is due.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.context import SpawnContext
from multiprocessing.process import parent_process
from typing import Any

from structlog.contextvars import bound_contextvars, get_contextvars

from bot.logs import configure_logs
from bot.registry import JOBS, Job
from bot.settings import Settings
from bot.wiring import keep_answers_quick
from pipeline.report import JobReport
from storage.db import Database, Fence
from storage.errors import LeaseLostError

KEEP_SECONDS = 600.0
GAP_SECONDS = 0.005
"""How long the process lets others write after each of its writes, on SQLite (see `storage.db`)."""


class JobEndedError(Exception):
    """The process of a job ended before the job was done: killed, out of memory, or shut down."""


class JobFailedError(Exception):
    """A job failed in its process; the cause holds the traceback from there. (An error of any other class might not
    survive the way from process to process.)
    """


@dataclass(frozen=True)
class _Order:
    """What the process is to run."""

    name: str
    workspace_id: str
    now: datetime
    fence: Fence | None


@dataclass
class JobProcess:
    """The process for long jobs of one bot.

    Args:
        keep_seconds: how long an idle process is kept.
    """

    settings: Settings
    keep_seconds: float = KEEP_SECONDS
    _pool: ProcessPoolExecutor | None = field(init=False, default=None)
    _letting_go: threading.Timer | None = field(init=False, default=None)
    _guard: threading.Lock = field(init=False, default_factory=threading.Lock)
    _one_at_a_time: threading.Lock = field(init=False, default_factory=threading.Lock)
    _is_closed: bool = field(init=False, default=False)

    def wrap(self, jobs: Mapping[str, Job], names: Collection[str]) -> dict[str, Job]:
        """`jobs`, where those of `names` run in the process. They write to its database, not the caller's, behind the
        same fence; that must be one that can be sent to another process.
        """
        return {name: self._as_job(name) if name in names else job for name, job in jobs.items()}

    def run(self, name: str, workspace_id: str, now: datetime, fence: Fence | None = None) -> JobReport:
        """Run the job of that name in `bot.registry`, and wait. Raises `JobFailedError`, `JobEndedError`, or
        `LeaseLostError` where the fence was closed.
        """
        with self._one_at_a_time:
            try:
                return self._submit(_Order(name, workspace_id, now, fence)).result()
            except BrokenProcessPool as error:
                self._let_go()
                raise JobEndedError("its process ended before it was done") from error
            finally:
                self._let_go_later()

    def close(self) -> None:
        """End the process, whatever it does; a job under way there ends with `JobEndedError` here."""
        self._is_closed = True
        with self._guard:
            pool = self._pool
        for process in list(_processes(pool)):
            process.kill()
        self._let_go()

    def _as_job(self, name: str) -> Job:
        def run(database: Database, workspace_id: str, now: datetime) -> JobReport:
            return self.run(name, workspace_id, now, database.fence)

        return run

    def _submit(self, order: _Order) -> Future[JobReport]:
        with self._guard:
            if self._is_closed:
                raise JobEndedError("Milepost is stopping")
            if self._letting_go is not None:
                self._letting_go.cancel()
            if self._pool is None:
                self._pool = _open_pool(self.settings)
            return self._pool.submit(_run, order, get_contextvars())

    def _let_go_later(self) -> None:
        with self._guard:
            self._letting_go = threading.Timer(self.keep_seconds, self._let_go)
            self._letting_go.daemon = True
            self._letting_go.start()

    def _let_go(self) -> None:
        with self._guard:
            pool, self._pool = self._pool, None
            if self._letting_go is not None:
                self._letting_go.cancel()
        if pool is not None:
            pool.shutdown(wait=False)


@contextmanager
def open_job_process(settings: Settings) -> Iterator[JobProcess]:
    """A process for long jobs, which ends with the block."""
    jobs = JobProcess(settings)
    try:
        yield jobs
    finally:
        jobs.close()


@contextmanager
def open_job_processes(
    settings: Settings, jobs: Mapping[str, Job], lanes: Iterable[Collection[str]]
) -> Iterator[Mapping[str, Job]]:
    """`jobs`, where those of each lane run in a process of the lane's, all of which end with the block."""
    with ExitStack() as stack:
        for names in lanes:
            jobs = stack.enter_context(open_job_process(settings)).wrap(jobs, names)
        yield jobs


def _open_pool(settings: Settings) -> ProcessPoolExecutor:
    """Spawned, not forked: a copy of a process with threads and open databases is not sound."""
    context: SpawnContext = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(settings,))


def _processes(pool: ProcessPoolExecutor | None) -> list[Any]:
    """The processes of a pool, which has no public way to end one that is busy before Python 3.14."""
    return list((getattr(pool, "_processes", None) or {}).values())


# ---------------------------------------------------------------- in the process


_databases: list[Database] = []


def _begin(settings: Settings) -> None:
    """Get ready: the log goes where the bot's goes; signals are the bot's affair, and so is the end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    configure_logs(settings)
    keep_answers_quick()  # a full collection in the middle of a write is waited for by people there
    _databases.append(Database(settings.database_url, gap_seconds=GAP_SECONDS))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(order: _Order, context: Mapping[str, Any]) -> JobReport:
    with bound_contextvars(**context):
        try:
            return JOBS[order.name](_databases[0].fenced(order.fence), order.workspace_id, order.now)
        except LeaseLostError:
            raise
        except Exception as error:
            raise JobFailedError(f"{type(error).__name__}: {error}") from error
