"""Mutes: their table, their queries and their writes. Owns which alerts a mute still has to silence or to let go;
refuses to change the alerts (`storage.alerts.alert_writes`) and to decide what is allowed (`rules.alerts.mutes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Field, Index, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.mutes import AddMute, ChangeMute, EndMute, Mute, MuteIntent, Scope
from rules.records import Actor, AlertKind, Change
from storage import audit
from storage.alerts.alerts import EpisodeRow, is_unclosed
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import key, moment, workspace


class MuteRow(SQLModel, table=True):
    """Silence until a moment: about an account, about one kind (an `AlertKind`), or with neither about everything.

    `ended_at` is set once it is over, by a person (`ended_by`) or by itself (None).
    """

    __tablename__ = "alert_mutes"
    __table_args__ = (Index("ix_alert_mutes_active", "workspace_id", "ended_at"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    account_id: str | None = Field(default=None, foreign_key="accounts.id", index=True, ondelete="CASCADE")
    kind: str = ""
    until: datetime = moment()
    reason: str = ""
    created_by: str = ""
    created_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)
    ended_by: str | None = None


def to_mute(row: MuteRow) -> Mute:
    """The record decisions are made on."""
    return Mute(row.id, Scope(row.account_id, AlertKind(row.kind) if row.kind else None), row.until)


# ---------------------------------------------------------------- reading


def find_mute(tx: Tx, mute_id: str) -> MuteRow | None:
    """The mute, on or over."""
    return tx.session.exec(
        select(MuteRow).where(MuteRow.workspace_id == tx.workspace_id, MuteRow.id == mute_id)
    ).first()


def get_mute(tx: Tx, mute_id: str) -> MuteRow:
    """The mute, on or over. Raises `NotFoundError`."""
    row = find_mute(tx, mute_id)
    if row is None:
        raise NotFoundError("This mute no longer exists. See `/cs alerts mutes` for those that do.")
    return row


def list_mutes(tx: Tx, *, limit: int | None = None, offset: int = 0) -> list[MuteRow]:
    """The mutes that nobody ended and that were not over when last looked, those that end first before the others."""
    query = select(MuteRow).where(_is_on(tx)).order_by(col(MuteRow.until), col(MuteRow.id))
    return list(tx.session.exec(query.limit(limit).offset(offset)))


def count_mutes(tx: Tx) -> int:
    """How many `list_mutes` gives in all."""
    return tx.session.exec(select(func.count()).select_from(MuteRow).where(_is_on(tx))).one()


def list_active(tx: Tx, now: datetime) -> list[Mute]:
    """The mutes that are on at `now`."""
    return [to_mute(row) for row in tx.session.exec(select(MuteRow).where(_is_on(tx), MuteRow.until > now))]


def list_over(tx: Tx, now: datetime) -> list[MuteRow]:
    """The mutes whose end has come, and nobody has looked since."""
    query = select(MuteRow).where(_is_on(tx), MuteRow.until <= now)
    return list(tx.session.exec(query.order_by(col(MuteRow.id)).with_for_update()))


def count_covered(tx: Tx, scope: Scope) -> int:
    """How many open alerts a mute of `scope` covers."""
    return tx.session.exec(select(func.count()).select_from(EpisodeRow).where(_is_open(tx), _is_covered(scope))).one()


def list_to_mute(tx: Tx, scopes: Sequence[Scope], limit: int) -> list[EpisodeRow]:
    """The first open alerts that one of the scopes covers and that are not muted yet. Locked where the database can."""
    return list(tx.session.exec(_to_mute(tx, scopes).limit(limit).with_for_update())) if scopes else []


def list_to_release(tx: Tx, limit: int) -> list[EpisodeRow]:
    """The first open alerts that are muted by a mute that has ended. Locked where the database can."""
    return list(tx.session.exec(_to_release(tx).limit(limit).with_for_update(of=EpisodeRow)))


def has_work(tx: Tx, now: datetime) -> bool:
    """Whether a mute has to be ended, or has alerts to silence or to let go. Only a read: idle runs write nothing."""
    is_over = select(MuteRow.id).where(_is_on(tx), MuteRow.until <= now)
    if tx.session.exec(is_over.limit(1)).first() is not None:
        return True
    scopes = [each.scope for each in list_active(tx, now)]
    queries = [_to_release(tx), *([_to_mute(tx, scopes)] if scopes else [])]
    return any(tx.session.exec(each.limit(1)).first() is not None for each in queries)


def _to_mute(tx: Tx, scopes: Sequence[Scope]) -> SelectOfScalar[EpisodeRow]:
    is_new = (_is_open(tx), col(EpisodeRow.muted_by).is_(None), or_(*(_is_covered(each) for each in scopes)))
    return select(EpisodeRow).where(*is_new).order_by(col(EpisodeRow.id))


def _to_release(tx: Tx) -> SelectOfScalar[EpisodeRow]:
    """By a join, so that the alerts are found by their mute: those that have ended are few and hold none for long."""
    is_ended = and_(col(MuteRow.id) == col(EpisodeRow.muted_by), col(MuteRow.ended_at).is_not(None))
    query = select(EpisodeRow).join(MuteRow, is_ended)
    return query.where(_is_open(tx), MuteRow.workspace_id == tx.workspace_id).order_by(col(EpisodeRow.id))


# ---------------------------------------------------------------- writing


def apply_mute(tx: Tx, intent: MuteIntent, actor: Actor, now: datetime) -> MuteRow:
    """Carry the intent out, with its line in the audit. Raises `NotFoundError` where the mute is gone."""
    match intent:
        case AddMute():
            row = _add(tx, intent, actor, now)
            _record(tx, row, "mute.added", {}, actor, now)
        case ChangeMute():
            row = get_mute(tx, intent.mute_id)
            before = _values(row)
            row.until, row.reason = intent.until, intent.reason
            _record(tx, row, "mute.changed", before, actor, now)
        case EndMute():
            row = get_mute(tx, intent.mute_id)
            row.ended_at, row.ended_by = now, actor.id if actor.kind == "member" else None
            _record(tx, row, "mute.ended", _values(row), actor, now)
    tx.session.add(row)
    tx.session.flush()
    return row


def _add(tx: Tx, intent: AddMute, actor: Actor, now: datetime) -> MuteRow:
    return MuteRow(
        workspace_id=tx.workspace_id,
        account_id=intent.scope.account_id,
        kind=intent.scope.kind.value if intent.scope.kind else "",
        until=intent.until,
        reason=intent.reason,
        created_by=actor.id,
        created_at=now,
    )


def _record(tx: Tx, row: MuteRow, verb: str, before: dict[str, object], actor: Actor, now: datetime) -> None:
    after = {} if verb == "mute.ended" else _values(row)
    audit.record(tx, Change(verb, "mute", row.id, row.account_id, before or None, after or None), actor, now)


def _values(row: MuteRow) -> dict[str, object]:
    return {"kind": row.kind, "until": row.until.isoformat(), "reason": row.reason}


def _is_on(tx: Tx) -> ColumnElement[bool]:
    return and_(col(MuteRow.workspace_id) == tx.workspace_id, col(MuteRow.ended_at).is_(None))


def _is_open(tx: Tx) -> ColumnElement[bool]:
    return and_(col(EpisodeRow.workspace_id) == tx.workspace_id, is_unclosed())


def _is_covered(scope: Scope) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [col(EpisodeRow.closed_at).is_(None)]
    if scope.account_id is not None:
        wanted.append(col(EpisodeRow.account_id) == scope.account_id)
    if scope.kind is not None:
        wanted.append(col(EpisodeRow.kind) == scope.kind)
    return and_(*wanted)
