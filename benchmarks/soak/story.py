"""What the business does in a soak, and what should stand in Slack in the end. Owns the invented changes, their commits
and the model of what they mean; knows nothing of how messages are delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from sqlalchemy import update
from sqlmodel import col, func, select

from benchmarks.soak.worker import NOTE, REPLY
from rules.records import Actor, Change, Enqueue
from storage.accounts.accounts import AccountRow
from storage.audit import AuditRow, record
from storage.db import Database, Tx
from storage.delivery.outbox import enqueue

CHANGED = "account.changed"
_REPLIES, _UPDATES, _UNDONE = 0.25, 0.25, 0.05
_MOST_TOGETHER = 5
_ACTOR = Actor("system", "soak", "Soak")


class Kind(StrEnum):
    """What a step says."""

    NOTE = "note"
    REPLY = "reply"
    UPDATE = "update"


@dataclass(frozen=True)
class Step:
    """One message to say: a note about a thing, a reply in its thread, or a new text for it."""

    kind: Kind
    name: str
    thing: str
    channel: str
    text: str


@dataclass(frozen=True)
class Chapter:
    """One transaction, at `at` seconds from the start. An undone one is rolled back: nothing of it may be heard."""

    at: float
    steps: tuple[Step, ...]
    is_undone: bool


def write_story(random: Random, messages: int, channels: int, seconds: float) -> list[Chapter]:
    """So many notes and replies, with changes on top, over so many seconds."""
    steps = list(_list_steps(random, messages, [f"C{number:010}" for number in range(channels)]))
    groups = list(_group(random, steps))
    moments = sorted(random.uniform(0, seconds) for _ in groups)
    ghosts = iter(range(len(groups)))
    chapters = []
    for at, group in zip(moments, groups, strict=True):
        if random.random() < _UNDONE:
            name = f"ghost{next(ghosts)}"
            ghost = Step(Kind.NOTE, name, name, group[0].channel, name)
            chapters.append(Chapter(at, (ghost,), is_undone=True))
        chapters.append(Chapter(at, group, is_undone=False))
    return chapters


def _list_steps(random: Random, messages: int, channels: list[str]) -> Iterator[Step]:
    notes: list[Step] = []
    versions: dict[str, int] = {}
    for number in range(messages):
        if notes and random.random() < _REPLIES:
            parent = random.choice(notes[-50:])
            yield Step(Kind.REPLY, f"r{number:05}", parent.thing, parent.channel, f"r{number:05}")
        else:
            name = f"n{number:05}"
            notes.append(Step(Kind.NOTE, name, name, random.choice(channels), f"{name} v1"))
            yield notes[-1]
        if random.random() < _UPDATES:
            parent = random.choice(notes[-50:])
            versions[parent.name] = versions.get(parent.name, 1) + 1
            text = f"{parent.name} v{versions[parent.name]}"
            yield Step(Kind.UPDATE, text, parent.thing, parent.channel, text)


def _group(random: Random, steps: list[Step]) -> Iterator[tuple[Step, ...]]:
    at = 0
    while at < len(steps):
        size = random.randint(1, _MOST_TOGETHER)
        yield tuple(steps[at : at + size])
        at += size


# ---------------------------------------------------------------- the model


@dataclass
class Expected:
    """A message that must stand in Slack: where, its text in the end, and when it was committed (seconds, epoch)."""

    key: str
    channel: str
    parent: str
    text: str
    committed_at: float


@dataclass
class Model:
    """What was committed, in order, kept apart from the database."""

    messages: dict[str, Expected] = field(default_factory=dict)
    changes: int = 0

    def note(self, chapter: Chapter, committed_at: float) -> None:
        """A chapter was committed."""
        for step in chapter.steps:
            self.changes += 1
            key, parent = f"{NOTE}:{step.thing}", ""
            if step.kind is Kind.UPDATE:
                self.messages[key].text = step.text
                continue
            if step.kind is Kind.REPLY:
                key, parent = f"{REPLY}:{step.name}", key
            self.messages[key] = Expected(key, step.channel, parent, step.text, committed_at)


# ---------------------------------------------------------------- the database's side


class UndoneError(Exception):
    """Raised inside a transaction so that it is rolled back."""


def commit(database: Database, workspace_id: str, chapter: Chapter, now: datetime) -> bool:
    """The chapter's business changes, audit lines and messages in one transaction; False if it was rolled back."""
    try:
        with database.writing(workspace_id) as tx:
            _apply_all(tx, chapter, now)
    except UndoneError:
        return False
    return True


def _apply_all(tx: Tx, chapter: Chapter, now: datetime) -> None:
    for step in chapter.steps:
        enqueue(tx, [_apply(tx, step, now)], now)
        record(tx, Change(CHANGED, "account", step.thing, after={"name": step.text}), _ACTOR, now)
        tx.session.flush()
    if chapter.is_undone:
        raise UndoneError


def _apply(tx: Tx, step: Step, now: datetime) -> Enqueue:
    """Change the thing that a step is about; the message that tells of it."""
    match step.kind:
        case Kind.NOTE:
            row = AccountRow(workspace_id=tx.workspace_id, slug=step.thing, name=step.text, created_at=now)
            tx.session.add(row)
            return Enqueue(NOTE, step.thing, step.channel)
        case Kind.UPDATE:
            is_it = (col(AccountRow.workspace_id) == tx.workspace_id, col(AccountRow.slug) == step.thing)
            tx.session.connection().execute(update(AccountRow).where(*is_it).values(name=step.text))
            return Enqueue(NOTE, step.thing, is_update=True)
        case Kind.REPLY:
            return Enqueue(REPLY, step.name, thread_kind=NOTE, thread_reference=step.thing)


def count_audit(tx: Tx) -> int:
    """How many changes the audit tells of."""
    query = select(func.count()).select_from(AuditRow)
    return tx.session.exec(query.where(AuditRow.workspace_id == tx.workspace_id, col(AuditRow.verb) == CHANGED)).one()
