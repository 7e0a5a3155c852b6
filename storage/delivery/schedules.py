"""Due work as rows, and each occurrence run once. Owns what is due and what became of it; the right to act on it is
`storage.delivery.leases`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, update
from sqlmodel import Field, Session, SQLModel, UniqueConstraint, col, delete, select

from rules.delivery.schedules import Rhythm, is_same_day, latest_occurrence, next_occurrence
from storage.db import Tx
from storage.delivery.leases import SCHEDULER, LeaseRow
from storage.fields import key, moment, workspace
from storage.people.team import get_team_time, list_working_times
from storage.people.workspaces import WorkspaceRow
from storage.upsert import upsert

MOST_ATTEMPTS = 3
AGAIN_AFTER = timedelta(minutes=5)
"""A run that failed is tried again after so long, times its attempts (business time)."""


class ScheduleRow(SQLModel, table=True):
    """What runs when: `job` daily at `at_time` ("06:00") in `zone`, or every `every_minutes`. `next_at` is business
    time, `audience` the zone and time of the people it is for ("" for the workspace).
    """

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("workspace_id", "audience", "job"),)

    id: str = key()
    workspace_id: str = workspace()
    job: str
    audience: str = ""
    zone: str = "UTC"
    at_time: str = "06:00"
    every_minutes: int = 0
    next_at: datetime = moment(index=True)

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(self.zone, self.at_time, self.every_minutes)


class ScheduleRunRow(SQLModel, table=True):
    """One occurrence of a schedule: started (business time), and finished when it was done. `epoch` is that of the
    scheduler's lease under which it was last started; 0 when it failed and waits for `retry_at`.
    """

    __tablename__ = "schedule_runs"

    workspace_id: str = workspace()
    schedule_id: str = Field(foreign_key="schedules.id", primary_key=True, ondelete="CASCADE")
    occurrence: datetime = moment(primary_key=True)
    started_at: datetime = moment()
    finished_at: datetime | None = moment(default=None, nullable=True)
    attempts: int = 1
    epoch: int = 0
    retry_at: datetime | None = moment(default=None, nullable=True)
    error: str = ""


@dataclass(frozen=True)
class Run:
    """An occurrence that the caller must run now. `moment` is what the job takes for the present: the occurrence, also
    where that is past; but the true minute for what is said on people's morning, so that nobody is told anything after
    work that was due before it.
    """

    workspace_id: str
    schedule_id: str
    job: str
    audience: str
    occurrence: datetime
    moment: datetime


# (job, daily at, or every so many minutes), in the workspace's zone.
DAILY = "daily"
FIXED = ((DAILY, "06:00", 0), ("wake", "00:00", 5), ("cleanup", "03:30", 0))
CHECKINS, DIGEST, RENEWALS = "checkins", "digest", "renewals"
_MORNING_JOBS = frozenset({CHECKINS, DIGEST})
"""What is said on people's morning; once that day is over there, it is not made up for."""
_OF_NOW = _MORNING_JOBS | {RENEWALS}
"""What tells people how things stand: it waits for the daily job that was due before it, and looks at the true time
to see whether it may still speak.
"""

Wanted = dict[tuple[str, str], Rhythm]
"""Rhythms by (job, audience)."""


def wanted_rhythms(tx: Tx) -> Wanted:
    """What the workspace's schedules should be, by (job, audience), in two queries.

    Check-ins and digests run once for all people who begin, or get their digest, at the same time of the same zone;
    that is their audience ("Europe/Berlin 09:00"). What goes to channels is at the workspace's own time.
    """
    team = get_team_time(tx)
    wanted = {(job, ""): Rhythm(team.zone, at_time, minutes) for job, at_time, minutes in FIXED}
    wanted[RENEWALS, ""] = Rhythm(team.zone, f"{team.digest_at:%H:%M}")
    times = [*list_working_times(tx).values(), team]
    for job, each in ((CHECKINS, "work_from"), (DIGEST, "digest_at")):
        for zone, at in {(time.zone, getattr(time, each)) for time in times}:
            rhythm = Rhythm(zone, f"{at:%H:%M}")
            wanted[job, f"{rhythm.zone} {rhythm.at_time}"] = rhythm
    return wanted


def ensure_schedules(tx: Tx, now: datetime) -> None:
    """Make the workspace's schedules what `wanted_rhythms` says: missing ones begin with their next occurrence after
    `now` (business time), a changed one is due anew, one that nobody needs any more is removed with its runs. One that
    ran ahead, because the clock was put back since, is due when its time comes (again).
    """
    wanted = wanted_rhythms(tx)
    query = select(ScheduleRow).where(ScheduleRow.workspace_id == tx.workspace_id)
    known = {(row.job, row.audience): row for row in tx.session.exec(query)}
    for name, row in known.items():
        if name not in wanted:
            tx.session.delete(row)
        elif row.rhythm != wanted[name] or row.next_at > next_occurrence(row.rhythm, now):
            _change(row, wanted[name], now)
    _forget_ahead(tx, [row.id for row in known.values() if row.every_minutes], now)
    missing = [_begin(tx, *name, rhythm, now) for name, rhythm in wanted.items() if name not in known]
    upsert(tx, ScheduleRow, missing, keys=["workspace_id", "audience", "job"])
    tx.session.flush()


def _change(row: ScheduleRow, rhythm: Rhythm, now: datetime) -> None:
    row.zone, row.at_time, row.every_minutes = rhythm.zone, rhythm.at_time, rhythm.every_minutes
    row.next_at = next_occurrence(rhythm, now)


def _forget_ahead(tx: Tx, schedules: list[str], now: datetime) -> None:
    """What runs every few minutes runs anew in an hour that comes again; what runs daily had its day."""
    statement = delete(ScheduleRunRow).where(
        col(ScheduleRunRow.workspace_id) == tx.workspace_id,
        col(ScheduleRunRow.schedule_id).in_(schedules),
        col(ScheduleRunRow.occurrence) > now,
        col(ScheduleRunRow.finished_at).is_not(None),
    )
    tx.session.connection().execute(statement)


def _begin(tx: Tx, job: str, audience: str, rhythm: Rhythm, now: datetime) -> dict[str, object]:
    """The columns of a new schedule of the workspace."""
    return ScheduleRow(
        workspace_id=tx.workspace_id,
        job=job,
        audience=audience,
        zone=rhythm.zone,
        at_time=rhythm.at_time,
        every_minutes=rhythm.every_minutes,
        next_at=next_occurrence(rhythm, now),
    ).model_dump()


def next_due(session: Session) -> datetime | None:
    """The next business time at which a daily schedule is due in any workspace that is not paused. What runs every few
    minutes only looks for work of others, and is not waited for.
    """
    query = select(ScheduleRow.workspace_id, ScheduleRow.next_at).join(
        WorkspaceRow, col(WorkspaceRow.id) == col(ScheduleRow.workspace_id)
    )
    query = query.where(col(WorkspaceRow.is_paused).is_(other=False), ScheduleRow.every_minutes == 0)
    found = session.exec(query.order_by(col(ScheduleRow.next_at)).limit(1)).first()
    return None if found is None else found[1]


def has_due(tx: Tx, now: datetime, epoch: int) -> bool:
    """Whether `start_due` would find something: a read, so that idle ticks never take the writer's turn."""
    due = select(ScheduleRow.id).where(*_is_due(tx, now, epoch))
    left = select(ScheduleRunRow.schedule_id).where(*_left_behind(tx, now, epoch))
    return any(tx.session.exec(query.limit(1)).first() is not None for query in (due, left))


def start_due(tx: Tx, now: datetime, epoch: int) -> list[Run]:
    """Start what is due at business time `now`, under the scheduler lease's `epoch`, oldest occurrence first.

    Several missed occurrences of a schedule become one, the latest; a digest or check-ins of a day that is over are
    left out; a schedule whose last run is still under way waits, and so does what tells of the daily job's results
    while that is not done. A run left unfinished under an earlier epoch (its
    process is gone), or that failed a while ago, starts again, at most `MOST_ATTEMPTS` times in all.
    """
    runs = [*_restart(tx, now, epoch), *_start_new(tx, now, epoch)]
    return sorted(runs, key=lambda run: (run.occurrence, run.job, run.audience))


def list_under_way(tx: Tx, job: str, since: datetime) -> list[datetime]:
    """The occurrences of a job whose runs are under way: begun after `since` (business time), under the scheduler's
    lease as it stands, neither done nor failed. Those of a process that died are here until another takes the lease.
    """
    epoch = select(LeaseRow.epoch).where(LeaseRow.name == SCHEDULER).scalar_subquery()
    query = (
        select(ScheduleRunRow.occurrence)
        .join(ScheduleRow, col(ScheduleRow.id) == col(ScheduleRunRow.schedule_id))
        .where(ScheduleRow.workspace_id == tx.workspace_id, ScheduleRow.job == job)
        .where(ScheduleRunRow.workspace_id == tx.workspace_id, col(ScheduleRunRow.finished_at).is_(None))
        .where(ScheduleRunRow.started_at > since, col(ScheduleRunRow.epoch) == epoch)
    )
    return list(tx.session.exec(query))


def finish_run(tx: Tx, run: Run, epoch: int, now: datetime, error: str = "") -> bool:
    """The run is done, with an error or without; False if another scheduler has taken it over meanwhile."""
    statement = update(ScheduleRunRow).where(
        *_is_run(tx, run), col(ScheduleRunRow.epoch) == epoch, col(ScheduleRunRow.finished_at).is_(None)
    )
    return tx.session.connection().execute(statement.values(finished_at=now, error=error)).rowcount == 1


def fail_run(tx: Tx, run: Run, epoch: int, now: datetime, error: str) -> bool:
    """The run failed: it is tried again later, unless it was tried often enough or runs every few minutes anyway.
    False if another scheduler has taken it over meanwhile.
    """
    query = (
        select(ScheduleRunRow, ScheduleRow)
        .join(ScheduleRow, col(ScheduleRow.id) == col(ScheduleRunRow.schedule_id))
        .where(ScheduleRow.workspace_id == tx.workspace_id, *_is_run(tx, run))
        .where(ScheduleRunRow.epoch == epoch, col(ScheduleRunRow.finished_at).is_(None))
    )
    found = tx.session.exec(query.with_for_update()).first()
    if found is None:
        return False
    row, schedule = found
    row.error = error
    if row.attempts >= MOST_ATTEMPTS or schedule.every_minutes:
        row.finished_at = now
    else:
        row.epoch, row.retry_at = 0, now + row.attempts * AGAIN_AFTER
    tx.session.flush()
    return True


def forget_runs(tx: Tx, before: datetime) -> int:
    """Delete finished runs of occurrences before a moment. Returns how many."""
    statement = delete(ScheduleRunRow).where(
        col(ScheduleRunRow.workspace_id) == tx.workspace_id,
        col(ScheduleRunRow.occurrence) < before,
        col(ScheduleRunRow.finished_at).is_not(None),
    )
    return tx.session.connection().execute(statement).rowcount


def list_failures(tx: Tx, limit: int = 20) -> list[ScheduleRunRow]:
    """The latest runs that ended with an error, newest first, for the doctor."""
    query = select(ScheduleRunRow).where(ScheduleRunRow.workspace_id == tx.workspace_id, ScheduleRunRow.error != "")
    return list(tx.session.exec(query.order_by(col(ScheduleRunRow.occurrence).desc()).limit(limit)))


def _start_new(tx: Tx, now: datetime, epoch: int) -> list[Run]:
    query = select(ScheduleRow).where(*_is_due(tx, now, epoch)).order_by(col(ScheduleRow.id))
    runs: list[Run] = []
    for row in sorted(tx.session.exec(query.with_for_update()), key=lambda row: row.job != DAILY):
        if row.job in _OF_NOW and any(run.job == DAILY for run in runs):
            continue
        occurrence = max(row.next_at, latest_occurrence(row.rhythm, now))
        row.next_at = next_occurrence(row.rhythm, now)
        if _is_over(row, occurrence, now):
            continue
        started = {"schedule_id": row.id, "occurrence": occurrence, "started_at": now, "epoch": epoch}
        if upsert(tx, ScheduleRunRow, [started], keys=["schedule_id", "occurrence"]):
            runs.append(_run(row, occurrence, now))
    return runs


def _restart(tx: Tx, now: datetime, epoch: int) -> list[Run]:
    query = (
        select(ScheduleRunRow, ScheduleRow)
        .join(ScheduleRow, col(ScheduleRow.id) == col(ScheduleRunRow.schedule_id))
        .where(ScheduleRow.workspace_id == tx.workspace_id, *_left_behind(tx, now, epoch))
        .order_by(col(ScheduleRunRow.schedule_id), col(ScheduleRunRow.occurrence))
    )
    runs = []
    for row, schedule in tx.session.exec(query.with_for_update()).all():
        row.epoch = epoch
        if _is_over(schedule, row.occurrence, now):
            row.finished_at, row.error = now, "its process ended, and the day it was for is over"
            continue
        if row.attempts >= MOST_ATTEMPTS:
            row.finished_at = now
            row.error = row.error or f"its process ended {row.attempts} times before it was done"
            continue
        row.attempts += 1
        runs.append(_run(schedule, row.occurrence, now))
    return runs


def _run(row: ScheduleRow, occurrence: datetime, now: datetime) -> Run:
    moment = now.replace(second=0, microsecond=0) if row.job in _OF_NOW else occurrence
    return Run(row.workspace_id, row.id, row.job, row.audience, occurrence, moment)


def _is_over(row: ScheduleRow, occurrence: datetime, now: datetime) -> bool:
    """Whether an occurrence was for a day that has ended for its people."""
    return row.job in _MORNING_JOBS and not is_same_day(row.rhythm, occurrence, now)


def _is_due(tx: Tx, now: datetime, epoch: int) -> tuple[ColumnElement[bool], ...]:
    """Schedules whose time has come, whose last run is not under way, and that need not wait for the daily job."""
    unfinished = (col(ScheduleRunRow.workspace_id) == tx.workspace_id, col(ScheduleRunRow.finished_at).is_(None))
    under_way = exists().where(
        *unfinished, col(ScheduleRunRow.schedule_id) == col(ScheduleRow.id), col(ScheduleRunRow.epoch) == epoch
    )
    dailies = select(ScheduleRow.id).where(ScheduleRow.workspace_id == tx.workspace_id, ScheduleRow.job == DAILY)
    is_daily_open = exists().where(*unfinished, col(ScheduleRunRow.schedule_id).in_(dailies))
    return (
        col(ScheduleRow.workspace_id) == tx.workspace_id,
        col(ScheduleRow.next_at) <= now,
        ~under_way,
        col(ScheduleRow.job).not_in(_OF_NOW) | ~is_daily_open,
    )


def _left_behind(tx: Tx, now: datetime, epoch: int) -> tuple[ColumnElement[bool], ...]:
    """Not finished, and either started under an earlier lease, or failed and to be tried again by now."""
    retry_at = col(ScheduleRunRow.retry_at)
    return (
        col(ScheduleRunRow.workspace_id) == tx.workspace_id,
        col(ScheduleRunRow.finished_at).is_(None),
        col(ScheduleRunRow.epoch) < epoch,
        retry_at.is_(None) | (retry_at <= now),
    )


def _is_run(tx: Tx, run: Run) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ScheduleRunRow.workspace_id) == tx.workspace_id,
        col(ScheduleRunRow.schedule_id) == run.schedule_id,
        col(ScheduleRunRow.occurrence) == run.occurrence,
    )
