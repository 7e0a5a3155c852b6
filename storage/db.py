"""Engines, pragmas and transactions. Owns how a transaction begins, waits and ends on SQLite and
PostgreSQL; refuses to know any table.

SQLAlchemy's default transactions lose updates on SQLite (it begins none before a SELECT), so writers
issue BEGIN IMMEDIATE themselves and readers use an engine that cannot write.

SQLite runs with a write-ahead log, so that nobody who reads waits for a commit, nor a commit for who reads. Before
3.51.3, SQLite can corrupt such a database when checkpoints and a commit race on several connections. There, no
connection checkpoints by itself: `write()` does it now and then on a second connection, while an empty write
transaction holds the database's writer lock, so that no commit and no other checkpoint, of any process, is under way.

Writers of one process queue (`storage.turns`), people before jobs. Between processes SQLite has no queue: who wants to
write asks every millisecond or two, and a process that does nothing but jobs leaves a gap after each of its
transactions (`gap_seconds`), in which the others come in.
"""

from __future__ import annotations

import copy
import itertools
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from storage.errors import BusyError, CutOffError, FullError
from storage.turns import Turns

JOB_WAIT_SECONDS = 10.0
PERSON_WAIT_SECONDS = 1.0
SILENT_SECONDS = 60.0
_WAL_FIXED = ((3, 44, 6), (3, 50, 7))
_COMMITS_PER_CHECKPOINT = 20
_POOL_SIZE = 10
"""Connections kept: as many as threads that answer people, and some for jobs. Beyond it they are made and closed each
time."""
_ASK_AGAIN_SECONDS = (0.0005, 0.002)
"""SQLite's own busy handler soon sleeps for 100 ms at a time, and misses gaps that are shorter."""

Fence = Callable[[Session], None]
"""Asked at the end of a transaction whether it may be committed; raises if not."""


@dataclass(frozen=True)
class Tx:
    """One open transaction, in one workspace. Every query and write takes it and stays inside it."""

    session: Session
    workspace_id: str

    @property
    def is_postgres(self) -> bool:
        """Whether the database is PostgreSQL (else SQLite)."""
        return self.session.get_bind().dialect.name == "postgresql"


def is_wal_safe(version: tuple[int, int, int]) -> bool:
    """Whether SQLite `version` has the WAL-reset corruption fix: 3.51.3, 3.50.7 or 3.44.6 and later patches."""
    if version >= (3, 51, 3):
        return True
    return any(version[:2] == fixed[:2] and version >= fixed for fixed in _WAL_FIXED)


def _is_wal_safe_here() -> bool:
    return is_wal_safe(sqlite3.sqlite_version_info[:3])


@dataclass
class Database:
    """One database behind a URL (`sqlite:///path` or `postgresql+psycopg://...`).

    `read()` and `write()` give sessions for all workspaces; `reading(ws)` and `writing(ws)` give a `Tx`.
    `gap_seconds` is how long this process lets others write after each of its writes, on SQLite. After `silent_seconds`
    without a word in a writing transaction PostgreSQL ends it and the connection: a process that was stopped there
    would keep the rows it locked from all others. What is written behind a `fence` (see `fenced`) is committed only if
    that lets it.
    """

    url: str
    gap_seconds: float = 0.0
    silent_seconds: float = SILENT_SECONDS
    is_sqlite: bool = field(init=False)
    fence: Fence | None = field(init=False, repr=False, default=None)
    _writer: Engine = field(init=False, repr=False)
    _reader: Engine = field(init=False, repr=False)
    _turns: Turns = field(init=False, repr=False, default_factory=Turns)
    _commits: Iterator[int] = field(init=False, repr=False, default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.is_sqlite = make_url(self.url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_parent(self.url)
            self._writer = _sqlite_engine(self.url, is_writer=True)
            self._reader = _sqlite_engine(self.url, is_writer=False)
        else:
            self._writer = self._reader = create_engine(self.url, pool_pre_ping=True, pool_size=_POOL_SIZE)

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and inspection."""
        return self._writer

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write; never waits for a writer's BEGIN IMMEDIATE."""
        with Session(self._reader, expire_on_commit=False) as session:
            if not self.is_sqlite:
                session.execute(text("SET TRANSACTION READ ONLY"))
            yield session  # closing rolls back and, unlike rollback(), leaves the rows read usable

    @contextmanager
    def write(self, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises.

        Raises `BusyError` if no writer's turn (on PostgreSQL: the turn at a row) came within `wait_seconds`,
        `FullError` if the disk is full, `CutOffError` if the connection broke.
        """
        until = time.monotonic() + wait_seconds
        with self._writers_turn(wait_seconds):
            with _in_plain_words(), Session(self._writer, expire_on_commit=False) as session:
                self._begin(session, until - time.monotonic())
                try:
                    yield session
                    self._pass_fence(session)
                    session.commit()
                except BaseException:
                    session.rollback()
                    raise
            if wait_seconds > PERSON_WAIT_SECONDS:  # a person's answer waits for no checkpoint
                self._checkpoint_now_and_then()
        self._leave_gap()

    @contextmanager
    def reading(self, workspace_id: str) -> Iterator[Tx]:
        """`read()` inside one workspace."""
        with self.read() as session:
            yield Tx(session, workspace_id)

    @contextmanager
    def writing(self, workspace_id: str, *, wait_seconds: float = JOB_WAIT_SECONDS) -> Iterator[Tx]:
        """`write()` inside one workspace."""
        with self.write(wait_seconds=wait_seconds) as session:
            yield Tx(session, workspace_id)

    def fenced(self, fence: Fence | None) -> Self:
        """This database with a fence before each of its commits; None for no fence. It shares the connections, and is
        not closed by itself.
        """
        view = copy.copy(self)
        view.fence = fence
        return view

    def close(self) -> None:
        """Give all connections back."""
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _writers_turn(self, wait_seconds: float) -> Iterator[None]:
        """Queue this process's writers in the process, people first: whoever asks SQLite anew and anew would hardly get
        in beside a job that writes page after page.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._turns.take(wait_seconds, is_first=wait_seconds <= PERSON_WAIT_SECONDS):
            raise BusyError
        try:
            yield
        finally:
            self._turns.give_back()

    def _checkpoint_now_and_then(self) -> None:
        """Bring the log into the database, so that the next writer starts it anew. The caller has the writer's turn."""
        if next(self._commits) % _COMMITS_PER_CHECKPOINT or not self.is_sqlite or _is_wal_safe_here():
            return
        with (
            suppress(OperationalError),
            self._writer.execution_options(wait_seconds=0.0).begin(),
        ):  # another process writes: next time
            connection = self._reader.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()

    def _begin(self, session: Session, wait_seconds: float) -> None:
        if self.is_sqlite:
            session.connection(execution_options={"wait_seconds": wait_seconds})
        else:
            limits = {"lock_timeout": wait_seconds, "idle_in_transaction_session_timeout": self.silent_seconds}
            said = (f"SET LOCAL {name} = {max(1, int(limit * 1000))}" for name, limit in limits.items())
            session.execute(text("; ".join(said)))

    def _pass_fence(self, session: Session) -> None:
        """Once all of the transaction was sent, so that little time is left between the fence and the commit."""
        if self.fence is not None:
            session.flush()
            self.fence(session)

    def _leave_gap(self) -> None:
        if self.gap_seconds and self.is_sqlite:
            threading.Event().wait(self.gap_seconds)


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """What a person can do something about, said so that they can."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        if "locked" in said or "lock timeout" in said:
            raise BusyError from error
        if "disk is full" in said or "No space left" in said:
            raise FullError from error
        if error.connection_invalidated:
            raise CutOffError from error
        raise


def _make_parent(url: str) -> None:
    name = make_url(url).database
    if name and name != ":memory:":
        Path(name).parent.mkdir(parents=True, exist_ok=True)


def _sqlite_engine(url: str, *, is_writer: bool) -> Engine:
    waits = {"timeout": JOB_WAIT_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=waits, pool_size=_POOL_SIZE, pool_use_lifo=True)
    pragmas = ["journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=10000"]
    if not _is_wal_safe_here():
        pragmas.append("wal_autocheckpoint=0")

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        if is_writer:
            connection.execute("PRAGMA busy_timeout=0")  # the waiting is done in `_begin_writing`
        else:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if is_writer:
            _begin_writing(connection, connection.get_execution_options().get("wait_seconds", JOB_WAIT_SECONDS))
        else:
            connection.connection.cursor().execute("BEGIN")  # past SQLAlchemy, which takes ten times as long for it

    return engine


def _begin_writing(connection: Connection, wait_seconds: float) -> None:
    """BEGIN IMMEDIATE, asked for until the lock is free or the time is over."""
    driver = connection.connection.driver_connection
    until = time.monotonic() + wait_seconds
    pause = threading.Event()
    while isinstance(driver, sqlite3.Connection) and time.monotonic() < until:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
            pause.wait(random.uniform(*_ASK_AGAIN_SECONDS))
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last time; SQLAlchemy gives an error its usual shape
