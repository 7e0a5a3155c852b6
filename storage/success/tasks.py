"""Tasks: next steps with a person and a date. Owns their table and queries.

Who changes them goes through `storage.success.task_writes`.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Field, Index, SQLModel, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.success.tasks import TaskState
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import account, key, moment, workspace


class TaskRow(SQLModel, table=True):
    """Something to be done for an account. `source_kind` and `source_id` say what it came from ("checkin", …).
    `version` is for compare-and-set.
    """

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_open", "workspace_id", "owner_id", "done_at", "due_on"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str = account()
    text: str
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    due_on: date | None = None
    source_kind: str = ""
    source_id: str = Field(default="", index=True)
    done_at: datetime | None = moment(default=None, nullable=True)
    done_by: str | None = Field(default=None, foreign_key="members.id")
    version: int = 1
    created_at: datetime = moment()
    removed_at: datetime | None = moment(default=None, nullable=True)


Found = list[tuple[TaskRow, AccountRow]]
"""Tasks with their accounts."""


def to_task(row: TaskRow) -> TaskState:
    """The record decisions are made on."""
    return TaskState(row.id, row.version, row.text, row.owner_id, row.due_on, row.done_at)


def get_task(tx: Tx, task_id: str) -> TaskRow:
    """The task, also one that is done or was taken back. Raises `NotFoundError`."""
    row = tx.session.exec(select(TaskRow).where(TaskRow.workspace_id == tx.workspace_id, TaskRow.id == task_id)).first()
    if row is None:
        raise NotFoundError("This next step no longer exists. See `/cs tasks` for those that do.")
    return row


def page_tasks(
    tx: Tx,
    *,
    account_id: str | None = None,
    owner_id: str | None = None,
    until: date | None = None,
    limit: int | None = 200,
    offset: int = 0,
) -> Found:
    """A page of open tasks of accounts in use: of one account, or of a member (None: of everybody), the first due
    first, undated ones last. `until`: only those due on or before that day (None: all, also those without a day). A
    task nobody owns is its account's owner's.
    """
    due = col(TaskRow.due_on)
    query = (
        select(TaskRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(TaskRow.account_id))
        .where(*_wanted(tx, account_id, owner_id, until))
        .order_by(due.is_(None), due, col(TaskRow.created_at), col(TaskRow.id))
    )
    return list(tx.session.exec(query.limit(limit).offset(offset)).all())


def count_tasks(tx: Tx, *, account_id: str | None = None, owner_id: str | None = None) -> int:
    """How many `page_tasks` would give without a limit."""
    query: SelectOfScalar[int] = (
        select(func.count())
        .select_from(TaskRow)
        .join(AccountRow, col(AccountRow.id) == col(TaskRow.account_id))
        .where(*_wanted(tx, account_id, owner_id, None))
    )
    return tx.session.exec(query).one()


def list_tasks_of(tx: Tx, source_kind: str, source_id: str) -> list[TaskRow]:
    """The tasks that came from something and were not taken back, also those done."""
    return list(
        tx.session.exec(
            select(TaskRow).where(
                TaskRow.workspace_id == tx.workspace_id,
                TaskRow.source_id == source_id,
                TaskRow.source_kind == source_kind,
                col(TaskRow.removed_at).is_(None),
            )
        )
    )


def _wanted(tx: Tx, account_id: str | None, owner_id: str | None, until: date | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [
        col(TaskRow.workspace_id) == tx.workspace_id,
        is_in_use(tx),
        col(TaskRow.done_at).is_(None),
        col(TaskRow.removed_at).is_(None),
    ]
    if account_id is not None:
        wanted.append(col(TaskRow.account_id) == account_id)
    if owner_id is not None:
        is_left = col(TaskRow.owner_id).is_(None) & (col(AccountRow.owner_id) == owner_id)
        wanted.append(or_(col(TaskRow.owner_id) == owner_id, is_left))
    if until is not None:
        wanted.append(col(TaskRow.due_on) <= until)
    return wanted
