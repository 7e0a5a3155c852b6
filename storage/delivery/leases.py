"""Named rights of which one process at a time has one, e.g. to act as the scheduler. Owns the lease rows; they belong
to the process, not to a workspace. Moments are wall time (see `storage.clock`).

The row is locked until the transaction ends. On PostgreSQL that would keep everybody from taking over for as long as a
process is stopped in the middle: so the server ends a transaction that has the row and says nothing for as long as the
lease lasts, and with it the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, select

from storage.errors import LeaseLostError
from storage.fields import moment, table_of

SCHEDULER = "scheduler"
"""The lease of who starts and runs jobs."""


class LeaseRow(SQLModel, table=True):
    """A named right held by one process until `expires_at` (wall time); `epoch` grows with each holder."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    epoch: int = 1
    expires_at: datetime = moment()


def acquire(session: Session, name: str, holder: str, now: datetime, seconds: float) -> int | None:
    """Take or renew the lease for `seconds`; its epoch, or None while another holds it.

    An expiry further ahead than any lease comes from a clock that was put back, and counts as past.
    """
    until = now + timedelta(seconds=seconds)
    _limit_silence(session, seconds)
    _ensure_row(session, name, now)
    row = session.exec(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).one()
    is_free = row.expires_at <= now or row.expires_at > now + timedelta(seconds=2 * seconds)
    if row.holder != holder:
        if not is_free:
            return None
        row.holder, row.epoch = holder, row.epoch + 1
    row.expires_at = until
    session.flush()
    return row.epoch


def is_held(session: Session, name: str, holder: str, epoch: int, seconds: float) -> bool:
    """Whether nobody else has taken the lease of so many seconds; it stays so until the transaction ends. For use
    inside each write.
    """
    _limit_silence(session, seconds)
    row = session.exec(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).first()
    return row is not None and (row.holder, row.epoch) == (holder, epoch)


def release(session: Session, name: str, holder: str, now: datetime, seconds: float) -> None:
    """Let another process take over at once, of a lease of so many seconds."""
    _limit_silence(session, seconds)
    row = session.exec(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).first()
    if row is not None and row.holder == holder:
        row.expires_at = now


@dataclass(frozen=True)
class LeaseFence:
    """Lets transactions be committed while nobody else has taken the lease since `epoch`: a fence for
    `storage.db.Database.fenced`. It may go to another process.

    It reads the lease's row and does not lock it: a process that is stopped in the middle of a transaction would
    otherwise keep everybody from taking over, who would wait for its lock. On SQLite that leaves nothing open, as one
    writes at a time. On PostgreSQL it leaves the moment between this read and the commit: a process stopped just there
    commits this one transaction when it wakes, whoever has the lease by then, and not the next one. Jobs bear that, for
    each of their transactions is whole in itself, decides on rows as they stand in it, and changes nothing when it is
    repeated: a taker that comes by before or after finds it done, or waits for the rows that it locks.
    """

    name: str
    epoch: int

    def __call__(self, session: Session) -> None:
        """Raises `LeaseLostError` when the lease is another's."""
        epoch = session.exec(select(LeaseRow.epoch).where(LeaseRow.name == self.name)).first()
        if epoch != self.epoch:
            raise LeaseLostError


def _ensure_row(session: Session, name: str, now: datetime) -> None:
    is_postgres = session.get_bind().dialect.name == "postgresql"
    statement = (postgresql.insert if is_postgres else sqlite.insert)(table_of(LeaseRow))
    row = {"name": name, "holder": "", "epoch": 0, "expires_at": now}
    session.connection().execute(statement.values(row).on_conflict_do_nothing(index_elements=["name"]))


def _limit_silence(session: Session, seconds: float) -> None:
    """For this transaction; a process that is silent for so long in it has lost the lease in any case."""
    if session.get_bind().dialect.name == "postgresql":
        most = max(1, int(seconds * 1000))  # 0 would mean for ever
        session.connection().execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {most}"))
