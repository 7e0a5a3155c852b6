"""Alerts about an object that a person has just settled, moved, removed or measured. Owns ending them at once, where
the scan would come to it only tomorrow; refuses to decide what an end is (`rules.alerts.alerts`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, or_, select

from rules.alerts.alerts import GONE, Cleared, decide
from rules.records import Actor, AlertKind
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, is_unclosed, to_episode
from storage.db import Tx
from storage.success.targets import TargetRow

_ASKING = (AlertKind.TARGET_STALE, AlertKind.STEP_DUE)


def settle_alerts(tx: Tx, account_id: str, object_id: str, actor: Actor, now: datetime) -> list[EpisodeRow]:
    """End the open alerts about the object, of every kind and date. Should the next scan find it as it was before,
    they come back where they stood.
    """
    return _end(tx, account_id, _is_about(object_id), Cleared(GONE), actor, now)


def settle_missing_values(
    tx: Tx, account_id: str, metric_keys: Collection[str], actor: Actor, now: datetime
) -> list[EpisodeRow]:
    """End the open alerts that ask for values of these metrics, which have just been measured. Whether the values are
    good is for the next scan to say; if they are too old to help, it brings the alerts back.
    """
    wanted = select(TargetRow.id).where(
        TargetRow.workspace_id == tx.workspace_id,
        TargetRow.account_id == account_id,
        col(TargetRow.metric_key).in_(sorted(metric_keys)),
        col(TargetRow.removed_at).is_(None),
    )
    ids = tx.session.exec(wanted).all()
    if not ids:
        return []
    about = and_(col(EpisodeRow.kind).in_(_ASKING), or_(*map(_is_about, ids)))
    return _end(tx, account_id, about, Cleared(), actor, now)


def _is_about(object_id: str) -> ColumnElement[bool]:
    dated = col(EpisodeRow.subject).startswith(f"{object_id}:", autoescape=True)
    return or_(col(EpisodeRow.subject) == object_id, dated)


def _end(
    tx: Tx, account_id: str, about: ColumnElement[bool], why: Cleared, actor: Actor, now: datetime
) -> list[EpisodeRow]:
    query = select(EpisodeRow).where(
        EpisodeRow.workspace_id == tx.workspace_id,
        EpisodeRow.account_id == account_id,
        is_unclosed(),
        about,
    )
    rows = tx.session.exec(query.order_by(col(EpisodeRow.id)).with_for_update()).all()
    intents = [each for row in rows for each in decide(to_episode(row), why, now)]
    return apply_alerts(tx, intents, actor, now)
