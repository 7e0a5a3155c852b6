"""Alerts about an object that a person has just settled, moved or removed. Owns ending them at once, where the scan
would come to it only tomorrow; refuses to decide what an end is (`rules.alerts.alerts`).
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, or_, select

from rules.alerts.alerts import GONE, OPEN_STATES, Cleared, decide
from rules.records import Actor
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.db import Tx


def settle_alerts(tx: Tx, account_id: str, object_id: str, actor: Actor, now: datetime) -> list[EpisodeRow]:
    """End the open alerts about the object, of every kind and date. Should the next scan find it as it was before,
    they come back where they stood.
    """
    about = or_(EpisodeRow.subject == object_id, col(EpisodeRow.subject).startswith(f"{object_id}:", autoescape=True))
    query = select(EpisodeRow).where(
        EpisodeRow.workspace_id == tx.workspace_id,
        EpisodeRow.account_id == account_id,
        col(EpisodeRow.state).in_(sorted(OPEN_STATES)),
        about,
    )
    rows = tx.session.exec(query.order_by(col(EpisodeRow.id)).with_for_update()).all()
    intents = [each for row in rows for each in decide(to_episode(row), Cleared(GONE), now)]
    return apply_alerts(tx, intents, actor, now)
