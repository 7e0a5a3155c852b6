"""What a scan that is under way has found so far. Owns telling these alerts from those that wait for other reasons;
refuses to know which scans are under way (`storage.delivery.schedules`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select

from rules.records import Actor
from storage.alerts.alerts import AlertEventRow, EpisodeRow
from storage.db import Tx


def list_found(tx: Tx, scan: Actor, moments: Collection[datetime]) -> set[str]:
    """The alerts nobody was told of that the scan opened, or made worth telling, as of one of the moments. Those of
    which it was decided that they be told later are not among them: they wait for their hour, not for the scan.
    """
    query = (
        select(EpisodeRow.id)
        .join(AlertEventRow, col(AlertEventRow.episode_id) == col(EpisodeRow.id))
        .where(EpisodeRow.workspace_id == tx.workspace_id, EpisodeRow.quiet_reason == "")
        .where(col(EpisodeRow.announced_at).is_(None), col(EpisodeRow.closed_at).is_(None))
        .where(col(EpisodeRow.held_until).is_(None), AlertEventRow.workspace_id == tx.workspace_id)
        .where(AlertEventRow.actor_kind == scan.kind, AlertEventRow.actor_id == scan.id)
        .where(col(AlertEventRow.at).in_(moments))
    )
    return set(tx.session.exec(query))
