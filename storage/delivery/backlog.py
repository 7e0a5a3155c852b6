"""How delivery and the scheduler stand: what waits, what died, what is late. Owns those counts; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from storage.db import Tx
from storage.delivery.outbox import OutboxRow
from storage.delivery.schedules import ScheduleRow, ScheduleRunRow

_WAITING = ("queued", "sending", "uncertain")


@dataclass(frozen=True)
class Backlog:
    """Messages that wait (and since when, business time), and dead ones with the errors they died of."""

    waiting: int
    oldest: datetime | None
    dead: int
    errors: tuple[str, ...]


def read_backlog(tx: Tx) -> Backlog:
    """The outbox as it stands."""
    mine = OutboxRow.workspace_id == tx.workspace_id
    waiting = select(func.count(), func.min(OutboxRow.created_at)).where(mine, col(OutboxRow.state).in_(_WAITING))
    count, oldest = tx.session.exec(waiting).one()
    is_dead = OutboxRow.state == "dead"
    dead = tx.session.exec(select(func.count()).select_from(OutboxRow).where(mine, is_dead)).one()
    errors = tx.session.exec(select(OutboxRow.error).where(mine, is_dead).distinct().order_by(OutboxRow.error).limit(5))
    return Backlog(count, oldest, dead, tuple(errors))


def list_late(tx: Tx, before: datetime) -> list[str]:
    """Jobs that should have run before a moment (business time) and did not, by name."""
    late = select(ScheduleRow.job).where(ScheduleRow.workspace_id == tx.workspace_id, ScheduleRow.next_at < before)
    return sorted(set(tx.session.exec(late)))


def list_last_runs(tx: Tx) -> dict[str, datetime]:
    """When each job last ran to its end (its occurrence, business time), by the job's name."""
    query = (
        select(ScheduleRow.job, func.max(ScheduleRunRow.occurrence))
        .join(ScheduleRunRow, col(ScheduleRunRow.schedule_id) == col(ScheduleRow.id))
        .where(
            ScheduleRow.workspace_id == tx.workspace_id,
            ScheduleRunRow.workspace_id == tx.workspace_id,
            col(ScheduleRunRow.finished_at).is_not(None),
            ScheduleRunRow.error == "",
        )
        .group_by(ScheduleRow.job)
    )
    return dict(tx.session.exec(query).all())


def find_last_run(tx: Tx, job: str) -> ScheduleRunRow | None:
    """The latest finished run of a job."""
    query = (
        select(ScheduleRunRow)
        .join(ScheduleRow, col(ScheduleRow.id) == col(ScheduleRunRow.schedule_id))
        .where(
            ScheduleRunRow.workspace_id == tx.workspace_id,
            ScheduleRow.workspace_id == tx.workspace_id,
            ScheduleRow.job == job,
            col(ScheduleRunRow.finished_at).is_not(None),
        )
        .order_by(col(ScheduleRunRow.occurrence).desc())
    )
    return tx.session.exec(query.limit(1)).first()
