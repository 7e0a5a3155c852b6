"""Tasks: next steps with a person and a day. What a valid one is, and the intents. Refuses to store and to word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.errors import UserError

TEXT_LENGTH = 500
LONGEST_AHEAD = timedelta(days=3660)


@dataclass(frozen=True)
class TaskDraft:
    """A next step as somebody describes it; `owner_id` is a member. `source_kind`, `source_id`: what it came from."""

    account_id: str
    text: str
    owner_id: str | None = None
    due_on: date | None = None
    source_kind: str = ""
    source_id: str = ""


@dataclass(frozen=True)
class TaskState:
    """A stored task as decisions need it."""

    id: str
    version: int
    text: str
    owner_id: str | None = None
    due_on: date | None = None
    done_at: datetime | None = None


@dataclass(frozen=True)
class AddTask:
    """Store this task."""

    draft: TaskDraft


@dataclass(frozen=True)
class ChangeTask:
    """Set these columns of the task if its version is still this one; `verb` says what was done."""

    task_id: str
    version: int
    verb: str
    values: Mapping[str, object]


TaskIntent = AddTask | ChangeTask


def decide_add_task(draft: TaskDraft, today: date) -> list[TaskIntent]:
    """The intents that add `draft`. Raises `UserError` with the field at fault ("step", "due_on")."""
    _check(draft.text, draft.due_on, today)
    return [AddTask(draft)]


def decide_edit_task(
    state: TaskState, text: str, owner_id: str | None, due_on: date | None, today: date
) -> list[TaskIntent]:
    """The intents that give a task another text, owner or day; none where nothing differs. A day that has passed may
    stay, but not be chosen. Raises `UserError`.
    """
    _check(text, due_on if due_on != state.due_on else None, today)
    wanted = {"text": text, "owner_id": owner_id, "due_on": due_on}
    changed = {name: value for name, value in wanted.items() if value != getattr(state, name)}
    return [ChangeTask(state.id, state.version, "changed", changed)] if changed else []


def decide_finish_task(state: TaskState, person_id: str, now: datetime) -> list[TaskIntent]:
    """The intents that mark a task done; none where it is."""
    if state.done_at is not None:
        return []
    return [ChangeTask(state.id, state.version, "done", {"done_at": now, "done_by": person_id})]


def decide_remove_task(state: TaskState, now: datetime) -> list[TaskIntent]:
    """The intents that take a task off the list."""
    return [ChangeTask(state.id, state.version, "removed", {"removed_at": now})]


def _check(text: str, due_on: date | None, today: date) -> None:
    if not text:
        raise UserError("What is the next step? Type it in a few words.", field="step")
    if len(text) > TEXT_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="step", limit=TEXT_LENGTH)
    if due_on is not None and due_on < today:
        raise UserError("This day has passed. Pick today or a later day.", field="due_on")
    if due_on is not None and due_on - today > LONGEST_AHEAD:
        raise UserError("This day is more than 10 years away. Pick an earlier one.", field="due_on")
