"""Alert episodes (one stay of a condition) and their history: tables and queries. Who changes them goes through
`storage.alerts.alert_writes`; where they are announced is in `storage.alerts.announcements`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, text, true
from sqlmodel import Field, Index, SQLModel, and_, case, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.episodes import OPEN_STATES, Episode
from rules.records import AlertKind, Enqueue, EpisodeState, Severity
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.errors import NotFoundError
from storage.fields import account, choice, json_value, key, moment, workspace
from storage.lookup import is_among

MESSAGE, SUMMARY, HISTORY = "alert", "alert_summary", "alert_event"
REMINDER, ESCALATION = "alert_reminder", "alert_escalation"
"""Kinds of outbox rows, by the reference: a summary's, a history line's id, for the others an episode's."""
Kinds = Collection[AlertKind] | None


class EpisodeRow(SQLModel, table=True):
    """One alert. At most one open per (workspace, account, kind, subject). `version` is for compare-and-set,
    `epoch` fences timers. `facts` hold why it fired, enough to redo the calculation; `level` is how bad that was.

    `channel_id` is where it was announced ("" until then: `announced_at` None), `summary_id` is set when that was one
    line of a summary. `batch` names the summary it must be announced in ("" for none: "first" when it was so at the
    first look, "season:DE"); `is_quiet`: not announced, for the `quiet_reason` (a `QuietReason`, "" for none).
    `is_latched`: closed by a person while the condition went on. `owner_id` is whom it was assigned to; None: whoever
    owns the account, now and later. `closed_by` is a member's id, None when the condition ended by itself.

    `held_until`: not announced before. `told_id` is the member it was announced for, `told_for` whom they stand in for;
    `told_with` the alert of the same account whose message it is a line of ("": it has its own). Where a budget was
    spent, `quiet_count` of `quiet_limit` were told that day. `muted_by` is the mute that covers it, `quiet_before` the
    reason for which it was quiet before that.
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
        Index(
            "ix_alert_episodes_waiting",
            "workspace_id",
            "quiet_reason",
            "held_until",
            sqlite_where=text("announced_at IS NULL AND closed_at IS NULL"),
            postgresql_where=text("announced_at IS NULL AND closed_at IS NULL"),
        ),
        Index("ix_alert_episodes_told", "workspace_id", "announced_at"),
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
    owner_id: str | None = Field(default=None, foreign_key="members.id", index=True)
    taken_by: str | None = Field(default=None, foreign_key="members.id", index=True)
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
    quiet_reason: str = ""
    quiet_count: int = 0
    quiet_limit: int = 0
    quiet_before: str = ""
    muted_by: str | None = Field(default=None, foreign_key="alert_mutes.id", index=True)
    held_until: datetime | None = moment(default=None, nullable=True)
    told_id: str | None = Field(default=None, foreign_key="members.id")
    told_for: str | None = Field(default=None, foreign_key="members.id")
    told_with: str = Field(default="", index=True)
    channel_id: str = ""
    announced_at: datetime | None = moment(default=None, nullable=True)
    summary_id: str = Field(default="", index=True)
    escalation: list[dict[str, Any]] = json_value(default_factory=list)
    escalated_to: int = 0
    escalated_at: datetime | None = moment(default=None, nullable=True)
    timer_step: str = ""
    timer_at: datetime | None = moment(default=None, nullable=True, index=True)
    timer_epoch: int = 0
    asked_at: datetime | None = moment(default=None, nullable=True)

    @property
    def told_in(self) -> str:
        """The alert in whose message it was told: its own, or another one of the account."""
        return self.told_with or self.id


class AlertEventRow(SQLModel, table=True):
    """History of an episode: who, when, what, before and after. `version` is the one this gave the alert (0 in rows of
    older releases).
    """

    __tablename__ = "alert_events"

    id: str = key()
    workspace_id: str = workspace()
    episode_id: str = Field(foreign_key="alert_episodes.id", index=True, ondelete="CASCADE")
    at: datetime = moment()
    actor_kind: str
    actor_id: str
    verb: str
    version: int = 0
    before: dict[str, Any] = json_value(default_factory=dict)
    after: dict[str, Any] = json_value(default_factory=dict)
    note: str = ""


def to_episode(row: EpisodeRow) -> Episode:
    """The record decisions are made on."""
    names = Episode.__dataclass_fields__
    return Episode(**{name: getattr(row, name) for name in names})


def is_unclosed() -> ColumnElement[bool]:
    """Whether an alert is open, as a condition of a query. That it is not closed says the same once more, for the index
    of open alerts, which does not grow with what was closed over the years.
    """
    return and_(col(EpisodeRow.closed_at).is_(None), col(EpisodeRow.state).in_(sorted(OPEN_STATES)))


def responsible() -> Any:
    """Who is to act on an alert, for queries that join its account: whom it was assigned to, else who took it, else the
    account's owner, so that an account which is given away takes its alerts along.
    """
    return func.coalesce(EpisodeRow.owner_id, EpisodeRow.taken_by, AccountRow.owner_id)


# ---------------------------------------------------------------- reading


def find_episode(tx: Tx, episode_id: str) -> EpisodeRow | None:
    """The alert, open or closed."""
    return tx.session.exec(_of(tx).where(EpisodeRow.id == episode_id)).first()


def get_episode(tx: Tx, episode_id: str, *, is_locking: bool = False) -> EpisodeRow:
    """The alert, open or closed, as it stands; `is_locking` waits for whoever changes it and keeps others off until
    the transaction ends. Raises `NotFoundError`.
    """
    query = _of(tx).where(EpisodeRow.id == episode_id).execution_options(populate_existing=True)
    row = tx.session.exec(query.with_for_update() if is_locking else query).first()
    if row is None:
        raise NotFoundError("This alert no longer exists. See `/cs alerts` for those that do.")
    return row


_RANK = case(*((col(EpisodeRow.severity) == each, at) for at, each in enumerate(Severity)))
_WAITS = case(
    (col(EpisodeRow.state) == EpisodeState.OPEN, 0), (col(EpisodeRow.state) == EpisodeState.ACKED, 1), else_=2
)
_URGENT_FIRST = (_RANK.desc(), _WAITS, col(EpisodeRow.opened_at).desc(), col(EpisodeRow.id))


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
    query = _of(tx).where(_is_open(tx, account_id, owner_id), _is_of(kinds)).order_by(*_URGENT_FIRST)
    return list(tx.session.exec(query.limit(limit).offset(offset)))


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
    done = select(AlertEventRow).where(*wanted)
    return list(tx.session.exec(done.order_by(col(AlertEventRow.at), col(AlertEventRow.version))))


def find_event(tx: Tx, event_id: str) -> AlertEventRow | None:
    """One line of an alert's history."""
    wanted = (AlertEventRow.workspace_id == tx.workspace_id, AlertEventRow.id == event_id)
    return tx.session.exec(select(AlertEventRow).where(*wanted)).first()


def _of(tx: Tx) -> SelectOfScalar[EpisodeRow]:
    return select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id)


def _is_open(tx: Tx, account_id: str | None, owner_id: str | None) -> ColumnElement[bool]:
    wanted = [is_unclosed()]
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


# ---------------------------------------------------------------- showing anew


def enqueue_refresh(tx: Tx, account_id: str, now: datetime) -> None:
    """Show the account's open alerts anew: something their messages tell of has changed."""
    enqueue_refreshes(tx, [account_id], now)


def enqueue_refreshes(tx: Tx, account_ids: Collection[str], now: datetime) -> None:
    """As `enqueue_refresh`, for many accounts at once."""
    if not account_ids:
        return
    wanted = (is_unclosed(), is_among(tx, col(EpisodeRow.account_id), account_ids))
    rows = tx.session.exec(_of(tx).where(*wanted).order_by(col(EpisodeRow.opened_at), col(EpisodeRow.id)))
    enqueue(tx, [update for row in rows for update in list_updates(row)], now)


def list_updates(row: EpisodeRow) -> list[Enqueue]:
    """What shows the alert anew wherever it stands: its own message, the summary it is a line of, and what told people
    that nobody took it.
    """
    was_escalated = row.escalated_to > 0 or row.epoch > 1
    kinds = (MESSAGE, REMINDER, ESCALATION) if was_escalated else (MESSAGE,)
    updates = [Enqueue(kind, row.id, is_update=True, priority=0) for kind in kinds]
    if row.told_with:
        updates.append(Enqueue(MESSAGE, row.told_with, is_update=True, priority=0))
    if row.summary_id:
        updates.append(Enqueue(SUMMARY, row.summary_id, is_update=True, priority=0))
    return updates
