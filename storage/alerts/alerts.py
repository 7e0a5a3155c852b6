"""Alert episodes (one stay of a condition) and their history. Owns their tables, queries and the one way to change
them; refuses to decide (`rules.alerts.alerts`) and to choose where they are announced (`storage.alerts.announcements`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, func, text, true
from sqlmodel import Field, Index, SQLModel, and_, case, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.alerts import OPEN_STATES, ChangeEpisode, Episode, Fired, Intent, OpenEpisode, RefreshEpisode
from rules.errors import StaleError
from rules.records import Actor, AlertKind, Change, Enqueue, EpisodeState, Severity
from storage.accounts.accounts import AccountRow
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.errors import NotFoundError
from storage.fields import account, choice, json_value, key, moment, workspace

MESSAGE, SUMMARY, HISTORY = "alert", "alert_summary", "alert_event"
"""Kinds of outbox rows, by the reference: an episode's, a summary's, a history line's id."""
Kinds = Collection[AlertKind] | None


class EpisodeRow(SQLModel, table=True):
    """One alert. At most one open per (workspace, account, kind, subject). `version` is for compare-and-set,
    `epoch` fences timers. `facts` hold why it fired, enough to redo the calculation; `level` is how bad that was.

    `channel_id` is where it was announced ("" until then: `announced_at` None), `summary_id` is set when that was one
    line of a summary. `batch` names the summary it must be announced in ("" for none: "first" when it was so at the
    first look, "season:DE"); `is_quiet`: flapping or for digests alone, not announced. `is_latched`: closed by a person
    while the condition went on. `owner_id` is whom it was assigned to; None: whoever owns the account, now and later.
    `closed_by` is a member's id, None when the condition ended by itself.
    """

    __tablename__ = "alert_episodes"
    __table_args__ = (
        Index(
            "uq_alert_episodes_open",
            "workspace_id",
            "account_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: str = key()
    workspace_id: str = workspace()
    account_id: str = account()
    kind: AlertKind = choice(AlertKind)
    subject: str = ""
    severity: Severity = choice(Severity)
    level: float = 0.0
    state: EpisodeState = choice(EpisodeState, default=EpisodeState.OPEN)
    rule_version: str
    facts: dict[str, Any] = json_value(default_factory=dict)
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None, nullable=True)
    owner_id: str | None = Field(default=None, foreign_key="members.id")
    taken_by: str | None = Field(default=None, foreign_key="members.id")
    taken_at: datetime | None = moment(default=None, nullable=True)
    snoozed_until: datetime | None = moment(default=None, nullable=True, index=True)
    closed_by: str | None = None
    close_reason: str = ""
    close_note: str = ""
    is_latched: bool = False
    version: int = 1
    epoch: int = 1
    batch: str = ""
    is_quiet: bool = False
    channel_id: str = ""
    announced_at: datetime | None = moment(default=None, nullable=True)
    summary_id: str = Field(default="", index=True)


class AlertEventRow(SQLModel, table=True):
    """History of an episode: who, when, what, before and after."""

    __tablename__ = "alert_events"

    id: str = key()
    workspace_id: str = workspace()
    episode_id: str = Field(foreign_key="alert_episodes.id", index=True, ondelete="CASCADE")
    at: datetime = moment()
    actor_kind: str
    actor_id: str
    verb: str
    before: dict[str, Any] = json_value(default_factory=dict)
    after: dict[str, Any] = json_value(default_factory=dict)
    note: str = ""


def to_episode(row: EpisodeRow) -> Episode:
    """The record decisions are made on."""
    names = Episode.__dataclass_fields__
    return Episode(**{name: getattr(row, name) for name in names})


def responsible() -> Any:
    """Who is to act on an alert, for queries that join its account: whom it was assigned to, else who took it, else the
    account's owner, so that an account which is given away takes its alerts along.
    """
    return func.coalesce(EpisodeRow.owner_id, EpisodeRow.taken_by, AccountRow.owner_id)


# ---------------------------------------------------------------- reading


def find_episode(tx: Tx, episode_id: str) -> EpisodeRow | None:
    """The alert, open or closed."""
    return tx.session.exec(_of(tx).where(EpisodeRow.id == episode_id)).first()


def get_episode(tx: Tx, episode_id: str) -> EpisodeRow:
    """The alert, open or closed. Raises `NotFoundError`."""
    row = find_episode(tx, episode_id)
    if row is None:
        raise NotFoundError("This alert no longer exists. See `/cs alerts` for those that do.")
    return row


def list_open(
    tx: Tx,
    account_id: str | None = None,
    owner_id: str | None = None,
    limit: int = 200,
    offset: int = 0,
    *,
    kinds: Kinds = None,
) -> list[EpisodeRow]:
    """Open alerts (of `kinds`, None for all), most urgent first: by severity, those nobody took before the others, then
    the newest.
    """
    rank = case(*((col(EpisodeRow.severity) == each, at) for at, each in enumerate(Severity)))
    waits = case(
        (col(EpisodeRow.state) == EpisodeState.OPEN, 0), (col(EpisodeRow.state) == EpisodeState.ACKED, 1), else_=2
    )
    query = _of(tx).where(_is_open(tx, account_id, owner_id), _is_of(kinds))
    ordered = query.order_by(rank.desc(), waits, col(EpisodeRow.opened_at).desc(), col(EpisodeRow.id))
    return list(tx.session.exec(ordered.limit(limit).offset(offset)))


def count_open(tx: Tx, account_id: str | None = None, owner_id: str | None = None, *, kinds: Kinds = None) -> int:
    """How many `list_open` would give without a limit."""
    wanted = (EpisodeRow.workspace_id == tx.workspace_id, _is_open(tx, account_id, owner_id), _is_of(kinds))
    return tx.session.exec(select(func.count()).select_from(EpisodeRow).where(*wanted)).one()


def list_closed(
    tx: Tx, account_id: str | None = None, limit: int = 200, offset: int = 0, *, kinds: Kinds = None
) -> list[EpisodeRow]:
    """Closed alerts, the latest closed first."""
    query = _of(tx).where(_is_closed(account_id), _is_of(kinds))
    ordered = query.order_by(col(EpisodeRow.closed_at).desc(), col(EpisodeRow.id))
    return list(tx.session.exec(ordered.limit(limit).offset(offset)))


def count_closed(tx: Tx, account_id: str | None = None, *, kinds: Kinds = None) -> int:
    """How many `list_closed` would give without a limit."""
    wanted = (EpisodeRow.workspace_id == tx.workspace_id, _is_closed(account_id), _is_of(kinds))
    return tx.session.exec(select(func.count()).select_from(EpisodeRow).where(*wanted)).one()


def list_history(tx: Tx, episode_id: str) -> list[AlertEventRow]:
    """What happened to an alert, oldest first."""
    wanted = (AlertEventRow.workspace_id == tx.workspace_id, AlertEventRow.episode_id == episode_id)
    return list(tx.session.exec(select(AlertEventRow).where(*wanted).order_by(col(AlertEventRow.at))))


def find_event(tx: Tx, event_id: str) -> AlertEventRow | None:
    """One line of an alert's history."""
    wanted = (AlertEventRow.workspace_id == tx.workspace_id, AlertEventRow.id == event_id)
    return tx.session.exec(select(AlertEventRow).where(*wanted)).first()


def _of(tx: Tx) -> SelectOfScalar[EpisodeRow]:
    return select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id)


def _is_open(tx: Tx, account_id: str | None, owner_id: str | None) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [col(EpisodeRow.state).in_(sorted(OPEN_STATES))]
    if account_id is not None:
        wanted.append(col(EpisodeRow.account_id) == account_id)
    if owner_id is not None:
        wanted.append(_is_for(tx, owner_id))
    return and_(*wanted)


def _is_for(tx: Tx, member_id: str) -> ColumnElement[bool]:
    """Whether `responsible` is this member, for queries of alerts alone."""
    chosen = func.coalesce(EpisodeRow.owner_id, EpisodeRow.taken_by)
    own = select(AccountRow.id).where(AccountRow.workspace_id == tx.workspace_id, AccountRow.owner_id == member_id)
    return or_(chosen == member_id, and_(chosen.is_(None), col(EpisodeRow.account_id).in_(own)))


def _is_closed(account_id: str | None) -> ColumnElement[bool]:
    is_closed = col(EpisodeRow.closed_at).is_not(None)
    return and_(is_closed, col(EpisodeRow.account_id) == account_id) if account_id is not None else is_closed


def _is_of(kinds: Kinds) -> ColumnElement[bool]:
    return true() if kinds is None else col(EpisodeRow.kind).in_(sorted(kinds))


# ---------------------------------------------------------------- writing


@dataclass(frozen=True)
class _Hand:
    """Who changes, and when."""

    actor: Actor
    at: datetime


def apply_alerts(tx: Tx, intents: Sequence[Intent], actor: Actor, now: datetime) -> list[EpisodeRow]:
    """Carry the intents out: rows, history, audit and outbox together. Returns the alerts that changed, as they are.

    Raises `StaleError` when one of them was changed since it was read; then nothing may be committed.
    """
    hand = _Hand(actor, now)
    locked = _lock(tx, [each.episode_id for each in intents if not isinstance(each, OpenEpisode)])
    rows: list[EpisodeRow] = []
    said: list[Enqueue] = []
    for intent in intents:
        match intent:
            case OpenEpisode():
                rows.append(_open(tx, intent.fired, hand))
            case ChangeEpisode():
                rows.append(_checked(locked, intent))
                said += _change(tx, rows[-1], intent, hand)
            case RefreshEpisode():
                _refresh(tx, locked.get(intent.episode_id), intent)
    tx.session.flush()
    enqueue(tx, said, now)
    return rows


def enqueue_refresh(tx: Tx, account_id: str, now: datetime) -> None:
    """Show the account's open alerts anew: something their messages tell of has changed."""
    enqueue(tx, [update for row in list_open(tx, account_id) for update in _updates(row)], now)


def _lock(tx: Tx, episode_ids: Sequence[str]) -> dict[str, EpisodeRow]:
    if not episode_ids:
        return {}
    query = _of(tx).where(col(EpisodeRow.id).in_(episode_ids)).with_for_update()
    return {row.id: row for row in tx.session.exec(query.execution_options(populate_existing=True))}


def _checked(locked: Mapping[str, EpisodeRow], intent: ChangeEpisode) -> EpisodeRow:
    row = locked.get(intent.episode_id)
    if row is None or row.version != intent.version:
        raise StaleError("Somebody changed this alert just now. Nothing was changed: look at it again.")
    return row


def _refresh(tx: Tx, row: EpisodeRow | None, intent: RefreshEpisode) -> None:
    """What was changed meanwhile keeps its change, and has the new facts all the same."""
    if row is not None and row.closed_at is None and row.facts != dict(intent.facts):
        row.facts = dict(intent.facts)
        tx.session.add(row)


def _open(tx: Tx, fired: Fired, hand: _Hand) -> EpisodeRow:
    row = EpisodeRow(
        workspace_id=tx.workspace_id,
        account_id=fired.account_id,
        kind=fired.kind,
        subject=fired.subject,
        severity=fired.severity,
        level=fired.level,
        rule_version=fired.rule_version,
        facts=dict(fired.facts),
        opened_at=hand.at,
        batch=fired.batch,
        is_quiet=fired.is_quiet,
    )
    tx.session.add(row)
    after = _plain({"severity": row.severity, "level": row.level, "facts": row.facts})
    _remember(tx, row, "opened", {}, after, note="", hand=hand)
    return row


def _change(tx: Tx, row: EpisodeRow, intent: ChangeEpisode, hand: _Hand) -> list[Enqueue]:
    """Set the values; returns what is to be said. An alert that will be announced anew leaves its old message as it
    was, with a line in the thread: the new one speaks from now on.
    """
    before = _plain({name: getattr(row, name) for name in intent.values})
    for name, value in intent.values.items():
        setattr(row, name, value)
    row.version += 1
    if intent.is_announced_anew:
        row.announced_at = None
    tx.session.add(row)
    line = _remember(tx, row, intent.verb, before, _plain(intent.values), note=intent.note, hand=hand)
    said = [] if intent.is_announced_anew else _updates(row)
    if intent.is_told:
        said.append(Enqueue(HISTORY, line.id, thread_kind=MESSAGE, thread_reference=row.id, priority=1))
    return said


def _updates(row: EpisodeRow) -> list[Enqueue]:
    updates = [Enqueue(MESSAGE, row.id, is_update=True, priority=0)]
    if row.summary_id:
        updates.append(Enqueue(SUMMARY, row.summary_id, is_update=True, priority=0))
    return updates


def _remember(
    tx: Tx, row: EpisodeRow, verb: str, before: dict[str, Any], after: dict[str, Any], *, note: str, hand: _Hand
) -> AlertEventRow:
    """One line of history and one of audit."""
    tx.session.flush()  # the alert's row first: its history refers to it
    line = AlertEventRow(
        workspace_id=tx.workspace_id,
        episode_id=row.id,
        at=hand.at,
        actor_kind=hand.actor.kind,
        actor_id=hand.actor.id,
        verb=verb,
        before=before,
        after=after,
        note=note,
    )
    tx.session.add(line)
    change = Change(f"alert.{verb}", "episode", row.id, row.account_id, before or None, after)
    record(tx, change, hand.actor, hand.at)
    return line


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value
